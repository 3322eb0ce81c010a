// The only file that includes hiredis; compiled with SSE_REDIS where that is found.
#include "redis/redis_reply.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"

#include <charconv>
#include <fmt/format.h>
#include <iterator>

#ifdef SSE_REDIS
#include <hiredis.h>
#endif

namespace sse {

std::uint64_t RedisReply::as_number() const {
    if (type == Type::integer) return static_cast<std::uint64_t>(number);
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

bool RedisReply::is_error(std::string_view name) const {
    return is_error() && text.starts_with(name) &&
           (text.size() == name.size() || text[name.size()] == ' ');
}

void throw_if_error(const RedisReply& reply) {
    if (reply.is_error())
        throw Error(Errc::receive, fmt::format("Redis refused: {}", printable(reply.text, 200)));
}

void append_command(const std::vector<std::string_view>& words, std::string& out) {
    fmt::format_to(std::back_inserter(out), "*{}\r\n", words.size());
    for (const auto word : words) {
        fmt::format_to(std::back_inserter(out), "${}\r\n", word.size());
        out.append(word).append("\r\n");
    }
}

#ifdef SSE_REDIS

namespace {

/// The place for the object of `task`: an element of its array, or a new reply.
RedisReply* place(const redisReadTask* task) {
    if (!task->parent) return std::make_unique<RedisReply>().release(); // see next()
    auto* const array = static_cast<RedisReply*>(task->parent->obj);
    return &array->items[static_cast<std::size_t>(task->idx)];
}

RedisReply::Type type_of(int type) {
    switch (type) {
    case REDIS_REPLY_ERROR: return RedisReply::Type::error;
    case REDIS_REPLY_STATUS: return RedisReply::Type::status;
    default: return RedisReply::Type::text;
    }
}

redisReplyObjectFunctions make_functions() {
    redisReplyObjectFunctions out{};
    out.createString = [](const redisReadTask* task, char* text, std::size_t size) -> void* {
        auto* const reply = place(task);
        reply->type = type_of(task->type);
        reply->text.assign(text, size);
        return reply;
    };
    // The type of the number differs among the versions of hiredis.
    out.createArray = [](const redisReadTask* task, auto size) -> void* {
        auto* const reply = place(task);
        reply->type = RedisReply::Type::array;
        reply->items.resize(static_cast<std::size_t>(size));
        return reply;
    };
    out.createInteger = [](const redisReadTask* task, long long value) -> void* {
        auto* const reply = place(task);
        reply->type = RedisReply::Type::integer;
        reply->number = value;
        return reply;
    };
    out.createNil = [](const redisReadTask* task) -> void* { return place(task); };
    out.freeObject = [](void* reply) {
        const std::unique_ptr<RedisReply> owned(static_cast<RedisReply*>(reply));
    };
    return out;
}

} // namespace

bool has_redis() { return true; }

std::string redis_library_version() {
    return fmt::format("{}.{}.{}", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
}

RedisParser::RedisParser() {
    static auto functions = make_functions();
    reader_ = redisReaderCreateWithFunctions(&functions);
    if (!reader_) throw std::bad_alloc();
}

RedisParser::~RedisParser() { redisReaderFree(reader_); }

void RedisParser::feed(std::string_view bytes) {
    redisReaderFeed(reader_, bytes.data(), bytes.size());
}

std::unique_ptr<RedisReply> RedisParser::next() {
    void* reply = nullptr;
    if (redisReaderGetReply(reader_, &reply) != REDIS_OK) {
        throw Error(Errc::receive,
                    fmt::format("the server did not reply in the protocol of Redis: {}",
                                redisReaderGetError(reader_)));
    }
    return std::unique_ptr<RedisReply>(static_cast<RedisReply*>(reply));
}

#else

bool has_redis() { return false; }
std::string redis_library_version() { return {}; }
RedisParser::RedisParser() {
    throw Error(Errc::invalid_argument, "this build cannot use Redis (it has no hiredis)");
}
RedisParser::~RedisParser() = default;
void RedisParser::feed(std::string_view) {}
std::unique_ptr<RedisReply> RedisParser::next() { return nullptr; }

#endif

} // namespace sse
