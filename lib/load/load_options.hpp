// The settings of a load run. Not a command line.
#pragma once

#include "base/histogram.hpp"
#include "client/client_request.hpp"
#include "net/client_tls.hpp"
#include "net/dial.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

struct LoadInterval;

/// The Last-Event-ID that subscribers send when they reconnect (LoadOptions::leave_rate, storm).
enum class LoadResume : std::uint8_t {
    yes,   ///< the ID of their last event, so that they are expected to receive all later ones
    no,    ///< none; events that they miss meanwhile are not lost
    stale, ///< an ID that no server knows
};

struct LoadOptions {
    /// Subscribers use these in turn. `{n}` in the target and in the values of fields is replaced
    /// by the number of the subscriber, which counts from 0.
    std::vector<ClientRequest> requests;
    std::size_t subscribers = 100;
    /// Of several runs of one load, in processes of their own, this one has the subscribers number
    /// `first_number`, `first_number + runs` and so on; `subscribers` counts only these.
    std::uint32_t first_number = 0, runs = 1;
    std::uint32_t number_of(std::uint32_t subscriber) const {
        return first_number + subscriber * runs;
    }
    /// With several runs: the measurement ends when a run has this many events and courses to hand
    /// over, which need 64 bytes each.
    std::size_t most_records = 1'000'000;
    /// Connections that are started per second, even if the server is slow to accept them.
    double connect_rate = 1000;
    /// Length of the measurement, which begins once all connections have been started and the
    /// warm-up has passed.
    std::chrono::nanoseconds time = std::chrono::seconds(30);
    std::chrono::nanoseconds warm_up = std::chrono::seconds(3);
    /// Ends the measurement after this many events; nullopt: only `time` ends it.
    std::optional<std::uint64_t> events;
    /// The first `stalled` subscribers read nothing of their streams; the next `slow` ones read
    /// `slow_bytes` per second. Their deliveries are not measured, and they are not expected to
    /// receive anything.
    std::size_t stalled = 0, slow = 0;
    std::size_t slow_bytes = 1024;
    /// Subscriber number `number` is one of these.
    bool is_slow(std::uint32_t number) const { return number < stalled + slow; }
    /// Subscribers that are disconnected and reconnected per second; 0: none.
    double leave_rate = 0;
    /// The time, from the start of the measurement, at which `storm_share` of the open streams are
    /// closed and opened again at once; nullopt: never.
    std::optional<std::chrono::nanoseconds> storm;
    double storm_share = 1;
    LoadResume resume = LoadResume::yes;
    /// The length of an interval of LoadResult::series.
    std::chrono::nanoseconds interval = std::chrono::seconds(1);
    DialOptions dial;
    TlsOptions tls;
    /// Addresses to connect from, in turn; empty: the system chooses.
    std::vector<std::string> sources;
    /// If the server is in 127.0.0.0/8, there are more subscribers than this, and no source is
    /// given, then this many connect from each address from 127.0.0.2 on, because an address has
    /// 28,232 ports by default.
    std::size_t subscribers_per_source = 10'000;
    std::size_t max_head_bytes = 64 * 1024;
    std::size_t max_event_bytes = 16 * 1024 * 1024;
    std::size_t read_bytes = 256 * 1024; ///< of one socket at a time
    /// An event that was read together with later ones arrived at some time since the sockets were
    /// last polled. If that may be longer ago than this, its time of arrival counts as unknown.
    std::chrono::nanoseconds max_uncertainty = std::chrono::milliseconds(1);
    /// Time before a request is repeated after status 429 or 503 without Retry-After.
    std::chrono::milliseconds busy_wait{1'000};
    /// The time at which the event with this data was sent, since 1970; nullopt: it contains none.
    /// Called once for each event. Empty: no time is known.
    std::function<std::optional<std::chrono::nanoseconds>(std::string_view data)> sent_at;
    /// The value in the data that identifies the event, nullopt: none. Empty: the ID identifies it.
    std::function<std::optional<std::string>(std::string_view data)> key_of;
    /// True if this process has been stopped and continued since the last call; empty: unknown.
    std::function<bool()> was_stopped;
    /// With several runs: the subscribers of all runs have been started. The warm-up begins then;
    /// without one, each run measures once its own subscribers have been started.
    std::function<bool()> others_started;
    /// True to end the run, as by its interrupt; called at least every 100 ms. Empty: never.
    std::function<bool()> is_stopped;
    /// Called once all subscribers have been started, once the measurement begins, and once the
    /// measured time is over.
    std::function<void()> on_all_started, on_measuring, on_measured;
    /// Called at the end of each interval, with the delays in it.
    std::function<void(const LoadInterval&, const Histogram& delays)> on_interval;
    /// After the measured time, events that were sent in it are still read for this long.
    std::chrono::nanoseconds last_deliveries = std::chrono::milliseconds(500);
};

} // namespace sse
