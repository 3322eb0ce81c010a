// The settings of a load run. Not a command line.
#pragma once

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

/// What subscribers send that leave and come back (LoadOptions::leave_rate, storm).
enum class LoadResume : std::uint8_t {
    yes,   ///< the ID of their last event, so that they are owed all later ones
    no,    ///< nothing: what they miss meanwhile is not lost
    stale, ///< an ID that no server knows
};

struct LoadOptions {
    /// Subscribers have these in turn. `{n}` in the target and in the values of fields is replaced
    /// by the number of the subscriber, from 0.
    std::vector<ClientRequest> requests;
    std::size_t subscribers = 100;
    /// Connections that are started a second, on a clock: a slow server is not spared.
    double connect_rate = 1000;
    /// How long is measured, from the time when all have been started and the warm-up has passed.
    std::chrono::nanoseconds time = std::chrono::seconds(30);
    std::chrono::nanoseconds warm_up = std::chrono::seconds(3);
    /// Ends the measurement after so many events; nullopt: only the time does.
    std::optional<std::uint64_t> events;
    /// The first subscribers read nothing of their streams; the next ones so many bytes a second.
    /// No time of them is measured, and they are owed nothing.
    std::size_t stalled = 0, slow = 0;
    std::size_t slow_bytes = 1024;
    /// Subscribers that leave each second and are replaced; 0: none.
    double leave_rate = 0;
    /// When a share of the open streams is cut and opened again at once, from the beginning of the
    /// measurement; nullopt: never.
    std::optional<std::chrono::nanoseconds> storm;
    double storm_share = 1;
    LoadResume resume = LoadResume::yes;
    /// The length of an interval of LoadResult::series.
    std::chrono::nanoseconds interval = std::chrono::seconds(1);
    DialOptions dial;
    TlsOptions tls;
    /// Addresses to connect from, in turn; empty: the system chooses.
    std::vector<std::string> sources;
    /// Subscribers for each address of 127.0.0.0/8 from 127.0.0.2 on, where the server is at one of
    /// these, there are more of them than this, and no source is given: an address has 28,232 ports
    /// by default.
    std::size_t subscribers_per_source = 10'000;
    std::size_t max_head_bytes = 64 * 1024;
    std::size_t max_event_bytes = 16 * 1024 * 1024;
    std::size_t read_bytes = 256 * 1024; ///< of one socket at a time
    /// An event that was read together with later ones arrived at some time since the sockets were
    /// looked at before. If that may be longer ago than this, its arrival is not known.
    std::chrono::nanoseconds max_uncertainty = std::chrono::milliseconds(1);
    /// Waits before a status 429 or 503 without Retry-After is tried again.
    std::chrono::milliseconds busy_wait{1'000};
    /// When the event with this data was sent, since 1970; nullopt: it does not say. Called once
    /// for each event. Empty: nothing is known.
    std::function<std::optional<std::chrono::nanoseconds>(std::string_view data)> sent_at;
    /// What tells an event from others, in its data; empty: its ID.
    std::function<std::optional<std::string>(std::string_view data)> key_of;
    /// True if this process has been stopped and continued since the last call; empty: unknown.
    std::function<bool()> was_stopped;
    /// Called once all subscribers have been started, once the measurement begins, and once the
    /// measured time is over.
    std::function<void()> on_all_started, on_measuring, on_measured;
    /// Called at the end of each interval.
    std::function<void(const LoadInterval&)> on_interval;
    /// After the measured time, events that are under way are still read for so long.
    std::chrono::nanoseconds last_deliveries = std::chrono::milliseconds(500);
};

} // namespace sse
