// Bodies as files of other programs hold them: in base64 or hexadecimal digits, with the content
// coding of the response or without it.
#pragma once

#include "recording/input.hpp"
#include "recording/record.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace sse {

/// Appends what `text` encodes in base64, with white space anywhere. False if it is not base64.
bool append_loose_base64(std::string_view text, std::string& out);
/// The same for hexadecimal digits.
bool append_hexadecimal(std::string_view text, std::string& out);

/// `body` without the content coding that `fields` name, if it has it: many programs decode the
/// body and keep the field. Of one that is damaged, the part before the damage, and `warn` is
/// called with a line about it. Throws Error (too_large) if it has more than `max_bytes` then.
std::string without_coding(std::string body, const RecordedFields& fields, std::size_t max_bytes,
                           const std::function<void(const std::string&)>& warn);

/// The whole of `input`. Throws Error (too_large) with its name if that has more than `max_bytes`.
std::string whole_text(RecordingInput& input, std::size_t max_bytes);

} // namespace sse
