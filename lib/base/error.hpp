// The exception of the library: one line of text for a person, a code and a reason for the program.
// It carries no hint and no exit status; the commands choose those.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace sse {

/// The kind of a failure: decides the exit status, and whether a client tries again.
enum class Errc {
    invalid_argument, ///< a value given by the user cannot be used
    bad_input,        ///< malformed bytes: a recording, a line, an event
    too_large,        ///< a size limit of an options struct was exceeded
    io,               ///< a file or descriptor failed
    resolve,          ///< a host name has no address
    connect,          ///< no connection to the host
    http_status,      ///< a response with another status, or no event stream
    timeout,          ///< a time limit of an options struct was exceeded
    tls_handshake,    ///< the TLS handshake failed
    tls_verify,       ///< the peer's certificate is not trusted
    receive,          ///< the connection broke, or its framing did
};

/// What exactly failed, where a hint or a decision depends on it. Text of `what()` is for people
/// only: nothing in the program searches it.
enum class Reason : std::uint8_t {
    unspecified, ///< the code says enough
    // connections
    connection_refused,        ///< the host is there, and no server listens on the port or path
    proxy,                     ///< on the way to a proxy
    not_an_address,            ///< the address that was given for a host name is none
    certificate_name,          ///< the peer's certificate is for another host
    certificate_without_names, ///< it names hosts in its common name only (RFC 9525)
    certificate_dates,         ///< it has expired, or is not valid yet
    certificate_issuer,        ///< anything else that is wrong with it
    client_certificate,        ///< the server refused the client's certificate, or its absence
    connection_closed,         ///< the server closed the connection without a response
    // HTTP responses
    not_http,            ///< the first bytes are not HTTP/1
    http2_only,          ///< the server speaks HTTP/2 alone
    head_too_large,      ///< the head exceeds its limit
    bad_framing,         ///< Transfer-Encoding or Content-Length cannot be used
    chunked_twice,       ///< Transfer-Encoding names chunked twice
    bad_coding,          ///< the compressed body is damaged or cut
    redirect,            ///< too many redirects, or a Location that cannot be followed
    credentials_dropped, ///< refused after a redirect to another origin, which got no credentials
    json_lines,          ///< the body looks like JSON lines
    // recordings
    write_failed,        ///< a recording or its copy could not be written
    no_recording,        ///< a directory without recordings
    not_a_recording,     ///< the file has another format
    empty_recording,     ///< the file has no bytes, or only half of its first line
    newer_version,       ///< the recording's version is not known here
    har_without_events,  ///< a HAR file that cannot be read, or has no event stream
    cannot_follow,       ///< the file is of a kind that cannot be read while it grows
    truncated_meanwhile, ///< the file became shorter while it was read
    id_not_found,        ///< no record has the id of --from or --to
    empty_range,         ///< --to lies before --from
    empty_lap,           ///< a lap of --loop sends nothing
    playback_too_long,   ///< times of the playback are too large to be represented
};

/// A failure. `what()` is one lowercase line without a full stop: the action that failed, its
/// object and the reason.
class Error : public std::runtime_error {
public:
    Error(Errc code, const std::string& what, Reason reason = Reason::unspecified)
        : std::runtime_error(what)
        , code_(code)
        , reason_(reason) {}
    Errc code() const { return code_; }
    Reason reason() const { return reason_; }

private:
    Errc code_;
    Reason reason_;
};

} // namespace sse
