// Decodes the content coding of a body (RFC 9110, 8.4) as it arrives: every byte that can be known
// is handed on before more input is needed. No I/O.
#pragma once

#include <memory>
#include <string_view>

namespace sse {

/// The codings of ContentDecoder::make(), as Accept-Encoding lists them.
inline constexpr std::string_view known_codings = "gzip, deflate, br";

/// True for the content codings and compressing transfer codings that IANA lists, and those in wide
/// use, but `identity`. Servers put other names there that transform nothing: `none`, `utf-8`.
bool is_registered_coding(std::string_view name);

/// Decodes one body. Holds a window (at most 32 KiB; 16 MiB for br) and one piece of output,
/// however large the decoded body is: the caller bounds what it keeps.
class ContentDecoder {
public:
    virtual ~ContentDecoder() = default;

    /// The next piece of the decoded body, a view that is valid until the next call. Consumes bytes
    /// from the front of `input`; "" when it needs more. Throws Error (receive) where the body is
    /// damaged, after everything that was decoded before, however the input is cut.
    virtual std::string_view next(std::string_view& input) = 0;
    /// The body has ended. Throws Error (receive) if it was cut.
    virtual void finish() = 0;

    /// For one of known_codings or x-gzip, in any case; null for others. `deflate` is read with and
    /// without zlib's wrapping: servers send both (RFC 9110, 8.4.1.2).
    static std::unique_ptr<ContentDecoder> make(std::string_view coding);
};

} // namespace sse
