// Strings of JSON text (RFC 8259, 7) decoded, and halves of surrogate pairs put together. A JSON
// string may hold one half of a pair by itself (\ud83d); a stream of texts may hold the other half
// in the next one.
#pragma once

#include <string>
#include <string_view>

namespace sse {

/// Appends the text of `json`, a JSON string with its quotes. A half of a surrogate pair without
/// the other one becomes the three bytes that UTF-8's scheme gives its number, which
/// SurrogateJoiner replaces. False, with `out` incomplete, if `json` is not a string.
bool append_json_text(std::string_view json, std::string& out);

/// Makes UTF-8 of texts of append_json_text(): halves of a surrogate pair that meet, also over two
/// texts, are joined; any other half becomes U+FFFD.
class SurrogateJoiner {
public:
    /// Appends `text`, except for a first half at its end, which waits for the next text. Nothing
    /// waits while `text` is empty.
    void append(std::string_view text, std::string& out);
    /// No text follows: a half that waits becomes U+FFFD.
    void finish(std::string& out);
    /// True while a half waits.
    bool is_waiting() const { return high_ != 0; }

private:
    char16_t high_ = 0; ///< the half that waits; 0: none
};

} // namespace sse
