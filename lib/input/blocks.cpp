#include "input/blocks.hpp"

#include <fmt/format.h>

namespace sse {

BlocksDecoder::BlocksDecoder(Sink& sink, const DecoderOptions& options)
    : sink_(sink)
    , options_(options)
    , lines_(options.max_event_bytes) {
    if (!options_.event.empty()) event_.type = options_.event;
}

void BlocksDecoder::read_line(std::string_view line) {
    if (line.empty()) return end_block();
    if (first_ == 0) first_ = lines_.number();
    else if (!too_long_) block_.push_back('\n');
    if (block_.size() + line.size() > options_.max_event_bytes) drop_block();
    else if (!too_long_) block_.append(line);
}

void BlocksDecoder::drop_block() {
    if (first_ == 0) first_ = lines_.number();
    too_long_ = true;
    block_.clear();
}

void BlocksDecoder::end_block() {
    if (first_ == 0) return;
    if (too_long_) {
        sink_.on_skipped(fmt::format("the block at line {}", first_),
                         fmt::format("longer than {} bytes", options_.max_event_bytes));
    } else {
        event_.data = block_;
        sink_.on_event(event_);
    }
    block_.clear();
    first_ = 0;
    too_long_ = false;
}

void BlocksDecoder::feed(std::string_view bytes) {
    lines_.feed(
        bytes, [this](std::string_view line) { read_line(line); }, [this] { drop_block(); });
}

void BlocksDecoder::finish() {
    lines_.finish([this](std::string_view line) { read_line(line); });
    end_block();
}

} // namespace sse
