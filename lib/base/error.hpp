// What the library throws: one line of text for a person, one code for a machine. It carries no
// hint and no exit status; those are the command's to choose.
#pragma once

#include <stdexcept>
#include <string>

namespace sse {

/// Why something failed, as far as a caller may want to act on it.
enum class Errc {
    invalid_argument, ///< a value given by the user cannot be used
    bad_input,        ///< bytes that are not what they should be: a recording, a line, an event
    too_large,        ///< a bound of an options struct was passed
    io,               ///< a file or descriptor failed
    resolve,          ///< a host name has no address
    connect,          ///< nobody accepts there
    http_status,      ///< an answer with another status, or not an event stream
    timeout,          ///< a time of an options struct was passed
    tls_handshake,    ///< TLS could not be agreed on
    tls_verify,       ///< the peer's certificate is not trusted
    receive,          ///< the connection broke, or its framing did
};

/// A failure. `what()` says what and where in one lowercase line without a full stop.
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
