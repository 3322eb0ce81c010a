#include "input/lines.hpp"

#include <fmt/format.h>

namespace sse {

LinesDecoder::LinesDecoder(Sink& sink, const DecoderOptions& options, char end)
    : sink_(sink)
    , options_(options)
    , lines_(options.max_event_bytes, end, options.split_cr && end == '\n')
    , noun_(end == '\n' ? "line" : "event") {
    if (!options_.event.empty()) event_.type = options_.event;
}

void LinesDecoder::read_line(std::string_view line) {
    event_.data = line;
    sink_.on_event(event_);
}

void LinesDecoder::skip_line() {
    sink_.on_skipped(fmt::format("{} {}", noun_, lines_.number()),
                     fmt::format("longer than {} bytes", options_.max_event_bytes));
}

void LinesDecoder::feed(std::string_view bytes) {
    lines_.feed(
        bytes, [this](std::string_view line) { read_line(line); }, [this] { skip_line(); });
}

void LinesDecoder::finish() {
    lines_.finish([this](std::string_view line) { read_line(line); });
}

} // namespace sse
