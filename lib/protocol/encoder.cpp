#include "protocol/encoder.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"

#include <cstring>
#include <fmt/format.h>
#include <iterator>

namespace sse {

namespace {

void refuse_line_ends(std::string_view field, std::string_view value) {
    for (const char c : value) {
        if (static_cast<unsigned char>(c) > '\r' || (c != '\r' && c != '\n' && c != '\0')) continue;
        const auto name = c == '\r' ? "CR" : c == '\n' ? "LF" : "NUL";
        throw Error(Errc::bad_input, fmt::format("{} contains {}", field, name));
    }
}

/// Appends `prefix`, one line of `text` and LF for each line, whichever way the lines end.
void append_lines(std::string_view prefix, std::string_view text, std::string& out) {
    if (std::memchr(text.data(), '\r', text.size()) == nullptr) { // nearly always
        for (;;) {
            const auto end = text.find('\n');
            out.append(prefix).append(text.substr(0, end)).push_back('\n');
            if (end == text.npos) return;
            text.remove_prefix(end + 1);
        }
    }
    for (;;) {
        const auto end = text.find_first_of("\r\n");
        out.append(prefix).append(text.substr(0, end)).push_back('\n');
        if (end == text.npos) return;
        const bool crlf = text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n';
        text.remove_prefix(end + (crlf ? 2 : 1));
    }
}

/// The same for what is known to have no line end in it.
void append_line(std::string_view prefix, std::string_view text, std::string& out) {
    append_utf8(text, out.append(prefix));
    out.push_back('\n');
}

void append_utf8_lines(std::string_view prefix, std::string_view text, std::string& out) {
    if (text.empty()) { // memchr may not be given a null pointer
        out.append(prefix).push_back('\n');
        return;
    }
    if (is_utf8(text)) return append_lines(prefix, text, out);
    std::string valid;
    append_utf8(text, valid);
    append_lines(prefix, valid, out);
}

} // namespace

void encode(const EventView& event, std::string& out) {
    const bool typed = !event.type.empty() && event.type != "message";
    if (event.id) refuse_line_ends("id", *event.id);
    if (typed) refuse_line_ends("event type", event.type);
    if (typed) append_line("event: ", event.type, out);
    append_utf8_lines("data: ", event.data, out);
    if (event.id) append_line("id: ", *event.id, out);
    out.push_back('\n');
}

void encode_id(std::string_view id, std::string& out) {
    append_line("id: ", id, out);
    out.push_back('\n');
}

void encode_comment(std::string_view text, std::string& out) {
    append_utf8_lines(":", text, out);
    out.push_back('\n');
}

void encode_retry(std::chrono::milliseconds retry, std::string& out) {
    fmt::format_to(std::back_inserter(out), "retry: {}\n\n", retry.count());
}

} // namespace sse
