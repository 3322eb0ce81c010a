// Event-stream text as events: relays the stream of another server.
#pragma once

#include "input/decoder.hpp"
#include "protocol/parser.hpp"

namespace sse {

/// Ids, types, comments and retries are kept. The channel assigns an id to an event without one, as
/// to any other.
class StreamTextDecoder : public Decoder, private Parser::Sink {
public:
    StreamTextDecoder(Decoder::Sink& sink, const DecoderOptions& options);
    void feed(std::string_view bytes) override { parser_.feed(bytes); }
    /// Reports an unfinished block at the end as skipped: the standard discards it.
    void finish() override { parser_.finish(); }

private:
    void on_event(const EventView& event) override;
    void on_comment(std::string_view text) override { sink_.on_comment(text); }
    void on_retry(std::chrono::milliseconds retry) override { sink_.on_retry(retry); }
    void on_warning(ParseWarning warning, std::string_view line) override;
    bool on_too_large() override;

    Decoder::Sink& sink_;
    DecoderOptions options_;
    Parser parser_;
    std::uint64_t events_ = 0;
};

} // namespace sse
