// Secrets that clients present: read from a file, kept as digests, compared in constant time. Not a
// policy: the guard decides what a token allows.
#pragma once

#include "base/open_file.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// A set of tokens, each of which is accepted. Keeps their SHA-256 and not the tokens, so that none
/// can get into a log or an error. Once the server runs, replace() and the const members
/// may be called on any thread.
class Tokens {
public:
    Tokens() = default;
    Tokens(const Tokens& other)
        : digests_(other.digests()) {}
    Tokens& operator=(const Tokens& other) {
        replace(other);
        return *this;
    }
    ~Tokens() = default;

    bool empty() const { return digests()->empty(); }
    std::size_t size() const { return digests()->size(); }

    /// Throws Error (invalid_argument), without the token, unless it is visible ASCII (RFC 6750,
    /// 2.1), which headers and queries can carry.
    void add(std::string_view token);
    /// Adds every line of `path` but empty ones and those that begin with #. Throws
    /// std::system_error with the path, and Error (bad_input) with the line, or if the file has no
    /// token: it would protect nothing. True if every user of this machine can read the file.
    /// `open` opens it, see OpenFile.
    bool add_file(const std::string& path, const OpenFile& open = {});

    /// Becomes a copy of `other`.
    void replace(const Tokens& other) { set(other.digests()); }

    /// True if `token` is one of them. The time it takes does not depend on them.
    bool holds(std::string_view token) const;

private:
    using Digest = std::array<std::uint8_t, 32>;
    using Digests = std::vector<Digest>;
    static Digest digest(std::string_view token);
    std::shared_ptr<const Digests> digests() const {
        const std::lock_guard lock(mutex_);
        return digests_;
    }
    void set(std::shared_ptr<const Digests> digests) {
        const std::lock_guard lock(mutex_);
        digests_.swap(digests);
    }

    // Not std::atomic<std::shared_ptr>, which libc++ does not have.
    mutable std::mutex mutex_; ///< guards the pointer
    std::shared_ptr<const Digests> digests_ = std::make_shared<const Digests>();
};

} // namespace sse
