// How long a client waits before it connects again (HTML 9.2.3; lib/protocol/RULES.md, 15 to
// 17). Pure: the random numbers are passed in, and it does not wait.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

namespace sse {

struct BackoffOptions {
    /// The reconnection time until the server names another. "A few seconds", says the standard.
    std::chrono::milliseconds reconnection_time{2'000};
    /// Never less: `retry: 0` is valid, and would be a storm.
    std::chrono::milliseconds least{100};
    /// How far waits grow after failures. The server's own wishes may be longer.
    std::chrono::milliseconds retry_max{60'000};
    /// How far `retry` and Retry-After are followed: a stray number must not stop a client for
    /// days.
    std::chrono::milliseconds longest_asked{3'600'000};
};

class Backoff {
public:
    using milliseconds = std::chrono::milliseconds;

    /// `random` gives numbers from 0 to less than 1.
    Backoff(BackoffOptions options, std::function<double()> random);

    /// The server sent `retry`: its value replaces the reconnection time, also for connections to
    /// come.
    void set_reconnection_time(milliseconds time);
    /// The stream was good: the next failure is a first one.
    void reset() { failures_ = 0; }
    /// After a good stream has ended: the reconnection time, no more and no less.
    milliseconds after_end() const { return reconnection_time_; }
    /// After a failed attempt: at least the reconnection time, and up to twice as much for each
    /// failure in a row, evenly spread so that many clients do not come back at once; at least
    /// `asked`, if the server named a time.
    milliseconds after_failure(std::optional<milliseconds> asked);

private:
    BackoffOptions options_;
    std::function<double()> random_;
    milliseconds reconnection_time_;
    int failures_ = 0;
};

/// The value of a Retry-After field: seconds, or a date (RFC 9110, 10.2.3), seen at `now`. nullopt
/// if it is neither; not below 0.
std::optional<std::chrono::milliseconds>
parse_retry_after(std::string_view value, std::chrono::system_clock::time_point now);

} // namespace sse
