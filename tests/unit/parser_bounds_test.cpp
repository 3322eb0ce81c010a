// What a hostile stream can make a parser keep, and how long it can keep it busy.
#include "base/error.hpp"
#include "protocol/parser.hpp"
#include "unit/catch2.hpp"
#include "unit/recording_sink.hpp"

#include <algorithm>
#include <ctime>

namespace {

/// Feeds `bytes` in pieces until the parser refuses; returns the events before that.
std::string refusal(std::string_view bytes, std::size_t piece, std::size_t max_event_bytes) {
    test::RecordingSink received;
    sse::Parser parser(received, {.max_event_bytes = max_event_bytes});
    try {
        for (const auto feed : test::pieces(bytes, piece)) parser.feed(feed);
    } catch (const sse::Error& e) {
        REQUIRE(e.code() == sse::Errc::too_large);
        return received.text + "!" + e.what();
    }
    return received.text;
}

std::string times(std::size_t count, std::string_view text) {
    std::string all;
    for (; count > 0; --count) all += text;
    return all;
}

/// Counts and keeps nothing, so that only the parser's own work is timed.
struct Counter : sse::Parser::Sink {
    std::size_t received = 0;
    void on_event(const sse::EventView& e) override { received += 1 + e.data.size(); }
    void on_comment(std::string_view) override { ++received; }
};

double seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// CPU seconds to read `bytes` in pieces; the better of two. Gives up beyond `limit` seconds.
double cost(std::string_view bytes, std::size_t piece, double limit) {
    double best = limit;
    for (int i = 0; i < 2; ++i) {
        Counter counter;
        sse::Parser parser(counter, {.max_event_bytes = 2 * bytes.size()});
        const auto start = seconds();
        for (std::size_t at = 0, feeds = 0; at < bytes.size(); at += piece) {
            parser.feed(bytes.substr(at, piece));
            if (++feeds % 1024 == 0 && seconds() - start > limit) break;
        }
        parser.finish();
        best = std::min(best, seconds() - start);
        if (best < limit / 2) break;
    }
    return best;
}

} // namespace

TEST_CASE("No event outgrows the bound, whatever it is made of, at any cut") {
    constexpr std::size_t bound = 64;
    const std::string refused = "!an event is larger than 64 bytes";
    struct Row {
        const char* what;
        std::string wire, received;
    };
    const Row rows[] = {
        {"an endless line", "data: a\n\n" + times(100, "x"), "message(a)" + refused},
        {"endless data lines", "data: a\n\n" + times(100, "data: b\n"), "message(a)" + refused},
        {"endless empty data lines", times(100, "data\n"), refused},
        {"an endless comment", ":ok\n:" + times(100, "x"), ":ok;" + refused},
        {"a comment that ends too late", ":" + times(100, "x") + "\n", refused},
        {"an endless id", "id: 1\n\nid: " + times(100, "1"), "id=1;" + refused},
        {"an endless type", "event: " + times(100, "e"), refused},
        {"an endless name", times(100, "n"), refused},
        {"an endless retry", "retry: " + times(100, "0"), refused},
        {"id, type and data together",
         "id: " + times(20, "i") + "\nevent: " + times(20, "e") + "\ndata: " + times(20, "d") +
             "\n\n",
         refused},
        {"many events, each within it", times(100, "data: abcdefgh\n\n"),
         times(100, "message(abcdefgh)")},
        {"many comments in one block", times(3, ":abcdefghabcdefghabcdefgh\n"),
         times(3, ":abcdefghabcdefghabcdefgh;")},
        {"many retries in one block", times(20, "retry: 1\n"), times(20, "retry=1;")},
        {"a type named many times", times(50, "event: abcdefgh\n") + "data: a\n\n", "abcdefgh(a)"},
        {"a line of just so many bytes", "data: " + times(58, "x") + "\n\n",
         "message(" + times(58, "x") + ")"},
        {"and one more", "data: " + times(59, "x") + "\n\n", refused},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        for (std::size_t piece = 1; piece <= row.wire.size(); ++piece) {
            INFO("pieces of " << piece);
            CHECK(refusal(row.wire, piece, bound) == row.received);
        }
    }
}

TEST_CASE("An event just under the default bound is read, and one over it is not") {
    const auto bound = sse::ParserOptions{}.max_event_bytes;
    CHECK(bound == 16 * 1024 * 1024);
    const auto line = "data: " + std::string(bound - 6, 'x');
    CHECK(refusal(line + "\n\n", line.size() + 2, bound).size() == bound - 6 + 9);
    CHECK(refusal(line + "x", 64 * 1024, bound) == "!an event is larger than 16777216 bytes");
}

TEST_CASE("Time grows with the bytes and no faster, however they are cut") {
    struct Row {
        const char* what;
        std::string unit;
        std::size_t size;
    };
    const Row rows[] = {
        {"one endless line", "xxxxxxxxxxxxxxxx", 16 << 20},
        {"one event of many lines", "data: 0123456789abcdef\n", 16 << 20},
        {"events", "data: 0123456789abcdef\n\n", 4 << 20},
        {"ids and types", "id: 1\nevent: x\n", 4 << 20},
        {"comments", ":\n", 4 << 20},
        {"CR alone", "data: 0123456789abcdef\r", 4 << 20},
        {"blank lines", "\r\n", 4 << 20},
        {"bad UTF-8", "data: \xFF\xE2\x82\n", 4 << 20},
    };
    for (const auto& row : rows) {
        const auto whole = times(row.size / row.unit.size(), row.unit);
        for (const std::size_t piece : {std::size_t{1}, std::size_t{64} << 10, row.size}) {
            INFO(row.what << " in pieces of " << piece);
            // Four times the bytes: four times the time if linear, sixteen times if quadratic. Some
            // milliseconds on top, because the small one may be too quick to be measured.
            const auto bytes = std::string_view(whole);
            const auto limit = 10 * cost(bytes.substr(0, row.size / 4), piece, 30) + 0.010;
            CHECK(cost(bytes, piece, limit) < limit);
        }
    }
}
