#include "protocol/json_seq_parser.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sse {

void JsonSeqParser::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto end = bytes.find('\x1e');
        const auto piece = bytes.substr(0, end);
        if (started_) {
            if (element_.size() + piece.size() > options_.max_event_bytes)
                throw Error(Errc::too_large, fmt::format("an event is larger than {} bytes",
                                                         options_.max_event_bytes));
            element_.append(piece);
        }
        if (end == bytes.npos) return;
        bytes.remove_prefix(end + 1);
        finish();
        started_ = true;
    }
}

void JsonSeqParser::finish() {
    std::string_view text = element_;
    constexpr std::string_view blanks = " \t\r\n";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    text = text.substr(0, text.find_last_not_of(blanks) + 1);
    if (!text.empty()) {
        EventView event;
        event.data = text;
        if (!is_utf8(text)) {
            sink_.on_warning(ParseWarning::invalid_utf8, text);
            decoded_.clear();
            append_utf8(text, decoded_);
            event.data = decoded_;
        }
        sink_.on_event(event);
    }
    element_.clear();
}

} // namespace sse
