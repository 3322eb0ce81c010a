#include "recording/json_text.hpp"

#include "protocol/utf8.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <iterator>

namespace sse {

namespace {

/// Bytes that end a run which is copied as it is. 0xE2 begins U+2028 and U+2029 (and others).
constexpr std::array<bool, 256> special = [] {
    std::array<bool, 256> table{};
    for (int i = 0; i < 0x20; ++i) table[static_cast<std::size_t>(i)] = true;
    table['"'] = table['\\'] = table[0xE2] = true;
    return table;
}();

constexpr std::uint64_t each(std::uint8_t byte) { return 0x0101010101010101u * byte; }
constexpr std::uint64_t zero_byte(std::uint64_t word) {
    return (word - each(1)) & ~word & each(0x80);
}

/// True if one of eight bytes at `at` may be special; never false when one is.
bool any_special(const char* at) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    const auto below_space = (word - each(0x20)) & ~word & each(0x80);
    return (below_space | zero_byte(word ^ each('"')) | zero_byte(word ^ each('\\')) |
            zero_byte(word ^ each(0xE2))) != 0;
}

std::size_t plain_run(std::string_view text, std::size_t at) {
    while (at + 8 <= text.size() && !any_special(text.data() + at)) at += 8;
    while (at < text.size() && !special[static_cast<unsigned char>(text[at])]) ++at;
    return at;
}

void append_escape(unsigned char byte, std::string& out) {
    switch (byte) {
    case '"': out.append("\\\""); break;
    case '\\': out.append("\\\\"); break;
    case '\n': out.append("\\n"); break;
    case '\r': out.append("\\r"); break;
    case '\t': out.append("\\t"); break;
    default: fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    }
}

void append_valid(std::string_view text, std::string& out) {
    for (std::size_t at = 0;;) {
        const auto end = plain_run(text, at);
        out.append(text.substr(at, end - at));
        if (end == text.size()) return;
        at = end + 1;
        const auto byte = static_cast<unsigned char>(text[end]);
        if (byte != 0xE2) {
            append_escape(byte, out);
        } else if (const auto character = text.substr(end, 3);
                   character == "\u2028" || character == "\u2029") {
            out.append(character == "\u2028" ? "\\u2028" : "\\u2029");
            at = end + 3;
        } else {
            out.push_back(text[end]);
        }
    }
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
