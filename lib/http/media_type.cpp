#include "http/media_type.hpp"

#include "base/ascii.hpp"
#include "base/trimmed.hpp"
#include "http/head.hpp"

#include <algorithm>

namespace sse {

namespace {

/// Takes what comes before one of `ends` off the front of `text`, less the blanks around it.
std::string_view take_until(std::string_view ends, std::string_view& text) {
    const auto part = text.substr(0, text.find_first_of(ends));
    text.remove_prefix(part.size());
    return trimmed(part);
}

/// The rest of a quoted-string (5.6.4) behind its first quote.
std::string take_quoted(std::string_view& text) {
    std::string value;
    for (bool escaped = false; !text.empty();) {
        const char c = text[0];
        text.remove_prefix(1);
        if (!escaped && c == '"') break;
        if (!escaped && c == '\\') {
            escaped = true;
            continue;
        }
        value.push_back(c);
        escaped = false;
    }
    return value;
}

} // namespace

std::string essence(std::string_view content_type) {
    std::string out(take_until(";", content_type));
    std::transform(out.begin(), out.end(), out.begin(), ascii_lower);
    return out;
}

std::optional<std::string> charset(std::string_view content_type) {
    take_until(";", content_type);
    while (!content_type.empty()) {
        content_type.remove_prefix(1); // the semicolon
        const auto name = take_until("=;", content_type);
        std::string value;
        if (content_type.starts_with("=\"")) {
            content_type.remove_prefix(2);
            value = take_quoted(content_type);
            take_until(";", content_type);
        } else if (content_type.starts_with('=')) {
            content_type.remove_prefix(1);
            value = take_until(";", content_type);
        }
        if (same_name(name, "charset")) return value;
    }
    return std::nullopt;
}

} // namespace sse
