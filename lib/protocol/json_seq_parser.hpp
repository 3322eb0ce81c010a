// Parses JSON text sequences (RFC 7464) into events. Each element is the data of one event; it is
// not checked to be JSON.
#pragma once

#include "protocol/parser.hpp"

#include <string>
#include <string_view>

namespace sse {

/// Push parser with the same sink and bound as Parser. An element is passed on when the next one
/// starts, or at the end. One thread at a time.
class JsonSeqParser {
public:
    explicit JsonSeqParser(Parser::Sink& sink, ParserOptions options = {})
        : sink_(sink)
        , options_(options) {}

    /// Elements begin with RS (U+001E) and end in LF. Text before the first RS is ignored, and so
    /// are empty elements. Throws Error (too_large).
    void feed(std::string_view bytes);
    /// The stream has ended.
    void finish();

private:
    Parser::Sink& sink_;
    ParserOptions options_;
    std::string element_, decoded_;
    bool started_ = false; ///< an RS has been read
};

} // namespace sse
