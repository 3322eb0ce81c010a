// What tail counts of its streams, and how it tells: for people, as JSON, and as a line that lives.
// Bounded: it keeps no event.
#pragma once

#include "client/client.hpp"
#include "cmd/tail/histogram.hpp"
#include "protocol/event.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cmd {

struct StatsOptions {
    /// Types of events that are counted by name; those beyond count together.
    std::size_t max_types = 1000;
    /// Of a type that is told apart by no more: a server names them, and may name long ones.
    std::size_t max_type_bytes = 1000;
    std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

/// All streams of a command. Any thread.
class Stats {
public:
    using Clock = std::chrono::steady_clock;

    explicit Stats(StatsOptions options = {});

    /// What is told of a stream goes under the number that this returns.
    std::size_t add(std::string url);
    /// A connection's answer has come; the first of a stream is kept.
    void answered(std::size_t stream, const sse::Timing& timing);
    void event(std::size_t stream, const sse::EventView& event, bool printed);
    void bytes(std::size_t count);
    void reconnects(std::size_t stream);

    /// Lines `sse: stats: ...`.
    std::string text() const;
    /// An object, and a line end; times in seconds, what is not known is null.
    std::string json() const;
    /// `12 events, 3/s, 1.20s since the last`; the rate is that since the last call.
    std::string line();

private:
    struct Stream {
        std::string url;
        std::optional<sse::Timing> timing; ///< of the first answer
        std::optional<Clock::duration> first_event;
        std::optional<Clock::time_point> last_event;
        std::uint64_t reconnects = 0;
    };
    std::optional<double> rate(std::uint64_t count) const;

    mutable std::mutex mutex_;
    StatsOptions options_;
    const Clock::time_point started_;
    std::vector<Stream> streams_;
    std::optional<Clock::time_point> first_open_;
    std::optional<Clock::time_point> last_event_; ///< of all streams
    std::uint64_t events_ = 0, printed_ = 0, bytes_ = 0, other_types_ = 0;
    std::map<std::string, std::uint64_t, std::less<>> types_;
    std::map<std::string, std::uint64_t, std::less<>>::iterator last_type_;
    Histogram gaps_;
    std::size_t largest_ = 0; ///< bytes of data
    std::string largest_type_, largest_id_;
    Clock::time_point line_at_;
    std::uint64_t line_events_ = 0;
    double line_rate_ = 0;
};

} // namespace cmd
