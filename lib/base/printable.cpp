#include "base/printable.hpp"

#include "base/utf8.hpp"

#include <cstdint>
#include <fmt/format.h>
#include <iterator>

namespace sse {

namespace {

/// The character at `at` of well-formed UTF-8 and its length in bytes.
struct Character {
    char32_t code;
    std::size_t length;
};
Character character_at(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const auto tail = [&](std::size_t i) { return static_cast<char32_t>(byte(i) & 0x3F); };
    const char32_t lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    if (lead < 0xE0) return {(lead & 0x1F) << 6 | tail(1), 2};
    if (lead < 0xF0) return {(lead & 0x0F) << 12 | tail(1) << 6 | tail(2), 3};
    return {(lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4};
}

bool acts(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c <= 0x9F)         // C0, DEL, C1
           || c == 0x061C || c == 0x200E || c == 0x200F // bidirectional marks
           || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/// Every character that acts starts with one of these bytes.
bool may_act(unsigned char byte) {
    return byte < 0x20 || byte == 0x7F || byte == 0xC2 || byte == 0xD8 || byte == 0xE2;
}

} // namespace

void append_printable(std::string_view bytes, std::string& out, std::string_view kept) {
    std::string repaired;
    if (!is_utf8(bytes)) {
        append_utf8(bytes, repaired);
        bytes = repaired;
    }
    std::size_t plain = 0; // everything from here to `at` goes out as it is
    for (std::size_t at = 0; at < bytes.size();) {
        if (!may_act(static_cast<unsigned char>(bytes[at])) || kept.find(bytes[at]) != kept.npos) {
            ++at;
            continue;
        }
        const auto [code, length] = character_at(bytes, at);
        if (acts(code)) {
            out.append(bytes, plain, at - plain);
            const auto number = static_cast<std::uint32_t>(code);
            if (code < 0x80) fmt::format_to(std::back_inserter(out), "\\x{:02x}", number);
            else fmt::format_to(std::back_inserter(out), "\\u{:04x}", number);
            plain = at + length;
        }
        at += length;
    }
    out.append(bytes, plain);
}

std::string printable(std::string_view bytes, std::size_t limit) {
    const auto shown = utf8_prefix(bytes, limit);
    std::string out;
    append_printable(shown, out);
    if (shown.size() < bytes.size()) out += "...";
    return out;
}

} // namespace sse
