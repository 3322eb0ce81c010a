// Counts the events that the subscribers of one stream received and lost. It does not know what the
// server published: the events are those that any subscriber received. They are ordered by their
// numbers, or else as subscribers received them. No I/O, no clock.
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

/// The progress of one subscriber through the events of one ledger, between two interruptions.
/// Owned by the subscriber.
struct Course {
    EventPlace first = 0, last = 0; ///< its first event, and the latest in the order of events
    EventPlace previous = 0;        ///< the one that it received last
    EventPlace earlier = 0;         ///< the latest event of its courses before this one
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
    /// It has an ID. An event without one that only one of several subscribers received is meant
    /// for that subscriber, such as a greeting, and is not expected by the others.
    bool has_id = false;
    bool is_greeting = false;               ///< it is not part of the course of its first receiver
    bool is_measured = false;               ///< its first arrival is in the measured time
    std::int64_t first_ns = 0, last_ns = 0; ///< the first and the last arrival that is known
};

/// Places from the first to the last, with both.
struct LedgerSpan {
    EventPlace first, last;
};

/// What a ledger knows of all events, from which the counts of several ledgers of one stream are
/// made (merge_ledgers()).
struct LedgerRecord {
    std::vector<LedgerEvent> events; ///< in no order
    std::vector<LedgerSpan> parts;   ///< courses
    std::vector<LedgerSpan> gaps;    ///< the times between two courses of a subscriber
    std::uint64_t distinct = 0;      ///< deliveries in all `parts`, each event counted once
    std::uint64_t duplicates = 0, repeated = 0; ///< as in LedgerCounts
    bool is_numbered = false;                   ///< places are those of IdOrder
    bool has_ids = false; ///< some events have IDs, so those without are not in it
};

struct LedgerCounts {
    std::uint64_t events = 0;
    std::uint64_t lost = 0; ///< expected deliveries that did not arrive
    /// Events of times in which a subscriber was disconnected, and did not resume.
    std::uint64_t missed = 0;
    std::uint64_t duplicates = 0; ///< deliveries of an event that the subscriber already had
    std::uint64_t repeated = 0;   ///< the same, after a reconnection that did not resume
    std::uint64_t disordered = 0; ///< deliveries after a later event
    std::uint64_t alone = 0;      ///< events without ID that one subscriber each received
};

struct LedgerOptions {
    std::size_t subscribers = 0;
    /// The number of events that are remembered. One that is received again after more than that
    /// counts as another event. Each needs a bit per subscriber, so the smallest window needs 128
    /// bytes per subscriber.
    std::size_t least_window = 1024, most_window = 65'536;
    /// Bound of the memory of a window above the smallest.
    std::size_t window_bytes = 2 * 1024 * 1024;
    bool keep_record = false; ///< for record(): 64 bytes of memory for each event
};

/// Counts losses by this rule: of the events that any subscriber received, a subscriber is expected
/// to receive all those between its own first and last. One thread.
class EventLedger {
public:
    /// `on_done` is called for each event when it is forgotten, at the latest by finish().
    EventLedger(const LedgerOptions& options, std::function<void(const LedgerEvent&)> on_done);

    enum class Receipt : std::uint8_t { first, duplicate, repeated };
    struct Received {
        std::size_t slot; ///< for event(), until the next call of receive()
        Receipt receipt;
        bool is_new; ///< no other subscriber had it
    };
    /// Subscriber number `subscriber` receives the event `key`. `place`: by the number in its ID
    /// (IdOrder); 0 without one. Either all events of a ledger have a number, or none has. A new
    /// event without an ID at the start of a course is not part of the course, because it may be a
    /// greeting.
    Received receive(std::uint32_t subscriber, Course& course, std::uint64_t key,
                     EventPlace place = 0, bool has_id = true);
    LedgerEvent& event(std::size_t slot) { return events_[slot]; }

    /// The subscriber starts again without resuming, so events that it misses until its next event
    /// are not lost. Also called at the end of the run.
    void end_course(Course& course);
    /// The counts; called after the last receive() and end_course().
    LedgerCounts finish();

    /// The size of record(): its events and courses.
    std::size_t record_size() const {
        return record_.events.size() + record_.parts.size() + record_.gaps.size();
    }
    /// After finish(), with LedgerOptions::keep_record.
    const LedgerRecord& record() const { return record_; }

private:
    static constexpr unsigned spacing_bits = 32; ///< places between two events that are in order
    static constexpr EventPlace spacing = EventPlace{1} << spacing_bits;

    std::size_t add(std::uint64_t key, EventPlace place, EventPlace after);
    EventPlace place_after(EventPlace place);
    void settle(LedgerEvent& event, EventPlace previous);
    EventPlace now_at(EventPlace place) const;
    void forget(std::size_t slot);
    std::uint64_t events_between(EventPlace first, EventPlace last) const;

    const LedgerOptions options_;
    const std::function<void(const LedgerEvent&)> on_done_;
    const std::size_t window_, words_; ///< words_: of the bits of an event
    std::vector<LedgerEvent> events_;  ///< a ring
    /// By slot: a bit for each subscriber that has received it.
    std::vector<std::vector<std::uint64_t>> has_;
    std::unordered_map<std::uint64_t, std::uint32_t> slots_;
    /// The event of the last receive(), because many subscribers receive one event in succession.
    std::uint64_t last_key_ = 0;
    std::size_t last_slot_ = 0;
    bool has_last_ = false;
    std::uint64_t created_ = 0;
    std::uint64_t appended_ = 0; ///< of these: those at the end, whose places are multiples
    EventPlace furthest_ = 0;    ///< the last place in any course
    std::set<EventPlace> inserted_;
    std::unordered_map<EventPlace, EventPlace>
        moved_;                      ///< old places; at most as many as a window has
    std::vector<EventPlace> others_; ///< numbered events; at the end, those inserted, too
    std::vector<EventPlace> alone_;
    std::uint64_t alone_received_ = 0; ///< of `alone_`: those that are a part of a course
    LedgerRecord record_;              ///< without its events, unless they are kept
    LedgerCounts counts_;
};

} // namespace sse
