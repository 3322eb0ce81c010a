// The Lua scripts that Redis runs for the store. Each changes a channel as a whole or not at all.
// They use only commands of Redis 7.0.
#pragma once

#include <array>
#include <string_view>

namespace sse {

enum class RedisScript {
    append,   ///< new events
    put_back, ///< events that Redis had and has lost
    jump,     ///< a gap in the sequence numbers, for lost events of an unknown number
};
constexpr std::size_t redis_scripts = 3;

std::string_view text_of(RedisScript script);

} // namespace sse
