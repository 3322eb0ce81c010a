// The channel in Redis that owns its drafts and its reader, as these two use it.
#pragma once

#include "redis/redis_connection.hpp"

#include <memory>
#include <utility>

namespace sse {

/// Used on the thread of its log.
class RedisOwner {
public:
    virtual ~RedisOwner() = default;
    /// Redis has events that this server has not seen, or has lost some.
    virtual void sync() = 0;
    /// `handle` as the handler of a reply, for as long as the owner exists.
    template <typename Handle>
    RedisConnection::Handler guarded(Handle handle) const {
        return [weak = existence(), handle = std::move(handle)](RedisReply& reply) {
            if (const auto owner = weak.lock()) handle(reply);
        };
    }

private:
    /// Expires when it is destroyed, with its parts.
    virtual std::weak_ptr<const void> existence() const = 0;
};

} // namespace sse
