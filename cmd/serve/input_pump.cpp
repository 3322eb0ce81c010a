#include "cmd/serve/input_pump.hpp"

#include "cmd/cli/command.hpp"

#include <fmt/format.h>
#include <utility>

namespace cmd {

InputPump::InputPump(std::string name, const PumpOptions& options, sse::Channels& channels,
                     const std::string& channel, std::unique_ptr<TeeInput> copy)
    : name_(std::move(name))
    , options_(options)
    , copy_(std::move(copy))
    , publishers_(channels, channel)
    , decoder_(sse::Decoder::make(options_.format, *this, options_.decoder)) {}

void InputPump::finish(bool whole) {
    if (whole) finish_text();
    publishers_.flush();
    if (skipped_ > options_.max_warnings) {
        warn(fmt::format("skipped {} more of {}", skipped_ - options_.max_warnings, name_));
    }
}

void InputPump::on_bytes(std::string_view bytes) {
    if (copy_) copy_->write(bytes);
    try {
        decoder_->feed(bytes);
    } catch (...) { // publish the events before the faulty one
        publishers_.flush();
        throw;
    }
    publishers_.flush();
}

void InputPump::on_break() {
    finish_text();
    decoder_ = sse::Decoder::make(options_.format, *this, options_.decoder);
}

void InputPump::finish_text() {
    if (copy_) copy_->finish();
    decoder_->finish();
    publishers_.flush();
}

void InputPump::on_channel(std::string_view name) {
    if (!options_.channels && !name.empty()) {
        throw sse::Error(sse::Errc::bad_input, "the event names a channel, which needs --channels");
    }
    publishers_.select(name);
}

void InputPump::on_note(const std::string& text) { note(text); }

void InputPump::on_skipped(const std::string& where, const std::string& why) {
    if (options_.strict) {
        throw Failure(Exit::bad_input, fmt::format("{} of {}: {}", where, name_, why),
                      "remove --strict to skip invalid input and serve the rest");
    }
    if (++skipped_ <= options_.max_warnings)
        warn(fmt::format("skipped {} of {}: {}", where, name_, why));
}

} // namespace cmd
