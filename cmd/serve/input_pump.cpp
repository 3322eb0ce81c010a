#include "cmd/serve/input_pump.hpp"

#include "cmd/cli/command.hpp"
#include "input/followed_file.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace cmd {

InputPump::InputPump(std::string name, const PumpOptions& options, sse::Channels& channels,
                     const std::string& channel, std::unique_ptr<TeeInput> copy)
    : name_(std::move(name))
    , options_(options)
    , copy_(std::move(copy))
    , publishers_(channels, channel)
    , decoder_(sse::Decoder::make(options_.format, *this, options_.decoder)) {
    if (!options_.source.empty()) publishers_.keep_until_flush();
}

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
        if (options_.source.empty()) decoder_->feed(bytes);
        else feed_to_places(bytes);
    } catch (...) { // publish the events before the faulty one
        publishers_.flush();
        throw;
    }
    publishers_.flush();
}

/// Feeds the decoder one event after the other, and publishes them together with the place behind
/// the last: after a restart, none is read twice, and none is left out.
void InputPump::feed_to_places(std::string_view bytes) {
    std::size_t fed = 0, ended = 0;
    while (fed < bytes.size()) {
        const auto rest = bytes.substr(fed);
        const auto size = end_of_event(rest);
        decoder_->feed(size == 0 ? rest : rest.substr(0, size));
        if (size == 0) break;
        fed += size;
        ended = fed;
        if (publishers_.current().is_large())
            publishers_.flush(options_.source, place_after(bytes.substr(0, ended)));
    }
    if (ended > 0) publishers_.flush(options_.source, place_after(bytes.substr(0, ended)));
    at_.offset += bytes.size();
    recent_.append(bytes);
    recent_.erase(0, recent_.size() - std::min(recent_.size(), sse::ReadPlace::max_checked));
}

/// The bytes up to the end of the event at the start of `bytes`; 0 if it goes on.
std::size_t InputPump::end_of_event(std::string_view bytes) {
    using Format = sse::InputFormat;
    if (options_.format == Format::nul) return bytes.find('\0') + 1;
    const bool blocks = options_.format == Format::sse || options_.format == Format::blocks;
    if (!blocks && options_.decoder.split_cr) {
        for (auto at = bytes.find_first_of("\r\n"); at != bytes.npos;
             at = bytes.find_first_of("\r\n", at + 1)) {
            if (bytes[at] == '\n') return at + 1;
            if (at + 1 < bytes.size() && bytes[at + 1] != '\n') return at + 1;
        }
        return 0;
    }
    if (!blocks) return bytes.find('\n') + 1;
    for (std::size_t begin = 0; begin < bytes.size();) {
        const auto end = bytes.find('\n', begin);
        const auto line = bytes.substr(begin, end - begin);
        line_empty_ = line_empty_ && line.find_first_not_of('\r') == line.npos;
        if (end == bytes.npos) return 0;
        if (std::exchange(line_empty_, true)) return end + 1;
        begin = end + 1;
    }
    return 0;
}

/// The place behind `read`, the bytes that follow at_.
std::string InputPump::place_after(std::string_view read) const {
    auto at = at_;
    at.offset += read.size();
    constexpr auto most = sse::ReadPlace::max_checked;
    if (read.size() >= most) return sse::ReadPlace::after(at, read).text();
    return sse::ReadPlace::after(at, recent_ + std::string(read)).text();
}

void InputPump::on_break() {
    finish_text();
    recent_.clear();
    line_empty_ = true;
    decoder_ = sse::Decoder::make(options_.format, *this, options_.decoder);
}

void InputPump::finish_text() {
    if (copy_) copy_->finish();
    decoder_->finish();
    if (options_.source.empty()) publishers_.flush();
    else publishers_.flush(options_.source, place_after({}));
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
