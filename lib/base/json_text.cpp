#include "base/json_text.hpp"

#include "base/utf8.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <iterator>

namespace sse {

namespace {

constexpr std::uint64_t each(std::uint8_t byte) { return 0x0101010101010101u * byte; }
constexpr std::uint64_t zero_byte(std::uint64_t word) {
    return (word - each(1)) & ~word & each(0x80);
}

/// How many of the eight bytes at `at` come before the first that is not copied as it is: a control
/// character, a quote, a backslash, or 0xE2, which begins U+2028 and U+2029 (and others).
std::size_t plain_bytes(const char* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    const auto below_space = (word - each(0x20)) & ~word & each(0x80);
    // A borrow may set bits above the first that is rightly set; the first is exact.
    const auto special = below_space | zero_byte(word ^ each('"')) | zero_byte(word ^ each('\\')) |
                         zero_byte(word ^ each(0xE2));
    return static_cast<std::size_t>(std::countr_zero(special)) / 8;
}

/// Writes the escape of the byte at `text` to `to`, six bytes at most; gives its end, and moves
/// `text` on, three bytes for U+2028 and U+2029.
char* escape(const char*& text, const char* end, char* to) {
    const auto put = [&](std::string_view escaped) {
        return to + escaped.copy(to, escaped.size());
    };
    const auto byte = static_cast<unsigned char>(*text++);
    switch (byte) {
    case '"': return put("\\\"");
    case '\\': return put("\\\\");
    case '\n': return put("\\n");
    case '\r': return put("\\r");
    case '\t': return put("\\t");
    default: break;
    }
    if (byte < 0x20) {
        to = put("\\u00");
        *to++ = static_cast<char>('0' + (byte >> 4));
        *to++ = "0123456789abcdef"[byte & 15];
        return to;
    }
    if (const bool separator = byte == 0xE2 && end - text >= 2 && text[0] == '\x80'; separator) {
        const auto last = static_cast<unsigned char>(text[1]);
        if (last == 0xA8 || last == 0xA9) {
            text += 2;
            return put(last == 0xA8 ? "\\u2028" : "\\u2029");
        }
    }
    *to++ = static_cast<char>(byte);
    return to;
}

void append_valid(std::string_view text, std::string& out) {
    std::array<char, 4096> buffer;
    constexpr std::size_t step = 8; // the most that is copied, and more than an escape has
    const char* at = text.data();
    const char* const end = at + text.size();
    char* to = buffer.data();
    while (at < end) {
        if (to > buffer.data() + buffer.size() - 2 * step) {
            out.append(buffer.data(), to);
            to = buffer.data();
        }
        if (static_cast<std::size_t>(end - at) >= step) {
            std::memcpy(to, at, step);
            const auto plain = plain_bytes(at);
            at += plain, to += plain;
            if (plain == step) continue;
        }
        const auto byte = static_cast<unsigned char>(*at);
        if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0xE2) *to++ = *at++;
        else to = escape(at, end, to);
    }
    out.append(buffer.data(), to);
}

} // namespace

void append_json_string(std::string_view text, std::string& out) {
    out.push_back('"');
    if (is_utf8(text)) {
        append_valid(text, out);
    } else {
        std::string valid;
        append_utf8(text, valid);
        append_valid(valid, out);
    }
    out.push_back('"');
}

void append_seconds(std::chrono::microseconds time, std::string& out) {
    fmt::format_to(std::back_inserter(out), "{}.{:06}", time.count() / 1'000'000,
                   time.count() % 1'000'000);
}

} // namespace sse
