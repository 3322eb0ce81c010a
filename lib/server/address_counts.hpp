// How many connections each address has. Not the addresses: keys, see IpAddress::customer_key().
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace sse {

/// Any thread: a connection is accepted on one loop and ends on another. An address without
/// connections has no entry.
class AddressCounts {
public:
    /// Counts one more of `key`; false, and nothing is counted, if it has `limit` already.
    bool enter(std::uint64_t key, std::size_t limit) {
        const std::lock_guard lock(mutex_);
        auto& count = counts_[key];
        if (count >= limit) return false;
        ++count;
        return true;
    }
    void leave(std::uint64_t key) {
        const std::lock_guard lock(mutex_);
        const auto found = counts_.find(key);
        if (--found->second == 0) counts_.erase(found);
    }

private:
    std::mutex mutex_;
    std::unordered_map<std::uint64_t, std::size_t> counts_;
};

} // namespace sse
