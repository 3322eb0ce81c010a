#include "base/error.hpp"
#include "protocol/chunked.hpp"
#include "unit/catch2.hpp"
#include "unit/recording_sink.hpp"

using namespace std::string_literals;

namespace {

/// The body, then `|` and what is left if the body ended, or `!` and what was wrong.
std::string decoded(const std::vector<std::string_view>& feeds) {
    sse::ChunkedDecoder decoder;
    std::string body, rest;
    try {
        for (auto feed : feeds) {
            for (auto piece = decoder.next(feed); !piece.empty(); piece = decoder.next(feed)) {
                body.append(piece);
            }
            if (!feed.empty()) CHECK(decoder.done());
            rest.append(feed);
        }
    } catch (const sse::Error& e) {
        CHECK(e.code() == sse::Errc::receive);
        return body + "!" + e.what();
    }
    return decoder.done() ? body + "|" + rest : body;
}

} // namespace

TEST_CASE("ChunkedDecoder takes the framing off, or refuses it, at any cut") {
    const std::string not_hex = "!chunked body: a chunk size is not a hexadecimal number";
    const std::string many_digits = "!chunked body: a chunk size has too many digits";
    const std::string bare_lf = "!chunked body: a chunk size line ends in a bare LF";
    struct Row {
        const char* what;
        std::string wire, body;
    };
    const Row rows[] = {
        {"one chunk", "3\r\nabc\r\n0\r\n\r\n", "abc|"},
        {"two", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc|"},
        {"none", "0\r\n\r\n", "|"},
        {"not yet ended", "3\r\nabc\r\n", "abc"},
        {"not yet whole", "5\r\nabc", "abc"},
        {"hexadecimal, either case", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
         "01234567890123456789|"},
        {"zeros may lead", "003\r\nabc\r\n000\r\n\r\n", "abc|"},
        {"line ends in a chunk are its own", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n|"},
        {"what follows is not of the body", "0\r\n\r\nGET / HTTP/1.1\r\n", "|GET / HTTP/1.1\r\n"},
        {"extensions are read over", "3;name=value;x=\"y\"\r\nabc\r\n0;last\r\n\r\n", "abc|"},
        {"also after a blank", "3 ;x\r\nabc\r\n0\t\r\n\r\n", "abc|"},
        {"the last line ends in a bare LF", "0\r\n\nrest",
         "!chunked body: a trailer ends in a bare LF"},
        {"so does a trailer", "0\r\nX: 1\n\r\n", "!chunked body: a trailer ends in a bare LF"},
        {"a trailer contains a bare CR", "0\r\nX: 1\r2\r\n\r\n",
         "!chunked body: a trailer contains a bare CR"},
        {"or two", "0\r\n\r\r\n", "!chunked body: a trailer contains a bare CR"},
        {"trailers are read over", "0\r\nX-Sum: 1\r\nY: 2\r\n\r\nrest", "|rest"},
        {"a minus is no digit", "-2\r\nab", not_hex},
        {"nor a plus", "+2\r\nab", not_hex},
        {"nor 0x", "0x2\r\nab", not_hex},
        {"nor a blank before", " 2\r\nab", not_hex},
        {"nor nothing", "\r\nab", not_hex},
        {"a second number behind a space", "2 3\r\nab", not_hex},
        {"or behind a tab", "2\t3\r\nab", not_hex},
        {"a NUL in an extension", "2;\0\r\nab"s,
         "!chunked body: a chunk extension contains a control character"},
        {"a DEL in an extension", "2;\x7F\r\nab",
         "!chunked body: a chunk extension contains a control character"},
        {"nor only an extension", ";x\r\nab", not_hex},
        {"2^64 - 1", "FFFFFFFFFFFFFFFF\r\nab", many_digits},
        {"2^64 + 2", "10000000000000002\r\nab", many_digits},
        {"endless zeros", "0000000000000000000000", many_digits},
        {"the largest", "fffffffffffffff\r\nab", "ab"},
        {"a bare LF ends no size line", "2\nab", not_hex},
        {"nor one with an extension", "2;x\nab", bare_lf},
        {"a bare CR neither", "2\rab", "!chunked body: a chunk size line contains a bare CR"},
        {"nor in an extension", "2;x\ry\r\n",
         "!chunked body: a chunk size line contains a bare CR"},
        {"no CRLF after the chunk", "2\r\nab2\r\n",
         "ab!chunked body: a chunk is longer than its size"},
        {"LF after the chunk", "2\r\nab\n", "ab!chunked body: a chunk is longer than its size"},
        {"CR and no LF after it", "2\r\nab\rx", "ab!chunked body: a chunk does not end in CRLF"},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        const std::string_view wire = row.wire;
        CHECK(decoded({wire}) == row.body);
        CHECK(decoded(test::pieces(wire, 1)) == row.body);
        for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
            INFO("cut at " << cut);
            CHECK(decoded({wire.substr(0, cut), wire.substr(cut)}) == row.body);
        }
    }
}

TEST_CASE("ChunkedDecoder does not read over extensions and trailers for ever") {
    const std::string mebibyte(1 << 20, 'x');
    CHECK(decoded({"2;" + mebibyte}) == "!chunked body: a chunk extension is too long");
    CHECK(decoded({"0\r\nX: " + mebibyte}) == "!chunked body: the trailers are too long");
    std::string lines = "0\r\n";
    for (int i = 0; i < 100'000; ++i) lines += "X: y\r\n";
    CHECK(decoded({lines}) == "!chunked body: the trailers are too long");
    std::string many; // each chunk's extension by itself is within the bound
    for (int i = 0; i < 100; ++i) many += "1;" + std::string(1000, 'x') + "\r\na\r\n";
    CHECK(decoded({many}) == std::string(100, 'a'));
}

TEST_CASE("append_chunk writes what ChunkedDecoder reads, and nothing for nothing") {
    std::string wire, body;
    for (std::size_t size : {1U, 15U, 16U, 255U, 4096U, 70'000U}) {
        const std::string piece(size, static_cast<char>('a' + size % 26));
        sse::append_chunk(piece, wire);
        body += piece;
    }
    const auto before = wire;
    sse::append_chunk("", wire);
    CHECK(wire == before);
    wire += sse::last_chunk;
    CHECK(decoded({wire}) == body + "|");
    CHECK(decoded(test::pieces(wire, 7)) == body + "|");
}
