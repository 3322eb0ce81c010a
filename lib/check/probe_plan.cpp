#include "check/probe_plan.hpp"

#include "check/measures.hpp"

#include <algorithm>
#include <set>

namespace sse::checks {

namespace {

// Seconds since the start.
constexpr Time second_at = 2, compressed_at = 0.2, any_type_at = 0.3, head_at = 0.4;
/// Number of IDs to wait for before resuming is tried, so that one with several successors can be
/// chosen. With four, a gap of one event was missed on a busy machine.
constexpr std::size_t ids_for_resume = 5;
/// Share of the time after which fewer IDs are enough.
constexpr double resume_share = 0.6;
/// The minimum time for which a stream is watched.
constexpr Time least_watch = 3;
/// How long a response that is not an event stream is read.
constexpr Time failed_watch = 1.5;
/// Time within which an event that one connection has received must arrive on the others.
constexpr Time catch_up = 1.5;
/// An event of --trigger is waited for during this time.
constexpr Time trigger_wait = 5;
constexpr std::size_t trigger_count = 2;
constexpr Time trigger_pause = 1.5;

} // namespace

std::optional<Time> own_limit(Probe probe) {
    switch (probe) {
    case Probe::second: return 4.5;
    case Probe::head:
    case Probe::preflight: return 2;
    case Probe::resumed:
    case Probe::again: return 4;
    default: return std::nullopt;
    }
}

ProbePlan::ProbePlan(const ProbePlanOptions& options, const Observations& seen)
    : options_(options)
    , seen_(seen)
    , time_(std::chrono::duration<double>(options.time).count()) {}

std::size_t ProbePlan::open_count() const {
    std::size_t open = 0;
    for (std::size_t i = 0; i < probe_count; ++i) open += is_open(static_cast<Probe>(i));
    return open;
}

// ---- what is done now ----

ProbeSteps ProbePlan::next(Time now) {
    ProbeSteps steps;
    if (!started(Probe::main)) start(Probe::main, steps);
    steps.trigger = trigger_is_due(now);
    if (options_.direct && !started(Probe::direct)) start(Probe::direct, steps);
    const auto& main = seen_.main();
    if (!seen_.single && (!main.has_head() || main.is_stream())) start_further(now, steps);
    return steps;
}

void ProbePlan::start(Probe probe, ProbeSteps& steps) {
    started_[static_cast<std::size_t>(probe)] = true;
    steps.start.push_back(probe);
}

void ProbePlan::start_further(Time now, ProbeSteps& steps) {
    const auto& main = seen_.main();
    const auto try_start = [&](Probe probe, bool due) {
        if (!due || started(probe)) return;
        if (open_count() < options_.max_connections) return start(probe, steps);
        // A short probe may take the place of a watch that has shown enough, once that has ended.
        if (own_limit(probe) && !steps.stop) steps.stop = one_to_stop(now);
    };
    const bool silent = !main.has_head() && now > 1;
    if (options_.max_connections > 1 && !ended(Probe::main))
        try_start(Probe::second, main.has_head() || now >= second_at);
    if (!seen_.origin.empty()) try_start(Probe::preflight, now >= head_at);
    steps.resumed_after = seen_.resumed_after ? seen_.resumed_after : place_to_resume(now);
    if (started(Probe::second) || ended(Probe::main) || silent) {
        try_start(Probe::compressed, now >= compressed_at);
        try_start(Probe::head, silent);
        try_start(Probe::any_type, now >= any_type_at);
    }
    try_start(Probe::head, now >= head_at);
    try_start(Probe::resumed, steps.resumed_after.has_value());
    const bool clean = main.ending == Ending::complete || main.ending == Ending::closed;
    try_start(Probe::again, clean);
}

/// The index of the event whose ID `resumed` will send; nullopt until one has successors.
std::optional<std::size_t> ProbePlan::place_to_resume(Time now) const {
    const auto& main = seen_.main();
    std::vector<std::size_t> places;
    std::set<std::string> known;
    for (std::size_t i = 0; i < main.events.size(); ++i) {
        const auto& id = main.events[i].id;
        if (id && !id->empty() && known.insert(*id).second) places.push_back(i);
    }
    if (places.size() >= ids_for_resume) return places[1];
    const bool hurry = now >= resume_share * time_ || ended(Probe::main) || has_been_triggered(now);
    if (places.size() >= 2 && hurry) return places[0];
    return std::nullopt;
}

/// A watch that has seen enough.
std::optional<Probe> ProbePlan::one_to_stop(Time now) const {
    for (const auto each : {Probe::any_type, Probe::compressed}) {
        if (!is_open(each)) continue;
        // Before that, it cannot show that events are missing.
        const auto& seen = seen_.of(each);
        const auto head = seen.head.value_or(seen.started);
        if (now - head >= least_watch || seen_.main().events.empty() || has_caught_up(each, now))
            return each;
    }
    return std::nullopt;
}

/// True if `probe` has received the events of `main`, except those that are too recent.
bool ProbePlan::has_caught_up(Probe probe, Time now) const {
    const auto& main = seen_.main();
    const auto& other = seen_.of(probe);
    if (other.events.empty()) return false;
    const auto common = matches(main, other);
    if (common.empty()) return other.events.size() >= 2;
    const auto last = common.back().first;
    for (std::size_t i = last + 1; i < main.events.size(); ++i) {
        if (main.events[i].at < now - catch_up) return false;
    }
    return common.size() >= 2;
}

// ---- events that the server is made to send ----

bool ProbePlan::trigger_is_due(Time now) const {
    if (!options_.triggers || !seen_.main().has_head()) return false;
    const auto& all = seen_.triggered;
    if (all.size() == trigger_count || is_waiting_for_trigger(now)) return false;
    if (now < *seen_.main().head + 1) return false;
    return all.empty() || now >= all.back().sent + trigger_pause;
}

/// True if all triggered events have arrived or failed, so that their delay is known.
bool ProbePlan::has_been_triggered(Time now) const {
    return seen_.triggered.size() == trigger_count && !is_waiting_for_trigger(now) &&
           !seen_.long_watch;
}

bool ProbePlan::is_waiting_for_trigger(Time now) const {
    if (seen_.triggered.empty()) return false;
    const auto& last = seen_.triggered.back();
    return !last.arrived && last.failure.empty() && now < last.sent + trigger_wait;
}

// ---- the end ----

bool ProbePlan::is_over(Time now) const {
    if (!started(Probe::main)) return false;
    const auto& main = seen_.main();
    if (main.ending == Ending::failed) return true;
    if (is_waiting_for_trigger(now) && !ended(Probe::main)) return false;
    if (now >= time_) return true;
    if (options_.triggers && seen_.triggered.size() < trigger_count && !ended(Probe::main))
        return false;
    if (main.has_head() && !main.is_stream())
        return ended(Probe::main) || now > *main.head + failed_watch;
    if (ended(Probe::main)) return others_are_done(now);
    return (is_smooth(now) || has_been_triggered(now)) && others_are_done(now);
}

/// True if every exchange that can be started has ended or has seen enough.
bool ProbePlan::others_are_done(Time now) const {
    if (seen_.single) return !options_.direct || ended(Probe::direct) || !ended(Probe::main);
    const auto& main = seen_.main();
    if (!ended(Probe::main) && !started(Probe::second) && options_.max_connections > 1)
        return false;
    for (const auto probe :
         {Probe::second, Probe::head, Probe::resumed, Probe::again, Probe::preflight}) {
        if (is_open(probe)) return false;
    }
    if (!started(Probe::head)) return false;
    if (seen_.resumed_after && !started(Probe::resumed)) return false;
    if (!seen_.resumed_after && has_ids() && !ended(Probe::main)) return false;
    if ((main.ending == Ending::complete || main.ending == Ending::closed) &&
        !started(Probe::again))
        return false;
    for (const auto probe : {Probe::compressed, Probe::any_type}) {
        if (!started(probe)) return false;
        if (is_open(probe) && !main.events.empty() && !has_caught_up(probe, now)) return false;
    }
    return true;
}

bool ProbePlan::has_ids() const {
    const auto& events = seen_.main().events;
    return std::any_of(events.begin(), events.end(),
                       [](const SeenEvent& event) { return event.id && !event.id->empty(); });
}

/// True if events arrive one at a time, so that watching for longer would show nothing more.
bool ProbePlan::is_smooth(Time now) const {
    const auto& main = seen_.main();
    if (!main.has_head() || seen_.long_watch) return false;
    if (now < *main.head + least_watch || main.events.size() < 5) return false;
    const auto bursts = bursts_of(main);
    std::size_t with_events = 0;
    for (std::size_t i = 0; i < bursts.size(); ++i) {
        with_events += bursts[i].events > 0;
        if (i > 0 && bursts[i].events >= 3 && silence_before(main, bursts, i) >= 0.5) return false;
        if (bursts[i].inside_event) return false;
    }
    return with_events >= 4 && main.latency() < 1;
}

} // namespace sse::checks
