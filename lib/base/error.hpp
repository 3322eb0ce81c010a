// The exception of the library: one line of text for a person, one code for the program. It carries
// no hint and no exit status; the commands choose those.
#pragma once

#include <stdexcept>
#include <string>

namespace sse {

/// The reason of a failure, as far as callers act on it.
enum class Errc {
    invalid_argument, ///< a value given by the user cannot be used
    bad_input,        ///< a recording, a line or an event is malformed
    too_large,        ///< a limit of an options struct was exceeded
    io,               ///< a file or descriptor failed
    resolve,          ///< a host name has no address
    connect,          ///< the connection was refused, or no address is reachable
    http_status,      ///< a response with an unexpected status or media type
    timeout,          ///< a time limit of an options struct was exceeded
    tls_handshake,    ///< the TLS handshake failed
    tls_verify,       ///< the peer's certificate is not trusted
    receive,          ///< the connection broke, or its framing is invalid
};

/// A failure. `what()` is one lowercase line without a full stop: the action that failed, its
/// object and the reason.
class Error : public std::runtime_error {
public:
    Error(Errc code, const std::string& what)
        : std::runtime_error(what)
        , code_(code) {}
    Errc code() const { return code_; }

private:
    Errc code_;
};

} // namespace sse
