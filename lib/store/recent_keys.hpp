// The idempotency keys of recent drafts, so that a draft that is sent again is not stored again.
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

/// A key and the events that it stands for, as stored with the index of a segment.
struct StoredKey {
    using Hash = std::array<std::uint64_t, 2>;
    Hash hash{};             ///< see key_hash()
    std::uint64_t time = 0;  ///< ms since 1970: when its events were written
    std::uint64_t first = 0; ///< the sequence number of the first of them
    std::uint64_t count = 0;
};
static_assert(sizeof(StoredKey) == 40);

/// A part of the SHA-256 of both, so that nobody can find two keys with the same hash.
StoredKey::Hash key_hash(std::string_view channel, std::string_view key);

/// One thread. Times are ms since 1970.
class RecentKeys {
public:
    /// Keys are forgotten after `age`; there are at most `max` of them.
    RecentKeys(std::chrono::milliseconds age, std::size_t max)
        : age_(static_cast<std::uint64_t>(age.count()))
        , max_(max) {}

    /// The key; nullptr if there is none, or if it is too old.
    const StoredKey* find(const StoredKey::Hash& hash, std::uint64_t now);
    /// False if there is no room for it.
    bool add(const StoredKey& key, std::uint64_t now);
    /// Sets the events of a key that was added.
    void set(const StoredKey::Hash& hash, std::uint64_t first, std::uint64_t count);
    /// Removes a key whose events were not stored after all.
    void remove(const StoredKey::Hash& hash) { keys_.erase(hash); }
    std::size_t size() const { return keys_.size(); }

private:
    struct HashOf { // the key is a hash already
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
