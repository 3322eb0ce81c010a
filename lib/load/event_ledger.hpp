// Which events the subscribers of one stream received, and what they lost. Nobody tells it which
// events there are: the events are those that any subscriber received. Their order is that of their
// numbers, or else the one in which subscribers received them. No I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <unordered_map>
#include <vector>

namespace sse {

/// A position in the order of all events. 0: none.
using EventPlace = std::uint64_t;

/// The way of one subscriber through the events. It belongs to the subscriber, and to one ledger.
struct Course {
    EventPlace first = 0, last = 0; ///< the first and the furthest of its events
    EventPlace previous = 0;        ///< the one that it received last
    EventPlace earlier = 0;         ///< the furthest of its course before this one
    std::uint64_t distinct = 0;     ///< its events, each counted once
    bool begun = false;             ///< it received something
};

/// One event, as the ledger knows it.
struct LedgerEvent {
    std::uint64_t key = 0;
    EventPlace place = 0;
    std::uint32_t receivers = 0; ///< subscribers that received it
    std::uint32_t late = 0;      ///< of these: those that had received a later event before
    std::uint32_t timed = 0;     ///< of these: those whose time of arrival is known
    std::int64_t sent_ns = 0;    ///< when it was sent; 0: unknown
    /// It has an ID. One without that only one of several subscribers received is its own, such as
    /// a greeting, and the others are not owed it.
    bool has_id = false;
    bool is_greeting = false;               ///< its first receiver does not account for it
    std::int64_t first_ns = 0, last_ns = 0; ///< the first and the last arrival that is known
};

struct LedgerCounts {
    std::uint64_t events = 0;
    std::uint64_t lost = 0;       ///< deliveries that a subscriber was owed
    std::uint64_t missed = 0;     ///< events while a subscriber was away and did not resume
    std::uint64_t duplicates = 0; ///< deliveries to a subscriber that had the event
    std::uint64_t repeated = 0;   ///< the same, after a reconnection that did not resume
    std::uint64_t disordered = 0; ///< deliveries behind a later event
    std::uint64_t alone = 0;      ///< events without ID that one subscriber each received
};

struct LedgerOptions {
    std::size_t subscribers = 0;
    /// Events that are known at a time. One that is received again after so many others counts as
    /// another event. Each needs a bit for each subscriber: 128 bytes a subscriber for the least.
    std::size_t least_window = 1024, most_window = 65'536;
    std::size_t window_bytes = 2 * 1024 * 1024; ///< what more than the least may use
};

/// The rule for losses: a subscriber is owed every event between the first and the last that it
/// received, of all that any subscriber received. One thread.
class EventLedger {
public:
    /// `on_done` is called for each event that is forgotten, the last at finish().
    EventLedger(const LedgerOptions& options, std::function<void(const LedgerEvent&)> on_done);

    enum class Receipt : std::uint8_t { first, duplicate, repeated };
    struct Received {
        std::size_t slot; ///< for event(), until the next call of receive()
        Receipt receipt;
        bool is_new; ///< no other subscriber had it
    };
    /// Subscriber number `subscriber` receives the event `key`. `place`: by its number (IdOrder); 0
    /// if it has none. All events of a ledger have one, or none has. An event without ID that
    /// begins a course, and that nobody had, is no part of it: it may be a greeting.
    Received receive(std::uint32_t subscriber, Course& course, std::uint64_t key,
                     EventPlace place = 0, bool has_id = true);
    LedgerEvent& event(std::size_t slot) { return events_[slot]; }

    /// The subscriber begins anew, without resuming: what it misses until its next event is not
    /// lost. To be called at the end of the run, too.
    void end_course(Course& course);
    /// After the last receive() and end_course().
    LedgerCounts finish();

private:
    struct Part {
        EventPlace first, last;
    };
    static constexpr unsigned spacing_bits = 32; ///< places between two events that are in order
    static constexpr EventPlace spacing = EventPlace{1} << spacing_bits;

    std::size_t add(std::uint64_t key, EventPlace place, EventPlace after);
    EventPlace place_after(EventPlace place);
    void forget(std::size_t slot);
    std::uint64_t events_between(EventPlace first, EventPlace last) const;

    const LedgerOptions options_;
    const std::function<void(const LedgerEvent&)> on_done_;
    const std::size_t window_, words_;            ///< words_: of the bits of an event
    std::vector<LedgerEvent> events_;             ///< a ring
    std::vector<std::vector<std::uint64_t>> has_; ///< by slot: the subscribers that have it
    std::unordered_map<std::uint64_t, std::uint32_t> slots_;
    /// Of the last receive(): many subscribers receive one event one after the other.
    std::uint64_t last_key_ = 0;
    std::size_t last_slot_ = 0;
    bool has_last_ = false;
    std::uint64_t created_ = 0;
    std::uint64_t appended_ = 0; ///< of these: those at the end, whose places are multiples
    std::set<EventPlace> inserted_;
    std::vector<EventPlace> others_; ///< numbered events; at the end, those inserted, too
    std::vector<EventPlace> alone_;
    std::uint64_t alone_received_ = 0; ///< of `alone_`: those that are a part of a course
    std::vector<Part> parts_, gaps_;   ///< courses, and the times between two of them
    std::uint64_t distinct_ = 0;       ///< of `parts_`
    LedgerCounts counts_;
};

} // namespace sse
