// Statistics of streams, as text, as JSON and as a status line. Memory is bounded: no event is
// kept.
#pragma once

#include "base/histogram.hpp"
#include "client/client.hpp"
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
    /// Event types counted by name; further types are counted together.
    std::size_t max_types = 1000;
    /// Length at which types are cut before they are compared: a server may send long ones.
    std::size_t max_type_bytes = 1000;
    std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
    /// A burst: at least so many events, less than `burst_gap` apart, after at least `burst_pause`.
    std::uint64_t burst_events = 3;
    std::chrono::milliseconds burst_gap{30}, burst_pause{1'000};
    /// Bursts of a stream after which the statistics name sse check.
    std::uint64_t told_bursts = 2;
};

/// The statistics of all streams of a command. Any thread.
class Stats {
public:
    using Clock = std::chrono::steady_clock;

    explicit Stats(StatsOptions options = {});

    /// Returns the number of the stream for the members below.
    std::size_t add(std::string url);
    /// A response has arrived; the timing of the first response of a stream is kept.
    void responded(std::size_t stream, const sse::Timing& timing);
    void event(std::size_t stream, const sse::EventView& event, bool printed);
    void bytes(std::size_t count);
    void reconnected(std::size_t stream);

    /// Lines of the form `sse: stats: ...`.
    std::string text() const;
    /// One JSON object and a line end; times in seconds, unknown values null.
    std::string json() const;
    /// `12 events, 3/s, 1.20s since the last one`, with the rate of the last second.
    std::string line();

private:
    struct Stream {
        std::string url;
        std::optional<sse::Timing> timing; ///< of the first response
        std::optional<Clock::duration> first_event;
        std::optional<Clock::time_point> last_event;
        std::uint64_t reconnects = 0;
        /// Times that several events arrived at once after a pause, and the events of the one that
        /// may have begun; 0: none has.
        std::uint64_t bursts = 0, burst_events = 0;
    };
    void count_burst(Stream& stream, Clock::duration gap) const;
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
    sse::Histogram gaps_;
    std::size_t largest_ = 0; ///< bytes of data
    std::string largest_type_, largest_id_;
    Clock::time_point line_at_;
    std::uint64_t line_events_ = 0;
    double line_rate_ = 0;
};

} // namespace cmd
