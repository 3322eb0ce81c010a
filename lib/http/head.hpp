// The head of an HTTP/1 message: its first line and its fields, undecoded. Field values are read
// here and not by cpp-httplib, which percent-decodes them (`%0d%0a` becomes a line end).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// Compares names without case (RFC 9110, 5.1), ASCII only.
bool same_name(std::string_view a, std::string_view b);
/// True for a token (RFC 9110, 5.6.2), the form of field names and methods.
bool is_token(std::string_view text);
bool is_token_char(char c);

/// A parsed head; owns its bytes.
class Head {
public:
    struct Field {
        std::string name, value; ///< the value without the white space around it
    };

    /// Parses the bytes of a head, up to and with its empty line. Strict (RFC 9112, 2.2 and 5):
    /// lines end in CRLF, a name is a token with its colon right behind it, a value has no control
    /// byte but HTAB, no line is folded. Throws Error (bad_input) that names the line.
    static Head parse(std::string_view bytes);

    const std::string& start_line() const { return start_line_; }
    const std::vector<Field>& fields() const { return fields_; }
    /// The first field of that name.
    std::optional<std::string_view> find(std::string_view name) const;
    std::size_t count(std::string_view name) const;
    /// The members of the comma-separated lists in all fields of that name, in order and without
    /// empty ones (RFC 9110, 5.6.1). A comma in a quoted string is not told from others.
    std::vector<std::string_view> members(std::string_view name) const;
    /// True if `token` is one of members().
    bool has_token(std::string_view name, std::string_view token) const;

private:
    std::string start_line_;
    std::vector<Field> fields_;
};

/// A field to write; views of the caller's texts.
struct FieldView {
    std::string_view name, value;
};

/// The bytes of a head, with its empty line. The fields are sorted by name, without case; those of
/// one name keep their order. A field with CR, LF or NUL in it is left out: it would be read as
/// two.
std::string write_head(std::string_view start_line, std::vector<FieldView> fields);

} // namespace sse
