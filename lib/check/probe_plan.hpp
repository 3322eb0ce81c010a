// The plan of a check: which probe is made when, which has shown enough, and when the check is
// over. It decides from the observations; it makes no request and has no clock.
#pragma once

#include "check/observation.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sse::checks {

/// The options of a check that the plan uses.
struct ProbePlanOptions {
    /// How long the stream is watched at most; less if everything is decided before.
    std::chrono::milliseconds time{12'000};
    unsigned max_connections = 3; ///< at a time
    bool direct = false;          ///< the probe of that name is wanted
    bool triggers = false;        ///< the server can be made to send events
};

/// The steps to take now, in this order.
struct ProbeSteps {
    bool trigger = false;                     ///< have the server send an event
    std::optional<std::size_t> resumed_after; ///< for Observations::resumed_after, unless it is set
    std::vector<Probe> start;
    /// It has shown enough, and its place is needed. It may have been started just now.
    std::optional<Probe> stop;
};

/// Its members are called with `seen` unchanged meanwhile (SharedNotes::mutex). Times are in
/// seconds since the start of the check.
class ProbePlan {
public:
    /// `seen` must outlive it; its `single`, `long_watch` and `origin` are set.
    ProbePlan(const ProbePlanOptions& options, const Observations& seen);

    /// Nothing more is to be expected, or the time has passed.
    bool is_over(Time now) const;
    /// Counts what it returns as started. The first call starts Probe::main.
    ProbeSteps next(Time now);
    /// Probes that were started and have not ended.
    std::size_t open_count() const;

private:
    bool started(Probe probe) const { return started_[static_cast<std::size_t>(probe)]; }
    bool ended(Probe probe) const { return seen_.of(probe).ending != Ending::none; }
    bool is_open(Probe probe) const { return started(probe) && !ended(probe); }
    void start(Probe probe, ProbeSteps& steps);
    void start_further(Time now, ProbeSteps& steps);

    std::optional<std::size_t> place_to_resume(Time now) const;
    std::optional<Probe> one_to_stop(Time now) const;
    bool has_caught_up(Probe probe, Time now) const;
    bool trigger_is_due(Time now) const;
    bool has_been_triggered(Time now) const;
    bool is_waiting_for_trigger(Time now) const;
    bool others_are_done(Time now) const;
    bool has_ids() const;
    bool is_smooth(Time now) const;

    const ProbePlanOptions options_;
    const Observations& seen_;
    const Time time_; ///< ProbePlanOptions::time
    std::array<bool, probe_count> started_{};
};

/// The time limit of `probe` in seconds; nullopt: that of the whole check.
std::optional<Time> own_limit(Probe probe);

} // namespace sse::checks
