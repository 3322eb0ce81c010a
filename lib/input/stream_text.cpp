#include "input/stream_text.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

namespace sse {

StreamTextDecoder::StreamTextDecoder(Decoder::Sink& sink, const DecoderOptions& options)
    : sink_(sink)
    , options_(options)
    , parser_(*this, {options.max_event_bytes}) {}

void StreamTextDecoder::on_event(const EventView& event) {
    ++events_;
    EventView typed = event;
    if (typed.type == "message" && !options_.event.empty()) typed.type = options_.event;
    try {
        sink_.on_event(typed);
    } catch (const Error& e) {
        sink_.on_skipped(fmt::format("event {}", events_), e.what());
    }
}

void StreamTextDecoder::on_warning(ParseWarning warning, std::string_view) {
    if (warning != ParseWarning::unfinished_block && warning != ParseWarning::unfinished_event)
        return;
    sink_.on_skipped(fmt::format("event {}", events_ + 1),
                     "the input ends before the blank line of the last event");
}

bool StreamTextDecoder::on_too_large() {
    sink_.on_skipped(fmt::format("event {}", ++events_),
                     fmt::format("longer than {} bytes", options_.max_event_bytes));
    return true;
}

} // namespace sse
