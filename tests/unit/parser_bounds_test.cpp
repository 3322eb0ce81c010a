// How much a hostile stream can make a parser keep. bench/test_scaling.py shows that the time is
// linear.
#include "base/error.hpp"
#include "protocol/parser.hpp"
#include "unit/catch2.hpp"
#include "unit/recording_sink.hpp"

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
