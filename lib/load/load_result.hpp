// The figures of a load run. Values only.
#pragma once

#include "base/histogram.hpp"
#include "load/event_ledger.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sse {

/// How equally the subscribers were served, by the mean delay of their deliveries: since the event
/// was sent, or else since the first subscriber received it.
struct LoadFairness {
    double jain = 1;            ///< Jain's index: 1 if all are equal, 1/N if one has all the delay
    double slowest_percent = 0; ///< s: mean delay of the slowest 1 % of the subscribers
    double others = 0;          ///< s: mean delay of the others
    double order_correlation = 0; ///< of the delay with the order of connecting, from -1 to 1
};

/// The resource usage of the load client itself during the measurement.
struct LoadClient {
    double cpu = 0;                   ///< cores: 1 is all of one
    double busiest = 0;               ///< the same of the process that used most
    double cpu_per_delivery = 0;      ///< s
    std::uint64_t resident_bytes = 0; ///< at the end; 0: unknown
};

/// One interval of the measured time.
struct LoadInterval {
    double at = 0; ///< s: its end, since the measurement began
    double seconds = 0;
    std::uint64_t open = 0; ///< streams at its end
    std::uint64_t events = 0, deliveries = 0, bytes = 0;
    /// Delays of the deliveries in it: since the event was sent, or else since the first subscriber
    /// received it. nullopt: none.
    std::optional<std::chrono::nanoseconds> p50, p99, max;
    void set_delays(const Histogram& delays) {
        if (delays.count() == 0) return;
        p50 = delays.percentile(0.5);
        p99 = delays.percentile(0.99);
        max = delays.max();
    }
};

/// Subscribers that are slow on purpose.
struct SlowSubscribers {
    std::uint64_t subscribers = 0;
    std::uint64_t events = 0, bytes = 0;
    std::uint64_t cut = 0; ///< streams that the server ended or that broke
};

struct LoadResult {
    // Of the whole run.
    std::uint64_t subscribers = 0; ///< requested
    std::uint64_t opened = 0;      ///< subscribers that received an event stream at least once
    std::uint64_t open = 0;        ///< subscribers whose stream is open at the end of the run
    std::uint64_t failed = 0;      ///< connections and requests that failed
    std::uint64_t ended = 0;       ///< streams that the server ended
    std::uint64_t broken = 0;      ///< streams that broke
    std::uint64_t busy = 0;        ///< responses 429 and 503
    std::uint64_t silent = 0;      ///< subscribers that received no event
    std::map<std::string, std::uint64_t> failures; ///< how often each reason occurred
    bool keyed_by_data = false; ///< some events had no ID, and are identified by their data
    LedgerCounts ledger;
    Histogram connect, head, first_event; ///< since the start of the connection
    SlowSubscribers slow;
    std::uint64_t left = 0;         ///< times that a subscriber was disconnected and reconnected
    std::uint64_t storm_cut = 0;    ///< streams that the storm closed
    Histogram storm;                ///< from the storm until a stream was open again
    std::optional<double> storm_at; ///< s, since the measurement began
    std::vector<LoadInterval> series;

    // Of the measured time.
    double seconds = 0;
    std::uint64_t events = 0, deliveries = 0, bytes = 0;
    std::uint64_t untimed = 0; ///< deliveries whose time of arrival is not known
    bool knows_sent = false;   ///< LoadOptions::sent_at was given, so `delivery` is measured
    Histogram delivery;        ///< from the sending of an event to its arrival
    Histogram skew;            ///< from the first arrival of an event to the last
    Histogram behind;          ///< from the arrival of bytes to their reading by this client
    LoadFairness fairness;
    LoadClient client;
};

/// The figures of one of several runs of one load, and what is needed to make those of all.
struct LoadShare {
    LoadResult result;
    std::vector<LedgerRecord> ledgers; ///< of each request; without events if none came
    std::vector<double> delays;        ///< s: mean by subscriber; negative: none
    std::int64_t from_ns = 0;          ///< start of the measured time, steady; 0: there was none
};

} // namespace sse
