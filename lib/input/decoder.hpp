// Bytes of an input in, events out: the interface of the formats of `--input`. Not a reader: no
// descriptor.
#pragma once

#include "protocol/event.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sse {

/// How an input marks the end of an event and its fields.
enum class InputFormat {
    lines,  ///< each line is the data of an event
    json,   ///< each line is a JSON object: event, id, data, retry, comment
    sse,    ///< event-stream text
    blocks, ///< lines up to a blank one are the data of an event
    nul,    ///< bytes up to a NUL are the data of an event
};

struct DecoderOptions {
    /// The type of events that have none; "" is `message`.
    std::string event;
    /// InputFormat::lines: a line also ends at a CR, so that each step of a progress bar is an
    /// event. Empty lines that end at a CR are ignored then.
    bool split_cr = false;
    /// Bytes of one event of the input, at most most_event_bytes; a longer one is skipped.
    std::size_t max_event_bytes = 16 * 1024 * 1024;
};

/// Decodes the bytes of one input in order. One thread.
class Decoder {
public:
    class Sink {
    public:
        virtual ~Sink() = default;
        /// What follows, up to the next call, belongs to channel `name`; "" is the default one.
        /// Throws Error (bad_input) if there is no such channel; the decoder then calls
        /// on_skipped().
        virtual void on_channel(std::string_view /*name*/) {}
        /// Throws Error (bad_input) if the event cannot be encoded; the decoder then calls
        /// on_skipped().
        virtual void on_event(const EventView&) = 0;
        virtual void on_comment(std::string_view text) = 0;
        virtual void on_retry(std::chrono::milliseconds) = 0;
        /// Part of the input was skipped: `where` is "line 12" or "event 3", counted from 1. May
        /// throw anything but Error, which ends the decoding.
        virtual void on_skipped(const std::string& where, const std::string& why) = 0;
    };

    virtual ~Decoder() = default;
    /// Throws Error (bad_input, too_large) if the rest of the input cannot be decoded.
    virtual void feed(std::string_view bytes) = 0;
    /// The input has ended: a last line without a line end counts.
    virtual void finish() = 0;

    /// `sink` must outlive the decoder.
    static std::unique_ptr<Decoder> make(InputFormat format, Sink& sink,
                                         const DecoderOptions& options);
};

} // namespace sse
