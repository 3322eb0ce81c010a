#include "base/json_string.hpp"

#include "base/ascii.hpp"
#include "base/utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace sse {

namespace {

bool is_high(std::uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(std::uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }
std::uint32_t joined(std::uint32_t high, std::uint32_t low) {
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

/// Appends a code point, or half of a surrogate pair, by UTF-8's scheme.
void append_code(std::uint32_t code, std::string& out) {
    const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    const auto tail = [&](int shift) { put(0x80 | (code >> shift & 0x3F)); };
    if (code < 0x80) return put(code);
    if (code < 0x800) return put(0xC0 | code >> 6), tail(0);
    if (code < 0x10000) return put(0xE0 | code >> 12), tail(6), tail(0);
    put(0xF0 | code >> 18), tail(12), tail(6), tail(0);
}

/// The four hexadecimal digits at `at`, -1 if they are none.
std::int32_t unit_at(std::string_view text, std::size_t at) {
    if (at + 4 > text.size()) return -1;
    std::int32_t unit = 0;
    for (const char c : text.substr(at, 4)) {
        const int value = hex_value(c);
        if (value < 0) return -1;
        unit = unit * 16 + value;
    }
    return unit;
}

/// The half of a surrogate pair that `text` holds at `at`, where its byte is 0xED; 0 if it is none.
std::uint32_t half_at(std::string_view text, std::size_t at) {
    if (at + 3 > text.size() || static_cast<unsigned char>(text[at + 1]) < 0xA0) return 0;
    return 0xD000u | (static_cast<unsigned char>(text[at + 1]) & 0x3Fu) << 6 |
           (static_cast<unsigned char>(text[at + 2]) & 0x3Fu);
}

} // namespace

bool append_json_text(std::string_view json, std::string& out) {
    if (json.size() < 2 || !json.starts_with('"') || !json.ends_with('"')) return false;
    json = json.substr(1, json.size() - 2);
    for (std::size_t at = 0; at < json.size();) {
        const auto plain = json.substr(at, json.find('\\', at) - at);
        out.append(plain);
        at += plain.size();
        if (at == json.size()) break;
        if (at + 1 == json.size()) return false;
        const char escape = json[at + 1];
        at += 2;
        constexpr std::string_view escapes = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
        if (const auto index = escapes.find(escape); index != escapes.npos) {
            out.push_back(meanings[index]);
            continue;
        }
        const auto unit = escape == 'u' ? unit_at(json, at) : -1;
        if (unit < 0) return false;
        at += 4;
        auto code = static_cast<std::uint32_t>(unit);
        if (is_high(code) && json.substr(at).starts_with("\\u")) {
            const auto next = unit_at(json, at + 2);
            if (next >= 0 && is_low(static_cast<std::uint32_t>(next))) {
                code = joined(code, static_cast<std::uint32_t>(next));
                at += 6;
            }
        }
        append_code(code, out);
    }
    return true;
}

void SurrogateJoiner::append(std::string_view text, std::string& out) {
    while (!text.empty()) {
        const auto at = text.find('\xED');
        const auto half = at == text.npos ? 0 : half_at(text, at);
        if (high_ != 0 && at == 0 && is_low(half)) {
            append_code(joined(high_, half), out);
            high_ = 0;
            text.remove_prefix(3);
            continue;
        }
        finish(out);
        if (at == text.npos) {
            out.append(text);
            return;
        }
        out.append(text.substr(0, at));
        if (is_high(half)) high_ = static_cast<char16_t>(half);
        else if (half != 0) out.append(replacement_character);
        else out.push_back(text[at]); // a character whose first byte is 0xED
        text.remove_prefix(at + (half != 0 ? 3 : 1));
    }
}

void SurrogateJoiner::finish(std::string& out) {
    if (high_ != 0) out.append(replacement_character);
    high_ = 0;
}

} // namespace sse
