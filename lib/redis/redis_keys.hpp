// The names in Redis of what belongs to one channel. Text only.
#pragma once

#include "redis/redis_options.hpp"

#include <string>
#include <string_view>

namespace sse {

/// Immutable, so any thread may use it.
class RedisKeys {
public:
    RedisKeys(const RedisOptions& options, std::string_view channel);

    const std::string& topic() const { return topic_; }   ///< of its messages
    const std::string& stream() const { return stream_; } ///< its entries
    const std::string& meta() const { return meta_; }     ///< where it ends and begins
    /// The number of the last draft of a session that was stored.
    std::string session(std::string_view session) const { return with(":n:", session); }
    /// Where the event is that has this id from the input.
    std::string given_id(std::string_view id) const { return with(":i:", id); }
    /// The entry of the draft with this idempotency key.
    std::string draft(std::string_view key) const { return with(":k:", key); }

private:
    std::string with(std::string_view kind, std::string_view name) const;

    const std::string base_, topic_, stream_, meta_;
};

} // namespace sse
