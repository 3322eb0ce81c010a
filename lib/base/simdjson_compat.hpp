// What differs between the versions of simdjson that this compiles with: Debian 12's 3.0.1 to 4.6.
// For the sources that include simdjson.h.
#pragma once

namespace sse {

/// True if simdjson could not read a number: it is malformed, or larger than any type. Since 3.7.1,
/// an integer of more than 64 bits has an error of its own. Code is simdjson::error_code.
template <class Code>
bool is_number_error(Code error) {
    if constexpr (requires { Code::BIGINT_ERROR; }) {
        if (error == Code::BIGINT_ERROR) return true;
    }
    return error == Code::NUMBER_ERROR;
}

} // namespace sse
