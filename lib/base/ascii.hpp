// ASCII letters, whatever the locale: field names, schemes and host names are compared in them.
#pragma once

namespace sse {

/// `c` as a lowercase letter if it is one of A to Z, else `c` itself.
constexpr char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

} // namespace sse
