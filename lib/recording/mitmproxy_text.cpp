#include "recording/mitmproxy_text.hpp"

#include "base/ascii.hpp"
#include "base/utf8.hpp"

#include <cstddef>

namespace sse {

namespace {

/// The number of the escape `\uXXXX` at the start of `text`, or -1.
int escaped_unit(std::string_view text) {
    if (text.size() < 6 || !text.starts_with("\\u")) return -1;
    int unit = 0;
    for (const char digit : text.substr(2, 4)) {
        if (hex_value(digit) < 0) return -1;
        unit = unit * 16 + hex_value(digit);
    }
    return unit;
}

} // namespace

void replace_undecoded_bytes(std::string& json) {
    for (std::size_t at = 0; (at = json.find('\\', at)) != json.npos;) {
        const auto rest = std::string_view(json).substr(at);
        const int unit = escaped_unit(rest);
        if (unit >= 0xD800 && unit < 0xDC00 && (escaped_unit(rest.substr(6)) & 0xFC00) == 0xDC00) {
            at += 12; // a pair
        } else if (unit < 0) {
            at += 2;
        } else {
            if (unit >= 0xDC80 && unit <= 0xDCFF) json.replace(at, 6, "\\ufffd");
            at += 6;
        }
    }
}

std::string without_latin_1(std::string text, std::string_view content_type) {
    if (content_type.find("charset=") != content_type.npos ||
        content_type.find("json") != content_type.npos)
        return text;
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto byte = static_cast<unsigned char>(text[i]);
        if (byte > 0xC3 || (byte >= 0x80 && i + 1 == text.size())) return text; // above U+00FF
        if (byte >= 0x80)
            byte = static_cast<unsigned char>((byte & 0x03) << 6 |
                                              (static_cast<unsigned char>(text[++i]) & 0x3F));
        bytes.push_back(static_cast<char>(byte));
    }
    return is_utf8(bytes) ? bytes : text;
}

} // namespace sse
