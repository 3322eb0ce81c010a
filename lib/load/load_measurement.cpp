#include "load/load_measurement.hpp"

#include "base/posix.hpp"
#include "load/load_fairness.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <sys/resource.h>
#include <utility>

namespace sse {

namespace {

using std::chrono::nanoseconds;

/// CPU time of this process, in seconds.
double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::int64_t count(LoadMeasurement::Clock::time_point time) {
    return std::chrono::duration_cast<nanoseconds>(time.time_since_epoch()).count();
}

double seconds_of(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

} // namespace

LoadMeasurement::LoadMeasurement(const LoadOptions& options, const LoadTargets& targets,
                                 const ArrivalClock& clock,
                                 std::vector<LoadSubscriber>& subscribers, LoadResult& result,
                                 LoadProgress& progress)
    : options_(options)
    , targets_(targets)
    , clock_(clock)
    , subscribers_(subscribers)
    , result_(result)
    , progress_(progress)
    , parser_(*this, {.max_event_bytes = most_event_bytes}) {
    parser_.feed("\n"); // past the only place of a byte order mark; feed_blocks() removes that of
                        // each stream
    for (std::size_t i = 0; i < options.requests.size(); ++i)
        groups_.push_back({make_ledger(), false, {}});
    if (options.resume == LoadResume::yes && (options.leave_rate > 0 || options.storm))
        last_ids_.resize(options.subscribers);
    result_.knows_sent = static_cast<bool>(options.sent_at);
}

std::unique_ptr<EventLedger> LoadMeasurement::make_ledger() {
    LedgerOptions options;
    options.subscribers = options_.subscribers;
    options.keep_record = options_.runs > 1;
    return std::make_unique<EventLedger>(
        options, [this](const LedgerEvent& event) { on_event_done(event); });
}

// ---- the measured time ----

void LoadMeasurement::begin(Clock::time_point from) {
    from_ = interval_began_ = from;
    cpu_at_start_ = cpu_seconds();
    bytes_at_start_ = bytes_;
    interval_ = {};
    interval_delays_.clear();
}

bool LoadMeasurement::is_enough(Clock::time_point now) const {
    if (now >= *from_ + options_.time) return true;
    if (options_.events && result_.events >= *options_.events) return true;
    if (options_.runs == 1) return false;
    std::size_t records = 0;
    for (const auto& group : groups_) records += group.ledger->record_size();
    return records >= options_.most_records;
}

void LoadMeasurement::end_interval(Clock::time_point now) {
    if (!from_ || to_ || now < interval_began_ + options_.interval) return;
    interval_.at = seconds_of(now - *from_);
    interval_.seconds = seconds_of(now - interval_began_);
    interval_.open = progress_.open.get();
    interval_.set_delays(interval_delays_);
    result_.series.push_back(std::exchange(interval_, {}));
    interval_began_ = now;
    if (options_.on_interval) options_.on_interval(result_.series.back(), interval_delays_);
    interval_delays_.clear();
}

// ---- what is received ----

void LoadMeasurement::begin_read(std::uint32_t number, std::size_t bytes) {
    current_ = number;
    last_was_event_ = false;
    deliveries_.clear();
    if (options_.is_slow(number)) {
        result_.slow.bytes += bytes;
    } else {
        bytes_ += bytes;
        interval_.bytes += bytes;
    }
}

void LoadMeasurement::on_event(const EventView& event) {
    last_was_event_ = true;
    auto& group = group_of(current_);
    if (options_.is_slow(current_)) {
        ++result_.slow.events;
        subscribers_[current_].has_event = true;
        return;
    }
    progress_.deliveries.add();
    if (!last_ids_.empty() && event.id) last_ids_[current_].assign(*event.id);
    constexpr std::hash<std::string_view> hash;
    std::string found;
    std::string_view id = event.id.value_or("");
    if (options_.key_of) {
        auto text = options_.key_of(event.data);
        id = found = text ? std::move(*text) : std::string();
    }
    std::uint64_t key = hash(id);
    EventPlace place = 0;
    if (!id.empty()) {
        if (!std::exchange(group.has_ids, true)) forget_events(group);
        const auto number = group.order.place_of(id);
        if (!number) return deliveries_.push_back({});
        place = *number;
    } else if (group.has_ids || options_.key_of) { // such as a heartbeat
        return deliveries_.push_back({});
    } else {
        key = hash(event.data) * 31 + hash(event.type);
    }
    const auto received =
        group.ledger->receive(current_, subscribers_[current_].course, key, place, group.has_ids);
    auto& entry = group.ledger->event(received.slot);
    if (received.is_new) {
        progress_.events.add();
        if (options_.sent_at) {
            if (const auto sent = options_.sent_at(event.data))
                entry.sent_ns = count(clock_.steady(*sent));
        }
    }
    const bool first = received.receipt == EventLedger::Receipt::first;
    deliveries_.push_back({received.slot, first ? entry.place : 0, received.is_new});
}

/// Called at the first ID: earlier events, such as a greeting, have none and are not counted.
void LoadMeasurement::forget_events(Group& group) {
    for (std::uint32_t i = 0; i < subscribers_.size(); ++i) {
        if (&group_of(i) == &group) subscribers_[i].course = {};
    }
    for (auto& delivery : deliveries_) delivery.place = 0;
    group.ledger = make_ledger();
}

/// Of what arrives together, only the last can have an exact time of its own, if it is an event.
void LoadMeasurement::end_read(const ReadArrival& arrival) {
    if (deliveries_.empty()) return;
    auto& subscriber = subscribers_[current_];
    auto& ledger = *group_of(current_).ledger;
    if (!std::exchange(subscriber.has_event, true))
        result_.first_event.add(arrival.at - subscriber.started);
    const bool measured = from_ && arrival.at >= *from_;
    for (const auto& delivery : deliveries_) {
        const bool is_last = &delivery == &deliveries_.back();
        if (measured) {
            ++result_.deliveries, ++interval_.deliveries;
            result_.events += delivery.is_new, interval_.events += delivery.is_new;
        }
        if (delivery.place == 0) continue;
        auto& event = ledger.event(delivery.slot);
        if (event.place != delivery.place) continue; // forgotten since
        if (delivery.is_new) event.is_measured = measured;
        if (!arrival.all_known && !(arrival.last_known && is_last && last_was_event_)) {
            ++untimed_;
            result_.untimed += measured;
            continue;
        }
        const auto at = count(arrival.at);
        event.first_ns = event.timed == 0 ? at : std::min(event.first_ns, at);
        event.last_ns = std::max(event.last_ns, at);
        ++event.timed;
        if (measured) add_delay(subscriber, event, at);
    }
}

void LoadMeasurement::add_delay(LoadSubscriber& subscriber, const LedgerEvent& event,
                                std::int64_t at) {
    const nanoseconds delay(at - (event.sent_ns != 0 ? event.sent_ns : event.first_ns));
    if (event.sent_ns != 0) result_.delivery.add(delay);
    if (event.sent_ns != 0 || !options_.sent_at) interval_delays_.add(delay);
    subscriber.delay_sum += std::max(0.0, seconds_of(delay));
    ++subscriber.delays;
}

void LoadMeasurement::end_course(std::uint32_t number) {
    group_of(number).ledger->end_course(subscribers_[number].course);
}

void LoadMeasurement::on_event_done(const LedgerEvent& event) {
    if (!from_ || event.timed < 2 || event.first_ns < count(*from_)) return;
    result_.skew.add(nanoseconds(event.last_ns - event.first_ns));
}

LoadShare LoadMeasurement::share() {
    LoadShare share{result_, {}, std::move(delays_), from_ ? count(*from_) : 0};
    for (const auto& group : groups_) {
        share.ledgers.push_back(group.ledger->record());
        share.ledgers.back().has_ids = group.has_ids;
    }
    return share;
}

// ---- the figures ----

void LoadMeasurement::finish(Clock::time_point now) {
    if (from_) {
        result_.seconds = seconds_of(to_.value_or(now) - *from_);
        result_.bytes = bytes_ - bytes_at_start_;
        const auto cpu = cpu_seconds() - cpu_at_start_;
        result_.client.cpu = result_.client.busiest = cpu / std::max(result_.seconds, 1e-9);
        if (result_.deliveries > 0)
            result_.client.cpu_per_delivery = cpu / static_cast<double>(result_.deliveries);
    }
    result_.client.resident_bytes = resident_bytes().value_or(0);
    sum_up_subscribers();
    sum_up_ledgers();
}

void LoadMeasurement::sum_up_subscribers() {
    std::vector<double> delays; // in the order of connecting
    for (std::uint32_t i = 0; i < subscribers_.size(); ++i) {
        const auto& subscriber = subscribers_[i];
        if (subscriber.state == LoadSubscriber::State::open) ++result_.open;
        if (subscriber.was_open && !subscriber.has_event) ++result_.silent;
        const bool has_delay = subscriber.delays > 0;
        if (has_delay) delays.push_back(subscriber.delay_sum / subscriber.delays);
        if (options_.runs > 1) delays_.push_back(has_delay ? delays.back() : -1);
        end_course(i);
    }
    result_.fairness = load_fairness(delays);
}

void LoadMeasurement::sum_up_ledgers() {
    for (auto& group : groups_) {
        const auto counts = group.ledger->finish();
        result_.keyed_by_data |= !group.has_ids && counts.events > 0;
        result_.ledger.events += counts.events;
        result_.ledger.lost += counts.lost;
        result_.ledger.missed += counts.missed;
        result_.ledger.duplicates += counts.duplicates;
        result_.ledger.repeated += counts.repeated;
        result_.ledger.disordered += counts.disordered;
        result_.ledger.alone += counts.alone;
    }
}

} // namespace sse
