#include "protocol/ndjson_parser.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"

#include <fmt/format.h>

namespace sse {

void JsonLines::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const auto piece = bytes.substr(0, end);
        check_bound(line_.size() + piece.size());
        if (end == bytes.npos) {
            line_.append(piece);
            return;
        }
        bytes.remove_prefix(end + 1);
        if (line_.empty()) {
            take(piece);
        } else {
            line_.append(piece);
            take(line_);
            line_.clear();
        }
    }
}

void JsonLines::finish() {
    take(line_);
    line_.clear();
}

void JsonLines::take(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == line.npos) return;
    EventView event;
    event.data = line;
    if (!is_utf8(line)) {
        sink_.on_warning(ParseWarning::invalid_utf8, line);
        decoded_.clear();
        append_utf8(line, decoded_);
        event.data = decoded_;
    }
    sink_.on_event(event);
}

void JsonLines::check_bound(std::size_t size) const {
    if (size <= options_.max_event_bytes) return;
    throw Error(Errc::too_large,
                fmt::format("an event is larger than {} bytes", options_.max_event_bytes));
}

} // namespace sse
