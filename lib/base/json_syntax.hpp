// Whether a text is JSON (RFC 8259), whatever the size of its numbers. Not a reader: gives no
// values.
#pragma once

#include <memory>
#include <string>

namespace sse {

/// Keeps its memory from text to text. One thread.
class JsonSyntax {
public:
    JsonSyntax();
    ~JsonSyntax();

    /// nullptr if `text` is one JSON value, or else why it is not, as `not JSON: ...`. Fastest if
    /// the capacity of `text` is 64 bytes more than its size. Takes linear time.
    const char* error(const std::string& text);

private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

} // namespace sse
