#include "load/load_run.hpp"

#include <algorithm>
#include <utility>

namespace sse {

namespace {

using std::chrono::nanoseconds;

constexpr std::size_t connects_in_a_row = 200; ///< before the sockets are looked at again
constexpr auto others_wait = std::chrono::milliseconds(5);
constexpr auto longest_wait = std::chrono::milliseconds(100); ///< a signal may wake another thread

double seconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

} // namespace

LoadRun::LoadRun(LoadOptions options, Interrupt& interrupt, LoadProgress* progress)
    : options_(std::move(options))
    , interrupt_(interrupt)
    , targets_(options_)
    , progress_(progress != nullptr ? *progress : own_progress_)
    , subscribers_(options_.subscribers)
    , clock_(options_.was_stopped)
    , measurement_(options_, targets_, clock_, subscribers_, result_, progress_)
    , connections_(options_, targets_, clock_, measurement_, subscribers_, result_, progress_) {
    result_.subscribers = options_.subscribers;
}

void LoadRun::run() {
    started_ = Clock::now();
    clock_.all_read(started_);
    for (auto now = started_; !is_over(now); now = Clock::now()) {
        start_due(now);
        cut_due(now);
        measurement_.end_interval(now);
        connections_.check_timeouts(now);
        connections_.wait_and_serve(next_due(now));
    }
    measurement_.finish(Clock::now());
}

bool LoadRun::is_over(Clock::time_point now) {
    if (interrupt_ || connections_.all_ended()) return true;
    if (options_.is_stopped && options_.is_stopped()) return true;
    if (!all_started_) return false;
    if (!measurement_.began()) {
        if (now < *all_started_ + options_.warm_up) return false;
        begin_measuring();
    }
    if (!measurement_.ended() && measurement_.is_enough(now)) {
        measurement_.end(now);
        progress_.measured.set(1);
        if (options_.on_measured) options_.on_measured();
    }
    const auto ended = measurement_.ended();
    return ended && now >= *ended + options_.last_deliveries;
}

void LoadRun::begin_measuring() {
    measurement_.begin(*all_started_ + options_.warm_up);
    progress_.measuring.set(1);
    if (options_.on_measuring) options_.on_measuring();
}

void LoadRun::start_due(Clock::time_point now) {
    connections_.run_timers(now);
    if (all_started_) return;
    const auto due = static_cast<std::size_t>(seconds(now - started_) * options_.connect_rate) + 1;
    const auto end = std::min({due, subscribers_.size(), next_start_ + connects_in_a_row});
    while (next_start_ < end) {
        connections_.start(static_cast<std::uint32_t>(next_start_++));
        progress_.started.add();
    }
    if (next_start_ < subscribers_.size()) return;
    const bool waits = options_.others_started && options_.warm_up.count() > 0;
    if (waits && !options_.others_started()) return;
    all_started_ = now;
    if (options_.on_all_started) options_.on_all_started();
    if (options_.warm_up.count() == 0) begin_measuring();
}

LoadRun::Clock::time_point LoadRun::next_due(Clock::time_point now) const {
    auto until = now + longest_wait;
    if (next_start_ < subscribers_.size()) {
        const auto due = static_cast<double>(next_start_) / options_.connect_rate;
        until = std::min(until, started_ + nanoseconds(static_cast<std::int64_t>(due * 1e9)));
    } else if (!all_started_) {
        until = now + others_wait;
    } else if (!measurement_.began()) {
        until = std::min(until, *all_started_ + options_.warm_up);
    } else if (!measurement_.ended()) {
        until = std::min(until, *measurement_.began() + options_.time);
    } else {
        until = std::min(until, *measurement_.ended() + options_.last_deliveries);
    }
    if (measurement_.began()) until = std::min(until, next_cut());
    return until;
}

// ---- subscribers that are disconnected and reconnected ----

/// The time at which the next stream, or all of them, are closed.
LoadRun::Clock::time_point LoadRun::next_cut() const {
    auto next = Clock::time_point::max();
    if (options_.leave_rate > 0) {
        const auto due = static_cast<double>(cuts_ + 1) / options_.leave_rate;
        next = *measurement_.began() + nanoseconds(static_cast<std::int64_t>(due * 1e9));
    }
    if (options_.storm && !has_stormed_)
        next = std::min(next, *measurement_.began() + *options_.storm);
    return next;
}

void LoadRun::cut_due(Clock::time_point now) {
    if (!measurement_.began() || measurement_.ended()) return;
    if (options_.storm && !has_stormed_ && now >= *measurement_.began() + *options_.storm)
        storm(now);
    while (options_.leave_rate > 0 && next_cut() <= now) {
        ++cuts_;
        // Selects an open one; if few are open, this may take several tries.
        for (int tries = 0; tries < 100; ++tries) {
            const auto number = static_cast<std::uint32_t>(random_.below(subscribers_.size()));
            if (subscribers_[number].state != LoadSubscriber::State::open ||
                options_.is_slow(number))
                continue;
            ++result_.left;
            connections_.cut(number);
            connections_.start(number);
            break;
        }
        if (options_.storm && !has_stormed_) return; // it may be due before the next one
    }
}

/// Closes all streams before it opens the first one again, as when a proxy restarts.
void LoadRun::storm(Clock::time_point now) {
    has_stormed_ = true;
    result_.storm_at = seconds(now - *measurement_.began());
    for (std::uint32_t i = 0; i < subscribers_.size(); ++i) {
        if (subscribers_[i].state != LoadSubscriber::State::open || options_.is_slow(i)) continue;
        if (!random_.chance(options_.storm_share)) continue;
        ++result_.storm_cut;
        connections_.cut_by_storm(i, now);
    }
}

} // namespace sse
