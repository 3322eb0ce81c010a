// How long a client waits before it connects again (HTML 9.2.3). No clock and no waiting: random
// numbers and times are passed in.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

namespace sse {

struct BackoffOptions {
    /// The reconnection time until the server sets another; "a few seconds" in the standard.
    std::chrono::milliseconds reconnection_time{2'000};
    /// Lower bound of every wait: `retry: 0` is valid, and must not make a busy loop.
    std::chrono::milliseconds min_wait{100};
    /// Upper bound of the waits between failures, unless the server asks for longer ones.
    std::chrono::milliseconds retry_max{60'000};
    /// Upper bound of `retry` and Retry-After: a stray number must not stop a client for days.
    std::chrono::milliseconds max_server_wait{3'600'000};
};

/// Computes the waits of one client. Used on one thread.
class Backoff {
public:
    using milliseconds = std::chrono::milliseconds;

    /// `random` returns numbers from 0 to less than 1.
    Backoff(BackoffOptions options, std::function<double()> random);

    /// Sets the reconnection time, for all later connections: the server sent `retry`.
    void set_reconnection_time(milliseconds time);
    /// Forgets past failures: the stream delivered something.
    void reset() { failures_ = 0; }
    /// The wait after a stream that delivered something: the reconnection time, exactly.
    milliseconds after_end() const { return reconnection_time_; }
    /// The wait after a failed attempt: between the reconnection time and a bound that doubles with
    /// each failure in a row, evenly spread so that many clients do not reconnect at once; at least
    /// `retry_after`, the value of the response's Retry-After.
    milliseconds after_failure(std::optional<milliseconds> retry_after);

private:
    BackoffOptions options_;
    std::function<double()> random_;
    milliseconds reconnection_time_;
    int failures_ = 0;
};

/// The wait of a Retry-After field: seconds, or a date (RFC 9110, 10.2.3) relative to `now`. Not
/// below 0; nullopt if it is neither.
std::optional<std::chrono::milliseconds>
parse_retry_after(std::string_view value, std::chrono::system_clock::time_point now);

} // namespace sse
