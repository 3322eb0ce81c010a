// text/event-stream bytes in, events out, by the rules of RULES.md. Not a client: no socket, no
// clock, no thread, so that strings can test it and every command can use it.
#pragma once

#include "protocol/event.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sse {

struct ParserOptions {
    /// Bytes of one event (its fields and the line being read): bounds the memory that a hostile or
    /// broken stream can use. LLM APIs send single events of over 1 MiB. At most most_event_bytes.
    std::size_t max_event_bytes = 16 * 1024 * 1024;
};

/// Things that the standard has a parser ignore, and that help to debug a stream.
enum class ParseWarning : std::uint8_t {
    unknown_field,    ///< a field other than data, event, id and retry
    bad_retry,        ///< `retry` with anything but ASCII digits
    nul_in_id,        ///< `id` with U+0000
    invalid_utf8,     ///< decoded with U+FFFD
    unfinished_block, ///< the stream ended inside a block without data, which is discarded
    unfinished_event, ///< the same with data: an event is lost
};
inline constexpr std::size_t parse_warning_count =
    static_cast<std::size_t>(ParseWarning::unfinished_event) + 1;
std::string_view to_string(ParseWarning warning);

/// Turns the bytes of one stream into events, each handed on at its blank line (HTML 9.2.6).
/// Gives the same events however the bytes are cut, in linear time. One thread at a time.
class Parser {
public:
    /// Receives the contents of the stream in order. Views are valid during the call.
    class Sink {
    public:
        virtual ~Sink() = default;
        virtual void on_event(const EventView&) = 0;
        /// A block with an id and no data: no event, but the last event ID changed.
        virtual void on_id(std::string_view) {}
        /// All that follows the colon, the leading space included.
        virtual void on_comment(std::string_view) {}
        /// A valid `retry`, clamped to `max_retry`.
        virtual void on_retry(std::chrono::milliseconds) {}
        virtual void on_warning(ParseWarning, std::string_view /*line*/) {}
        /// An event has outgrown `max_event_bytes`. True: the rest of it, up to its blank line, is
        /// skipped, and feed() does not throw.
        virtual bool on_too_large() { return false; }
    };

    /// `retry` may have any number of digits; above this (24 days) it is read as this.
    static constexpr std::chrono::milliseconds max_retry{2'147'483'647};

    /// `sink` must outlive the parser. It is told every change of the last event ID, which outlives
    /// connections and so is not kept here (RULES.md, 44).
    explicit Parser(Sink& sink, ParserOptions options = {});

    /// Throws Error (too_large) once an event outgrows `max_event_bytes`, unless the sink skips it,
    /// after the events before it have been dispatched; start again with a new Parser.
    void feed(std::string_view bytes);
    /// The stream has ended: an unfinished block is discarded, with a warning to the sink.
    void finish();

private:
    /// A field's value: a view into the bytes being fed, until the feed ends or a second line
    /// joins it; from then on a copy.
    struct Value {
        std::string_view view;
        std::string copy;
        std::size_t size = 0;
        bool set = false, copied = false;

        std::string_view get() const { return copied ? std::string_view(copy) : view; }
        void assign(std::string_view value) {
            view = value, size = value.size();
            set = true, copied = false;
        }
        void keep();
        void append_line(std::string_view value);
        void clear() { set = false, size = 0; }
    };

    std::string_view skip_bom(std::string_view bytes);
    void feed_slice(std::string_view bytes);
    void finish_line(std::string_view piece);
    void parse_line(std::string_view line);
    void set_id(std::string_view value, std::string_view line);
    void set_retry(std::string_view value, std::string_view line);
    void dispatch();
    std::string_view decoded(const Value& value, std::string& buffer);
    std::string_view decoded(std::string_view bytes, bool valid, std::string& buffer);
    bool fits(std::size_t line_bytes);
    void skip_event();

    Sink& sink_;
    ParserOptions options_;
    std::string line_; ///< the unfinished line of earlier feeds
    Value data_, type_, id_;
    std::string decoded_data_, decoded_type_, decoded_id_;
    bool skip_lf_ = false;      ///< the last feed ended in CR: an LF now belongs to it
    bool valid_slice_ = false;  ///< all the bytes of this slice are known to be UTF-8
    bool in_block_ = false;     ///< a line has been read since the last blank one
    bool skipping_ = false;     ///< the rest of an event that is too large
    std::uint8_t bom_seen_ = 0; ///< bytes of a leading BOM read; 3 once past the start
};

} // namespace sse
