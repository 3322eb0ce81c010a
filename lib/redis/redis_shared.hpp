// The state that the channels of one log in Redis share.
#pragma once

#include "redis/redis_counts.hpp"
#include "redis/redis_link.hpp"
#include "redis/redis_options.hpp"
#include "store/store_health.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace sse {

/// Owned by the log, used on its thread. Its references outlive it.
struct RedisShared {
    const RedisOptions& options;
    RedisLink& link;
    StoreHealth& health;
    RedisCounts& counts;
    std::string name; ///< a unique name of this server
    std::uint64_t sessions = 0;
    /// Nothing is published before this time.
    std::chrono::steady_clock::time_point hold_until{};

    std::string new_session() { return name + '.' + std::to_string(++sessions); }
    /// Delays publishing, because Redis has lost events, so that every server can put back those
    /// that it holds.
    void hold() { hold_until = std::chrono::steady_clock::now() + options.settle; }
    /// The age of the retention in milliseconds, as an argument of scripts; "" if it has none.
    std::string age() const {
        const auto age = options.store.retain.age.count();
        return age > 0 ? std::to_string(age) : std::string();
    }
    /// The same of IDs that came with their events, and of an idempotency key ("": none).
    std::string given_id_age() const {
        const auto kept = age();
        return kept.empty() ? std::to_string(options.given_id_age.count()) : kept;
    }
    std::string key_age(const std::string& key) const {
        return key.empty() ? std::string() : std::to_string(options.store.key_age.count());
    }
};

} // namespace sse
