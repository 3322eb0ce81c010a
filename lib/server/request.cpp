#include "server/request.hpp"

#include "base/percent.hpp"
#include "base/trimmed.hpp"
#include "base/utf8.hpp"

#include <string_view>

namespace sse {

namespace {

/// ISO-8859-1 as UTF-8: many clients send each character of a header as one byte.
std::string from_latin_1(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            text.push_back(c);
        } else {
            text.push_back(static_cast<char>(0xC0 | (byte >> 6)));
            text.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
        }
    }
    return text;
}

} // namespace

std::string last_event_id(const Request& request) {
    if (const auto id = request.head.find("Last-Event-ID"); id && !id->empty())
        return is_utf8(*id) ? std::string(*id) : from_latin_1(*id);
    for (const auto* name : {"last_event_id", "lastEventId"}) {
        const auto value = query_value(request.query, name);
        if (value && !trimmed(*value).empty()) return std::string(trimmed(*value));
    }
    return {};
}

} // namespace sse
