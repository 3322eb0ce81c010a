#include "input/json_events.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

namespace sse {

JsonLinesDecoder::JsonLinesDecoder(Sink& sink, const DecoderOptions& options)
    : sink_(sink)
    , options_(options)
    , lines_(options.max_event_bytes) {}

void JsonLinesDecoder::read_line(std::string_view text) {
    if (text.find_first_not_of(" \t") == text.npos) return;
    try {
        auto line = reader_.read(text);
        if (line.channel || named_) sink_.on_channel(line.channel.value_or(""));
        named_ = line.channel.has_value();
        if (line.retry) sink_.on_retry(*line.retry);
        if (line.comment) sink_.on_comment(*line.comment);
        if (line.event.type.empty())
            line.event.type = options_.event.empty() ? std::string_view("message") : options_.event;
        if (line.has_data) sink_.on_event(line.event);
    } catch (const Error& e) {
        skip(e.what());
    }
}

void JsonLinesDecoder::skip(const std::string& why) {
    sink_.on_skipped(fmt::format("line {}", lines_.number()), why);
}

void JsonLinesDecoder::skip_long() {
    skip(fmt::format("longer than {} bytes", options_.max_event_bytes));
}

void JsonLinesDecoder::feed(std::string_view bytes) {
    lines_.feed(
        bytes, [this](std::string_view line) { read_line(line); }, [this] { skip_long(); });
}

void JsonLinesDecoder::finish() {
    lines_.finish([this](std::string_view line) { read_line(line); });
}

} // namespace sse
