// Numbers in JSON text (RFC 8259, 6) as they are written: of any size and with every digit, which
// no number type holds.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// The length of the number that `text` begins with, 0 if there is none.
std::size_t json_number_size(std::string_view text);

/// Appends `number` in the one way in which all numbers of its value are written: `1`, `1.0` and
/// `1e0` give `1`. Exact, except that exponents of more than 17 digits are compared as text.
void append_canonical_number(std::string_view number, std::string& out);

/// Appends to `out` the JSON `text` with the n-th number, counted from 0, replaced by n, and to
/// `numbers` the numbers as they stand there: views into `text`. What remains can be parsed without
/// a bound on numbers. False if a number is malformed; `out` and `numbers` are incomplete then.
/// Takes linear time.
bool index_json_numbers(std::string_view text, std::string& out,
                        std::vector<std::string_view>& numbers);

} // namespace sse
