#include "base/utf8.hpp"

#include <simdjson.h>

namespace sse {

namespace {

/// What a lead byte asks for: how many bytes in all, and the range of the second (Unicode 15,
/// table 3-7). `length` 0: no lead byte.
struct Lead {
    int length;
    unsigned char low, high;
};

Lead lead_of(unsigned char byte) {
    if (byte < 0x80) return {1, 0, 0};
    if (byte >= 0xC2 && byte <= 0xDF) return {2, 0x80, 0xBF};
    if (byte == 0xE0) return {3, 0xA0, 0xBF};
    if (byte == 0xED) return {3, 0x80, 0x9F};
    if (byte >= 0xE1 && byte <= 0xEF) return {3, 0x80, 0xBF};
    if (byte == 0xF0) return {4, 0x90, 0xBF};
    if (byte >= 0xF1 && byte <= 0xF3) return {4, 0x80, 0xBF};
    if (byte == 0xF4) return {4, 0x80, 0x8F};
    return {0, 0, 0};
}

/// The length of the well-formed character at `at`, or minus the length of the ill-formed part.
std::ptrdiff_t length_at(std::string_view bytes, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const auto lead = lead_of(byte(at));
    if (lead.length == 0) return -1;
    auto low = lead.low, high = lead.high;
    for (int i = 1; i < lead.length; ++i) {
        const auto next = at + static_cast<std::size_t>(i);
        if (next >= bytes.size() || byte(next) < low || byte(next) > high) return -i;
        low = 0x80, high = 0xBF;
    }
    return lead.length;
}

} // namespace

bool is_utf8(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

void append_utf8(std::string_view bytes, std::string& out) {
    if (is_utf8(bytes)) {
        out.append(bytes);
        return;
    }
    std::size_t good = 0; // everything from here to `at` is well-formed and not yet appended
    for (std::size_t at = 0; at < bytes.size();) {
        const auto length = length_at(bytes, at);
        if (length > 0) {
            at += static_cast<std::size_t>(length);
            continue;
        }
        out.append(bytes, good, at - good).append(replacement_character);
        at += static_cast<std::size_t>(-length);
        good = at;
    }
    out.append(bytes, good);
}

std::string_view utf8_prefix(std::string_view bytes, std::size_t limit) {
    if (bytes.size() <= limit) return bytes;
    while (limit > 0 && (static_cast<unsigned char>(bytes[limit]) & 0xC0) == 0x80) --limit;
    return bytes.substr(0, limit);
}

} // namespace sse
