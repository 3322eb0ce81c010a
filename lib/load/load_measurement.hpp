// The measurement of a load run: which events its subscribers received and when, in intervals and
// in all. LoadConnections opens the connections.
#pragma once

#include "base/histogram.hpp"
#include "load/arrival_clock.hpp"
#include "load/event_ledger.hpp"
#include "load/id_order.hpp"
#include "load/load_options.hpp"
#include "load/load_progress.hpp"
#include "load/load_result.hpp"
#include "load/load_subscriber.hpp"
#include "load/load_targets.hpp"
#include "protocol/parser.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// When what was read together arrived.
struct ReadArrival {
    Interrupt::Clock::time_point at;
    bool all_known = false;  ///< that is exact for all of it
    bool last_known = false; ///< for what it ends with, at least
};

/// Used on the thread of its run.
class LoadMeasurement : Parser::Sink {
public:
    using Clock = Interrupt::Clock;

    /// All must outlive it. It fills the figures of `result` that count events, deliveries, bytes
    /// and the time between; those of connections are the run's.
    LoadMeasurement(const LoadOptions& options, const LoadTargets& targets,
                    const ArrivalClock& clock, std::vector<LoadSubscriber>& subscribers,
                    LoadResult& result, LoadProgress& progress);

    // The measured time.
    void begin(Clock::time_point from);
    void end(Clock::time_point now) { to_ = now; }
    /// Its time or its events have been reached; after begin().
    bool is_enough(Clock::time_point now) const;
    /// nullopt: not yet.
    std::optional<Clock::time_point> began() const { return from_; }
    std::optional<Clock::time_point> ended() const { return to_; }
    /// Ends an interval if its time has passed.
    void end_interval(Clock::time_point now);

    // The bytes that subscriber number `number` receives, between begin_read() and end_read().
    void begin_read(std::uint32_t number, std::size_t bytes);
    /// Whole blocks of its stream (end_of_blocks()), without a byte order mark.
    void feed(std::string_view blocks) { parser_.feed(blocks); }
    void end_read(const ReadArrival& arrival);
    /// Deliveries whose time of arrival is not known.
    std::uint64_t untimed() const { return untimed_; }
    /// The ID of its last event; "" if there was none, or it cannot be needed.
    const std::string& last_id(std::uint32_t number) const {
        return last_ids_.empty() ? no_id_ : last_ids_[number];
    }
    /// Its stream is cut, and it will not resume: what it misses until its next event is not lost.
    void end_course(std::uint32_t number);

    /// The run has ended: the figures that are made of others.
    void finish(Clock::time_point now);
    /// After finish(), for one of several runs.
    LoadShare share();

private:
    /// The subscribers of one request, which receive the same events.
    struct Group {
        std::unique_ptr<EventLedger> ledger;
        bool has_ids = false; ///< some of its events have IDs, so those without are not counted
        IdOrder order;
    };
    struct Delivery {
        std::size_t slot;
        EventPlace place; ///< 0: not in the ledger, or not for the first time
        bool is_new;
    };

    Group& group_of(std::uint32_t number) { return groups_[targets_.group_of(number)]; }
    std::unique_ptr<EventLedger> make_ledger();
    void forget_events(Group& group);
    void add_delay(LoadSubscriber& subscriber, const LedgerEvent& event, std::int64_t at);
    void on_event_done(const LedgerEvent& event);
    void sum_up_subscribers();
    void sum_up_ledgers();

    void on_event(const EventView& event) override;
    void on_id(std::string_view) override { last_was_event_ = false; }
    void on_comment(std::string_view) override { last_was_event_ = false; }

    const LoadOptions& options_;
    const LoadTargets& targets_;
    const ArrivalClock& clock_;
    std::vector<LoadSubscriber>& subscribers_;
    LoadResult& result_;
    LoadProgress& progress_;
    std::vector<std::string> last_ids_; ///< by subscriber; empty if none resumes
    const std::string no_id_;
    std::vector<Group> groups_; ///< one for each request
    Parser parser_;             ///< of all streams: each is given whole blocks only

    // Of the bytes being read.
    std::uint32_t current_ = 0;   ///< the subscriber
    bool last_was_event_ = false; ///< the last thing parsed; false for a comment
    std::vector<Delivery> deliveries_;

    std::optional<Clock::time_point> from_, to_; ///< the measured time
    std::vector<double> delays_;                 ///< of LoadShare
    // Of the current interval.
    Clock::time_point interval_began_;
    Histogram interval_delays_;
    LoadInterval interval_;

    double cpu_at_start_ = 0; ///< s
    std::uint64_t bytes_ = 0, bytes_at_start_ = 0, untimed_ = 0;
};

} // namespace sse
