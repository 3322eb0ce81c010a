// Writes commands and parses replies of Redis (RESP2, the protocol specification of Redis). No
// sockets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct redisReader;

namespace sse {

/// One reply, with its nested replies.
struct RedisReply {
    enum class Type : std::uint8_t { nil, integer, text, status, error, array } type = Type::nil;
    std::int64_t number = 0;
    std::string text; ///< of text, status and error
    std::vector<RedisReply> items;

    /// Of an integer, or of text that is one; 0 otherwise.
    std::uint64_t as_number() const;
    bool is_error() const { return type == Type::error; }
    /// It is an error whose first word is `name`.
    bool is_error(std::string_view name) const;
    bool is_array(std::size_t at_least) const {
        return type == Type::array && items.size() >= at_least;
    }
};

/// Throws Error (receive) with the text of `reply` if it is an error.
void throw_if_error(const RedisReply& reply);

/// Appends one command to `out`.
void append_command(const std::vector<std::string_view>& words, std::string& out);

/// False if this build has no hiredis: then a RedisParser cannot be created.
bool has_redis();
/// The version of hiredis; "" without it.
std::string redis_library_version();

/// Parses replies from bytes as they arrive. One thread.
class RedisParser {
public:
    /// Throws Error (invalid_argument) in a build without hiredis.
    RedisParser();
    ~RedisParser();
    RedisParser(const RedisParser&) = delete;
    RedisParser& operator=(const RedisParser&) = delete;

    void feed(std::string_view bytes);
    /// The next complete reply; nullptr if there is none yet. Throws Error (receive) for invalid
    /// bytes.
    std::unique_ptr<RedisReply> next();

private:
    redisReader* reader_ = nullptr;
};

} // namespace sse
