// Secrets that clients show: read from a file, kept as digests, compared in constant time. Not a
// policy: what a token allows, Guard says.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// A set of tokens, any of which opens. Keeps their SHA-256 and not the tokens, so that none can
/// get into a log or an error. Immutable once the server runs; any thread.
class Tokens {
public:
    bool empty() const { return digests_.empty(); }
    std::size_t size() const { return digests_.size(); }

    /// Throws Error (invalid_argument), without the token, if it has a byte that no header and no
    /// query can carry plainly: tokens are visible ASCII (RFC 6750, 2.1).
    void add(std::string_view token);
    /// Adds every line of `path`; empty lines and those that begin with # are none. Throws
    /// std::system_error with the path, and Error (bad_input) with its line, or if there is no
    /// token in it at all: an empty file must not open a door. True if the file can be read by
    /// everybody on this machine.
    bool add_file(const std::string& path);

    /// True if `token` is one of them. How long it takes tells nothing about any of them.
    bool holds(std::string_view token) const;

private:
    using Digest = std::array<std::uint8_t, 32>;
    static Digest digest(std::string_view token);

    std::vector<Digest> digests_;
};

} // namespace sse
