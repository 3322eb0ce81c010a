// NDJSON bytes in, events out: the format that Ollama and others stream instead of
// text/event-stream. A line is the data of an event; it is not checked to be JSON.
#pragma once

#include "base/line_splitter.hpp"
#include "protocol/parser.hpp"

#include <string>
#include <string_view>

namespace sse {

/// Pushed, like Parser, with the same bound and the same Sink. One thread at a time.
class NdjsonParser {
public:
    explicit NdjsonParser(Parser::Sink& sink, ParserOptions options = {})
        : sink_(sink)
        , options_(options)
        , lines_(options.max_event_bytes) {}

    /// Lines end in LF or CRLF; blank lines are ignored. Throws Error (too_large) as soon as a line
    /// outgrows `max_event_bytes`.
    void feed(std::string_view bytes);
    /// The stream has ended: a last line without its end is an event, too.
    void finish();

private:
    void parse_line(std::string_view line);
    [[noreturn]] void refuse_line() const;

    Parser::Sink& sink_;
    ParserOptions options_;
    LineSplitter lines_;
    std::string decoded_;
};

} // namespace sse
