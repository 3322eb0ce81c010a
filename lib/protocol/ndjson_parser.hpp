// JSON lines in, events out: what Ollama and its friends stream instead of text/event-stream. A
// line is the data of an event; whether it is JSON is not looked at.
#pragma once

#include "protocol/parser.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace sse {

/// Pushed, like Parser, with the same bound and the same Sink.
class JsonLines {
public:
    explicit JsonLines(Parser::Sink& sink, ParserOptions options = {})
        : sink_(sink)
        , options_(options) {}

    /// Lines end in LF or CRLF; blank ones are nothing. Throws Error (too_large).
    void feed(std::string_view bytes);
    /// The stream has ended: a last line without its end is an event too.
    void finish();

private:
    void take(std::string_view line);
    void check_bound(std::size_t size) const;

    Parser::Sink& sink_;
    ParserOptions options_;
    std::string line_, decoded_;
};

} // namespace sse
