// Makes the requests of a check, several at a time, and gathers what is seen.
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
    /// Of the main request. Its method and body decide whether others may be made.
    ClientOptions client;
    /// How long the stream is watched at most; less if everything is decided before.
    std::chrono::milliseconds time{12'000};
    /// Connections at a time. Small pools of servers are emptied by five.
    unsigned max_connections = 3;
    /// Make one request only.
    bool single = false;
    bool long_watch = false;
    std::string origin; ///< sent as Origin; "" for none
    bool credentials = false;
    std::optional<Url> direct; ///< watched at the same time as the main URL
    /// Has the server send an event that contains the token; returns why it could not, "" if it
    /// could. Called on a thread of its own.
    std::function<std::string(const std::string& token)> trigger;
};

/// For a progress line; read on any thread.
struct Progress {
    std::atomic<std::size_t> events{0}, connections{0};
    std::atomic<bool> head{false};
};

/// Watches the server until everything is decided, the time is over, or `interrupt` is raised.
/// Throws the Error that kept it from reaching the server at all: resolve, connect, tls_handshake,
/// or a response that is no HTTP.
Observations gather(const GatherOptions& options, Interrupt& interrupt, Progress& progress);

} // namespace sse::checks
