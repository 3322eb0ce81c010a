// The keys of recent drafts, so that a draft that is sent again is not stored again.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace sse {

/// What a key stands for, as it is stored with the index of a segment.
struct StoredKey {
    using Hash = std::array<std::uint64_t, 2>;
    Hash hash{};             ///< see key_hash()
    std::uint64_t time = 0;  ///< ms since 1970: when its events were written
    std::uint64_t first = 0; ///< the sequence number of the first of them
    std::uint64_t count = 0;
};
static_assert(sizeof(StoredKey) == 40);

/// A part of the SHA-256 of both: nobody can find two keys with one hash.
StoredKey::Hash key_hash(std::string_view channel, std::string_view key);

/// One thread. Times are ms since 1970.
class RecentKeys {
public:
    /// Keys are forgotten after `age`; there are at most `max` of them.
    RecentKeys(std::chrono::milliseconds age, std::size_t max)
        : age_(static_cast<std::uint64_t>(age.count()))
        , max_(max) {}

    /// nullptr: there is none, or it is too old.
    const StoredKey* find(const StoredKey::Hash& hash, std::uint64_t now);
    /// False if there is no room for it.
    bool add(const StoredKey& key, std::uint64_t now);
    /// The events of a key that is there.
    void set(const StoredKey::Hash& hash, std::uint64_t first, std::uint64_t count);
    /// The events of the key are not stored after all.
    void remove(const StoredKey::Hash& hash) { keys_.erase(hash); }
    std::size_t size() const { return keys_.size(); }

private:
    struct HashOf { // it is one
        std::size_t operator()(const StoredKey::Hash& hash) const {
            return static_cast<std::size_t>(hash[0]);
        }
    };
    void expire(std::uint64_t now);

    const std::uint64_t age_;
    const std::size_t max_;
    std::unordered_map<StoredKey::Hash, StoredKey, HashOf> keys_;
    std::deque<std::pair<std::uint64_t, StoredKey::Hash>> by_time_; ///< also of those removed
};

} // namespace sse
