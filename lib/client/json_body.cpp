#include "client/json_body.hpp"

#include "base/error.hpp"
#include "base/json_syntax.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view without_blanks(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

} // namespace

bool begins_with_json_line(std::string_view text, bool complete) {
    const auto start = text.find_first_not_of(blanks);
    if (start == text.npos) return false;
    text.remove_prefix(start);
    const auto end = text.find('\n');
    if (end == text.npos || (text.front() != '{' && text.front() != '[')) return false;
    const auto next = text.find_first_not_of(blanks, end);
    if (next == text.npos ? complete : text[next] != '{' && text[next] != '[') return false;
    return JsonSyntax().error(std::string(text.substr(0, end))) == nullptr;
}

void JsonBody::feed(std::string_view bytes) {
    if (kind_ == Kind::lines) return lines_.feed(bytes);
    if (text_.empty()) bytes.remove_prefix(std::min(bytes.find_first_not_of(blanks), bytes.size()));
    if (text_.size() + bytes.size() > options_.max_event_bytes) {
        throw Error(Errc::too_large,
                    fmt::format("an event is larger than {} bytes", options_.max_event_bytes));
    }
    text_.append(bytes);
    if (kind_ == Kind::document) return;
    const auto scanned = std::exchange(scanned_, text_.size());
    if (line_end_ == text_.npos) line_end_ = text_.find('\n', scanned);
    if (line_end_ == text_.npos ||
        text_.find_first_not_of(blanks, std::max(scanned, line_end_)) == text_.npos)
        return;
    kind_ = begins_with_json_line(text_, false) ? Kind::lines : Kind::document;
    if (kind_ == Kind::lines) lines_.feed(text_), text_.clear();
}

void JsonBody::finish() {
    if (kind_ == Kind::lines) return lines_.finish();
    const auto document = without_blanks(text_);
    if (document.empty()) return;
    std::string data;
    data.reserve(document.size());
    if (!is_utf8(document)) {
        sink_.on_warning(ParseWarning::invalid_utf8, document.substr(0, document.find('\n')));
        append_utf8(document, data);
    } else {
        data = document;
    }
    std::erase(data, '\r'); // between tokens only: JSON has no raw CR in a string
    EventView event;
    event.data = data;
    text_.clear();
    sink_.on_event(event);
}

} // namespace sse
