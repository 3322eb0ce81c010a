#include "protocol/ndjson_parser.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"

#include <fmt/format.h>

namespace sse {

void NdjsonParser::feed(std::string_view bytes) {
    lines_.feed(
        bytes, [this](std::string_view line) { parse_line(line); }, [this] { refuse_line(); });
}

void NdjsonParser::finish() {
    lines_.finish([this](std::string_view line) { parse_line(line); });
}

void NdjsonParser::parse_line(std::string_view line) {
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

void NdjsonParser::refuse_line() const {
    throw Error(Errc::too_large,
                fmt::format("an event is larger than {} bytes", options_.max_event_bytes));
}

} // namespace sse
