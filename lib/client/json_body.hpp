// A JSON response in the place of a stream, as events. MCP servers answer a POST with one or the
// other (Streamable HTTP, "Sending Messages to the Server").
#pragma once

#include "protocol/ndjson_parser.hpp"
#include "protocol/parser.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace sse {

/// Collects a JSON document, and makes it the data of one event at its end. A body that turns out
/// to be JSON lines under the type of JSON is read as such, a line an event, as it arrives. Same
/// bound and same Sink as Parser.
class JsonBody {
public:
    explicit JsonBody(Parser::Sink& sink, ParserOptions options = {})
        : sink_(sink)
        , options_(options)
        , lines_(sink, options) {}

    /// Throws Error (too_large).
    void feed(std::string_view bytes);
    /// The body has ended. No event for a blank one.
    void finish();

private:
    Parser::Sink& sink_;
    ParserOptions options_;
    NdjsonParser lines_;
    std::string text_;                         ///< without the blanks before it
    std::size_t scanned_ = 0;                  ///< bytes of it that were searched for a line end
    std::size_t line_end_ = std::string::npos; ///< of the first line
    enum class Kind : char { unknown, document, lines };
    Kind kind_ = Kind::unknown;
};

/// True if the first line of `text` is a whole JSON object or array, and another one follows; or
/// may follow, unless `complete` says that this is all.
bool begins_with_json_line(std::string_view text, bool complete);

} // namespace sse
