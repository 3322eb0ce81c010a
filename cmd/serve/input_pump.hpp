// One input of `sse serve`: decodes its bytes and publishes the events. It owns no
// thread and no descriptor.
#pragma once

#include "cmd/serve/tee.hpp"
#include "hub/publishers.hpp"
#include "input/byte_source.hpp"
#include "input/decoder.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace cmd {

struct PumpOptions {
    sse::InputFormat format = sse::InputFormat::lines;
    sse::DecoderOptions decoder;
    /// Invalid input ends the run instead of being skipped.
    bool strict = false;
    /// Events may name their channel.
    bool channels = false;
    /// The input's name in a store, where its place is kept with its events; "": it is not kept.
    std::string source;
    /// Warnings per input; further ones are counted and reported in one line.
    std::uint64_t max_warnings = 100;
};

/// Used on one thread.
class InputPump : private sse::ByteSource::Sink, private sse::Decoder::Sink {
public:
    /// `name` is that of the input in messages. Events that name no channel go to `channel`. `copy`
    /// receives every piece of the input before it is decoded; it may be nullptr.
    InputPump(std::string name, const PumpOptions& options, sse::Channels& channels,
              const std::string& channel, std::unique_ptr<TeeInput> copy);

    /// Receives the bytes of the input. Throws Failure for invalid input with `strict`, sse::Error
    /// for input that cannot be decoded any further.
    sse::ByteSource::Sink& sink() { return *this; }
    /// The input has ended, or was stopped (`whole` is false then): publishes the last events.
    void finish(bool whole);

private:
    void on_bytes(std::string_view bytes) override;
    void on_place(const sse::FilePlace& place) override { at_ = place; }
    void on_break() override;
    void on_note(const std::string& text) override;

    void on_channel(std::string_view name) override;
    void on_event(const sse::EventView& event) override { publishers_.current().add(event); }
    void on_comment(std::string_view text) override { publishers_.current().add_comment(text); }
    void on_retry(std::chrono::milliseconds retry) override {
        publishers_.current().add_retry(retry);
    }
    void on_skipped(const std::string& where, const std::string& why) override;

    void finish_text();
    void feed_to_places(std::string_view bytes);
    std::size_t end_of_event(std::string_view bytes);
    std::string place_after(std::string_view read) const;

    std::string name_;
    PumpOptions options_;
    std::unique_ptr<TeeInput> copy_;
    sse::Publishers publishers_;
    std::unique_ptr<sse::Decoder> decoder_;
    std::uint64_t skipped_ = 0;

    // Of an input whose place is kept:
    sse::FilePlace at_;      ///< of the next byte
    std::string recent_;     ///< the bytes before it, at most those that a place is checked with
    bool line_empty_ = true; ///< the line that it is in has no byte but CR
};

} // namespace cmd
