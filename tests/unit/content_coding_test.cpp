#include "base/content_coding.hpp"
#include "base/error.hpp"
#include "unit/catch2.hpp"

#include <cstring>
#include <string>
#include <zlib.h>

namespace {

enum class Form { gzip, zlib, bare };

/// `text` in a coding; each byte is flushed through if `flushed`.
std::string deflated(const std::string& text, Form form, bool flushed = false) {
    z_stream stream{};
    const int window = form == Form::gzip   ? MAX_WBITS + 16
                       : form == Form::zlib ? MAX_WBITS
                                            : -MAX_WBITS;
    REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(text.size() * 20 + 100, '\0');
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    for (const char& c : text) {
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(&c));
        stream.avail_in = 1;
        REQUIRE(deflate(&stream, flushed ? Z_SYNC_FLUSH : Z_NO_FLUSH) == Z_OK);
    }
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

/// The body, fed in pieces of `step` bytes; `!` and what was wrong.
std::string undone(const char* coding, std::string_view wire, std::size_t step) {
    const auto decoder = sse::ContentDecoder::make(coding);
    REQUIRE(decoder);
    std::string body;
    try {
        for (; !wire.empty(); wire.remove_prefix(std::min(step, wire.size()))) {
            auto feed = wire.substr(0, step);
            for (auto piece = decoder->next(feed); !piece.empty(); piece = decoder->next(feed))
                body.append(piece);
        }
        decoder->finish();
    } catch (const sse::Error& e) {
        CHECK(e.code() == sse::Errc::receive);
        return body + "!" + e.what();
    }
    return body;
}

std::string brotli_of_abc_and_more() { // "data: abc\n\n" by the reference encoder
    return std::string("\x0b\x05\x80\x64\x61\x74\x61\x3a\x20\x61\x62\x63\x0a\x0a\x03", 15);
}

/// "data: event number N of many\n\n" for N from 0 to 11, by the reference encoder.
std::string brotli_of_twelve_events() {
    return std::string(
        "\x8b\xb4\x00\x20\x8d\xd3\xa5\xf6\x12\x8a\x4c\x25\x88\x42\xde\x83\x63\xa8\xcd\x9b"
        "\x25\xd9\x20\x0e\x0e\x40\xa6\x74\xbe\x85\x12\x48\xa0\x14\x6c\xc0\x51\xa0\xd9\x4f"
        "\xc7\x29\xc3\x8a\xdf\x80\x1f\xdb\x77\x15\x8e\x4e\xce\x2e\xae\x6e\xee\x1e\x9e\x17"
        "\xfc\x69\x63\x00\x03",
        65);
}

} // namespace

TEST_CASE("ContentDecoder takes the coding off, or refuses it, at any cut") {
    const std::string text = "data: abc\n\n";
    const auto gzip = deflated(text, Form::gzip), zlib = deflated(text, Form::zlib);
    const auto bare = deflated(text, Form::bare), br = brotli_of_abc_and_more();
    const auto cut = [](const std::string& wire) { return wire.substr(0, wire.size() - 1); };
    auto wrong_sum = gzip;
    wrong_sum[wrong_sum.size() - 6] ^= 1;
    struct Row {
        const char* what;
        const char* coding;
        std::string wire, body;
    };
    const Row rows[] = {
        {"gzip", "gzip", gzip, text},
        {"in any case, by its old name", "X-GZip", gzip, text},
        {"members follow one another", "gzip", gzip + gzip, text + text},
        {"deflate is zlib's", "deflate", zlib, text},
        {"or bare", "deflate", bare, text},
        {"a bare one of one letter", "deflate", deflated("a", Form::bare), "a"},
        {"a bare one of nothing", "deflate", deflated("", Form::bare), ""},
        {"br", "br", br, text},
        {"nothing at all", "gzip", "", ""},
        {"nothing at all", "deflate", "", ""},
        {"nothing at all", "br", "", ""},
        {"cut", "gzip", cut(gzip), text + "!the gzip body is incomplete"},
        {"cut", "deflate", cut(zlib), text + "!the deflate body is incomplete"},
        {"one byte", "deflate", "\x78", "!the deflate body is incomplete"},
        {"cut", "br", cut(br), text + "!the br body is incomplete"},
        {"another thing", "gzip", "hello world",
         "!the gzip body is corrupt: incorrect header check"},
        {"another thing", "br", "\xff\xff\xff\xff", "!the br body is corrupt"},
        {"more behind it", "gzip", gzip + "xx",
         text + "!the gzip body is corrupt: incorrect header check"},
        {"more behind it", "deflate", zlib + "x",
         text + "!the deflate body has data after its end"},
        {"more behind it", "br", br + "x", text + "!the br body has data after its end"},
        {"a wrong sum", "gzip", wrong_sum,
         text + "!the gzip body is corrupt: incorrect data check"},
    };
    for (const auto& row : rows) {
        INFO(row.what << ", " << row.coding);
        for (const std::size_t step : {1U, 2U, 3U, 7U, 1000U}) {
            INFO(step);
            CHECK(undone(row.coding, row.wire, step) == row.body);
        }
    }
    for (const char* coding : {"zstd", "gzip, br", "identity", ""})
        CHECK_FALSE(sse::ContentDecoder::make(coding));
}

TEST_CASE("ContentDecoder gives what was flushed before more comes") {
    for (const auto form : {Form::gzip, Form::zlib, Form::bare}) {
        const std::string text = "data: 1\n\n";
        const auto wire = deflated(text, form, true);
        const auto decoder = sse::ContentDecoder::make(form == Form::gzip ? "gzip" : "deflate");
        const std::size_t end = form == Form::gzip ? 10 : form == Form::zlib ? 6 : 2;
        auto rest = std::string_view(wire).substr(0, wire.size() - end);
        std::string body;
        for (auto piece = decoder->next(rest); !piece.empty(); piece = decoder->next(rest))
            body.append(piece);
        CHECK(body == text);
    }
}

TEST_CASE("ContentDecoder unfolds a bomb in pieces") {
    const auto wire = deflated(std::string(1 << 22, '0'), Form::gzip);
    const auto decoder = sse::ContentDecoder::make("gzip");
    std::string_view rest = wire;
    std::size_t total = 0, largest = 0;
    for (auto piece = decoder->next(rest); !piece.empty(); piece = decoder->next(rest)) {
        total += piece.size();
        largest = std::max(largest, piece.size());
    }
    CHECK(total == std::size_t{1} << 22);
    CHECK(largest <= 64 * 1024);
}

TEST_CASE("a damaged body gives what came before the damage, the same at every cut") {
    const std::string text = "data: one\n\ndata: two\n\ndata: three, and more of it\n\n";
    for (const auto& [coding, wire] :
         {std::pair<const char*, std::string>{"gzip", deflated(text, Form::gzip, true)},
          {"deflate", deflated(text, Form::zlib, true)},
          {"br", brotli_of_abc_and_more()},
          {"br", brotli_of_twelve_events()}}) {
        for (std::size_t at = 0; at < wire.size(); ++at) {
            for (const char flip : {'\x01', '\x10', '\xFF'}) {
                auto damaged = wire;
                damaged[at] = static_cast<char>(damaged[at] ^ flip);
                const auto whole = undone(coding, damaged, damaged.size());
                for (const std::size_t step : {1U, 2U, 3U, 5U, 13U}) {
                    INFO(coding << ", byte " << at << ", fed by " << step);
                    CHECK(undone(coding, damaged, step) == whole);
                }
            }
        }
    }
}
