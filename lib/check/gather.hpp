// Makes the requests of a check, several at a time, and gathers the observations.
#pragma once

#include "base/interrupt.hpp"
#include "check/observation.hpp"
#include "client/client_options.hpp"
#include "http/url.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace sse::checks {

struct GatherOptions {
    /// The main request. Its method and body determine whether other requests may be made.
    ClientOptions client;
    /// Maximum time for which the stream is watched; less if everything is decided earlier.
    std::chrono::milliseconds time{12'000};
    /// Connections at a time. Five would occupy all workers of a small server.
    unsigned max_connections = 3;
    /// Make one request only.
    bool single = false;
    bool long_watch = false;
    std::string origin; ///< sent as Origin; "" for none
    bool credentials = false;
    std::optional<Url> direct; ///< watched at the same time as the main URL
    /// Makes the server send an event that contains the token. Returns why that failed; "" if it
    /// succeeded. Called on a thread of its own.
    std::function<std::string(const std::string& token)> trigger;
};

/// For a progress line; read on any thread.
struct Progress {
    std::atomic<std::size_t> events{0}, connections{0};
    std::atomic<bool> head{false};
};

/// Watches the server until everything is decided, the time is over, or `interrupt` is raised.
/// Throws the Error of the main request if it could not reach the server: resolve, connect,
/// tls_handshake, or a response that is not HTTP.
Observations gather(const GatherOptions& options, Interrupt& interrupt, Progress& progress);

} // namespace sse::checks
