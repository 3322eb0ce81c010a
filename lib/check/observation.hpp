// The observations of `sse check` about a server: plain data, from which verdicts are computed. No
// I/O.
#pragma once

#include "http/head.hpp"
#include "http/response_framing.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse::checks {

/// Seconds since the start of the whole check.
using Time = double;

/// One event, without its data.
struct SeenEvent {
    Time at = 0; ///< when its last byte arrived: the kernel's time where there is one
    std::optional<std::string> id;
    std::uint64_t hash = 0; ///< of type and data
    /// A time in its ID or data, in seconds since 1970: when the event was created.
    std::optional<double> stamp;
    bool says_done = false; ///< its data is [DONE], with which APIs of language models end
};

/// A part of the body: the bytes of one chunk that one read returned.
struct Piece {
    Time at = 0;
    std::size_t bytes = 0;
    bool ends_chunk = false;   ///< the chunk ends here (chunked framing, before decoding)
    bool inside_event = false; ///< the bytes so far end within an event
};

/// A line of the stream that breaks a rule of the format.
struct BadLine {
    std::size_t number = 0; ///< 1 is the first
    std::string text;       ///< its start, safe to print
};

/// Findings about the format, each with the lines where it occurred (at most `max_lines`).
struct FormatNotes {
    static constexpr std::size_t max_lines = 5;
    std::vector<BadLine> unknown_fields, misspelt_fields, without_data, nul_ids, bad_retries,
        invalid_utf8, doubled, large, byte_order_marks;
    std::optional<std::uint64_t> retry_ms; ///< the last valid one
    std::uint64_t data_lines = 0;
    bool unfinished_event = false; ///< the body ended within an event that has data
};

/// How an exchange ended.
enum class Ending : std::uint8_t {
    none,     ///< the request was not made
    stopped,  ///< by `sse check`, while the stream was open
    complete, ///< the framing of the body marked its end
    closed,   ///< the connection was closed, which ends a body without framing
    cut,      ///< the connection was closed before the body was complete
    reset,    ///< the connection was reset
    silent,   ///< no head arrived in time
    refused,  ///< the connection was closed without a head
    failed,   ///< the connection failed, or the response is not HTTP
};

/// The requests that are made.
enum class Probe : std::uint8_t {
    main,       ///< as a browser makes it, uncompressed
    second,     ///< again, with the cookies of `main`; closed at its head
    compressed, ///< with Accept-Encoding: gzip
    any_type,   ///< with Accept: */*
    head,       ///< HEAD
    resumed,    ///< with the ID of an earlier event, after which others are known
    again,      ///< after a clean end: reconnects as a browser does
    preflight,  ///< OPTIONS, as a browser makes it for a page of another origin
    direct,     ///< `main` at the URL of --direct
};
inline constexpr std::size_t probe_count = static_cast<std::size_t>(Probe::direct) + 1;
std::string_view to_string(Probe probe);

/// One request with its response.
struct Exchange {
    Ending ending = Ending::none;
    Time started = 0, ended = 0;
    /// Times of the connection, the head and the first byte of the body.
    std::optional<Time> connected, head, first_body;
    std::string failure; ///< the reason if it failed or broke; one line
    int status = 0;
    std::string version; ///< HTTP/1.1
    std::vector<Head::Field> fields;
    BodyFraming framing = BodyFraming::none;
    double wall_at_head = 0; ///< seconds since 1970 when the head arrived
    std::string body_start;
    std::uint64_t body_bytes = 0;
    std::vector<Piece> pieces;
    std::vector<SeenEvent> events;
    std::vector<Time> comments;
    FormatNotes format;
    bool sent_cookie = false;

    bool made() const { return ending != Ending::none; }
    bool has_head() const { return head.has_value(); }
    /// The value of a field; "" if there is none.
    std::string_view field(std::string_view name) const;
    /// The time from the connection, or else from the start, to the head. Only if has_head().
    Time latency() const { return *head - connected.value_or(started); }
    /// True if the response is an event stream: status 200 and text/event-stream.
    bool is_stream() const;
};

/// Observations about TLS.
struct TlsSeen {
    std::string problem;                 ///< why the certificate is not trusted; "" if it is
    std::optional<double> days_left;     ///< of the certificate
    std::optional<std::string> protocol; ///< the server's choice of h2 and http/1.1; "" for none
    std::string version;                 ///< TLSv1.3
};

/// An event that was sent with --trigger or --publish.
struct Triggered {
    Time sent = 0;
    std::optional<Time> arrived;
    std::string failure; ///< it could not be sent
};

struct Observations {
    std::string url;       ///< as shown
    double wall_start = 0; ///< seconds since 1970 at time 0
    Time duration = 0;     ///< how long the stream was watched
    /// Maximum time by which this program woke up late, because the machine was busy.
    Time late = 0;
    bool repeatable = true;  ///< a GET without data, which can be made several times
    bool single = false;     ///< only one request was allowed
    bool long_watch = false; ///< --long
    std::string origin;      ///< of --origin
    bool credentials = false;
    std::array<Exchange, probe_count> exchanges;
    /// The ID that `resumed` sent: the index of its event in the events of `main`.
    std::optional<std::size_t> resumed_after;
    std::optional<TlsSeen> tls; ///< nullopt: http
    std::vector<Triggered> triggered;

    Exchange& of(Probe probe) { return exchanges[static_cast<std::size_t>(probe)]; }
    const Exchange& of(Probe probe) const { return exchanges[static_cast<std::size_t>(probe)]; }
    const Exchange& main() const { return of(Probe::main); }
};

} // namespace sse::checks
