// Takes the content coding off a body (RFC 9110, 8.4) as it comes: every byte that can be known is
// handed on before the next one is asked for. Bytes only: no I/O.
#pragma once

#include <memory>
#include <string_view>

namespace sse {

/// What Accept-Encoding can ask for: what ContentDecoder::make() knows.
inline constexpr std::string_view known_codings = "gzip, deflate, br";

/// One body. It holds a window (at most 32 KiB; 16 MiB for br) and one piece, however far the body
/// unfolds: who takes the pieces bounds what is kept of them.
class ContentDecoder {
public:
    virtual ~ContentDecoder() = default;

    /// The next piece of the decoded body: a view that dies with the next call. Takes what it can
    /// from the front of `input`; "" when that is used up. Throws Error (receive) where it is
    /// broken.
    virtual std::string_view next(std::string_view& input) = 0;
    /// The body has ended. Throws Error (receive) if the coding has not: it was cut.
    virtual void finish() = 0;

    /// For one of known_codings or x-gzip, in any case; null for anything else. `deflate` is read
    /// with and without zlib's wrapping: servers send both (RFC 9110, 8.4.1.2).
    static std::unique_ptr<ContentDecoder> make(std::string_view coding);
};

} // namespace sse
