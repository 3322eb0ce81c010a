#include "base/error.hpp"
#include "redis/redis_entry.hpp"
#include "redis/redis_options.hpp"
#include "redis/redis_reply.hpp"
#include "redis/redis_ring.hpp"
#include "unit/catch2.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

using sse::Batch;
using sse::EventId;

namespace {

sse::RedisOptions read(const std::string& url) {
    sse::RedisOptions options;
    sse::read_redis_url(url, options);
    return options;
}

Batch batch_of(const std::vector<std::string>& ids) {
    Batch batch;
    for (const auto& id : ids) {
        const bool generated = id.empty();
        const std::string_view own = generated ? "1-0" : std::string_view(id);
        batch.add({"message", "x", own}, generated);
    }
    batch.seal();
    return batch;
}

} // namespace

TEST_CASE("addresses of Redis") {
    auto o = read("redis://localhost");
    CHECK(sse::describe(o) == "localhost:6379");
    CHECK((!o.tls && o.user.empty() && o.db == 0 && o.prefix == "sse" && o.sentinel.empty()));
    o = read("rediss://me@[::1]:7000/3?prefix=x");
    CHECK(sse::describe(o) == "[::1]:7000");
    CHECK((o.tls && o.user == "me" && o.db == 3 && o.prefix == "x"));
    o = read("redis+sentinel://a,b:7/main/2");
    CHECK(sse::describe(o) == "main (a:26379,b:7)");
    CHECK((o.sentinel == "main" && o.db == 2));
    CHECK_FALSE(sse::is_redis_url("redis"));
    CHECK_FALSE(sse::is_redis_url("./redis://x"));
}

TEST_CASE("generated ids of a batch are numbered by their place") {
    auto batch = batch_of({"", "own", ""});
    batch.number({7, 3});
    CHECK(batch.id(0) == "7-3");
    CHECK(batch.id(1) == "own");
    CHECK(batch.id(2) == "7-5");
    CHECK(batch.block(2) == "data: x\nid: 7-5\n\n");
}

TEST_CASE("a message of Redis is an entry and the id before it") {
    const auto batch = batch_of({"", ""});
    const auto bytes = std::string(batch.index_bytes()) + std::string(batch.chunk_bytes());
    const std::string head = "5-0 7-1 10 2 99 session.1 4\n";
    const auto message = sse::parse_message(head + bytes);
    REQUIRE(message);
    CHECK(message->previous == EventId{5, 0});
    const auto& entry = message->entry;
    CHECK((entry.last == EventId{7, 1} && entry.first_id() == EventId{7, 0}));
    CHECK((entry.first == 10 && entry.end() == 12 && entry.bytes == 99 && entry.number == 4));
    CHECK((entry.session == "session.1" && entry.key.empty()));
    const auto keyed = sse::parse_message("5-0 7-1 10 2 99 session.1 4 a key\n" + bytes);
    REQUIRE(keyed);
    CHECK((keyed->entry.number == 4 && keyed->entry.key == "a key"));
    const auto restored = entry.batch();
    REQUIRE(restored);
    CHECK((restored->first == 10 && restored->id(1) == "7-1"));
    for (const auto* const wrong : {"", "5-0\n", "5-0 7-1 10 3 99 s 4\n", "5-0 7-0 10 2 99 s 4\n",
                                    "5-0 7 10 2 99 s 4\n", "5-0 7-1 x 2 99 s 4\n"})
        CHECK_FALSE(sse::parse_message(wrong + bytes).value_or(sse::RedisMessage{}).entry.batch());
}

TEST_CASE("what a store lacks is known by its newest id") {
    sse::RedisRing ring({2, 1'000'000});
    ring.clear({1, 0});
    for (std::uint64_t ms = 2; ms <= 4; ++ms)
        ring.push({EventId{ms, 0}, 0, "s", ms, "", std::make_shared<Batch>(batch_of({""}))});
    CHECK(ring.size() == 2);
    CHECK(ring.after({0, 0}) == 0);
    CHECK(ring.after({2, 0}) == 0); // the one before the first
    CHECK(ring.after({3, 0}) == 1);
    CHECK(ring.after({4, 0}) == 2);
    CHECK_FALSE(ring.after({3, 1}));
}

TEST_CASE("replies of Redis, cut at any place") {
    if (!sse::has_redis()) return;
    const std::string bytes = "+OK\r\n*3\r\n$1\r\na\r\n*2\r\n:7\r\n$-1\r\n-ERR no\r\n*0\r\n";
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        sse::RedisParser parser;
        std::vector<std::unique_ptr<sse::RedisReply>> replies;
        for (const auto& part : {bytes.substr(0, cut), bytes.substr(cut)}) {
            parser.feed(part);
            while (auto reply = parser.next()) replies.push_back(std::move(reply));
        }
        REQUIRE(replies.size() == 3);
        CHECK(replies[0]->text == "OK");
        const auto& items = replies[1]->items;
        REQUIRE(items.size() == 3);
        CHECK((items[0].text == "a" && items[1].items[0].number == 7 && items[2].is_error("ERR")));
    }
    sse::RedisParser parser;
    parser.feed("HTTP/1.1 400 Bad Request\r\n");
    CHECK_THROWS_AS(parser.next(), sse::Error);
}
