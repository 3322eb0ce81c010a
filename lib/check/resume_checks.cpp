// IDs, and the events that a client receives when it reconnects.
#include "check/check.hpp"
#include "check/measures.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <string>

namespace sse::checks {

namespace {

bool has_id(const SeenEvent& event) { return event.id && !event.id->empty(); }

std::size_t ids_of(const Exchange& seen) {
    return static_cast<std::size_t>(std::count_if(seen.events.begin(), seen.events.end(), has_id));
}

/// The first event of the resumed stream among those of `main`.
struct Resumed {
    enum class Place : std::uint8_t {
        undecided, ///< `why`
        none,      ///< no event arrived
        unknown,   ///< `main` did not receive the first event
        known,     ///< it is the one at `index`
    };
    Place place = Place::undecided;
    std::size_t index = 0, after = 0;
    std::string why;
};

Resumed look(const Observations& seen) {
    Resumed result;
    const auto& main = seen.main();
    const auto& resumed = seen.of(Probe::resumed);
    if (!main.is_stream()) {
        result.why = "the response is not an event stream";
    } else if (seen.single) {
        result.why = "only one request was made";
    } else if (ids_of(main) == 0) {
        result.why = main.events.empty() ? "no event arrived" : "the events have no IDs";
    } else if (!seen.resumed_after || !resumed.made()) {
        result.why = "too few events with IDs arrived";
    } else if (!resumed.has_head()) {
        result.why = resumed.failure.empty() ? "the request to resume received no response in time"
                                             : resumed.failure;
    } else if (resumed.status != 200) {
        result.why = "the request to resume received a status other than 200";
    }
    if (!result.why.empty()) return result;
    result.after = *seen.resumed_after;
    if (resumed.events.empty()) {
        result.place = Resumed::Place::none;
        return result;
    }
    result.place = Resumed::Place::unknown;
    const auto& first = resumed.events.front();
    const auto same = [&](const SeenEvent& event) {
        return has_id(first) ? event.id == first.id : event.hash == first.hash;
    };
    const auto found = std::find_if(main.events.begin(), main.events.end(), same);
    if (found != main.events.end()) {
        result.place = Resumed::Place::known;
        result.index = static_cast<std::size_t>(found - main.events.begin());
    }
    return result;
}

/// The index of the next event of `main` with another ID than that at `index`: the one that a
/// resumed stream must begin with.
std::size_t successor(const Exchange& main, std::size_t index) {
    for (auto next = index + 1; next < main.events.size(); ++next) {
        if (main.events[next].id != main.events[index].id) return next;
    }
    return main.events.size();
}

std::string asked(const Observations& seen) {
    const auto& main = seen.main();
    const auto after = *seen.resumed_after;
    const auto next = successor(main, after);
    return fmt::format("Last-Event-ID: {}; the next event has {}", *main.events[after].id,
                       next < main.events.size() && has_id(main.events[next])
                           ? "ID " + *main.events[next].id
                           : "no ID");
}

/// The ID of the first event that the resumed stream had.
std::string came(const Observations& seen) {
    const auto& event = seen.of(Probe::resumed).events.front();
    return has_id(event) ? "the first event has ID " + *event.id : "the first event has no ID";
}

/// The event was sent before the request to resume was made, and was not the newest one, which
/// servers without a history may send as well. So it came from a history.
bool from_history(const Observations& seen, std::size_t index) {
    const auto& events = seen.main().events;
    const auto started = seen.of(Probe::resumed).started;
    return index + 1 < events.size() && events[index + 1].at < started;
}

Verdict resume_ignored(const Observations& seen) {
    const auto it = look(seen);
    switch (it.place) {
    case Resumed::Place::undecided: return unknown(it.why);
    case Resumed::Place::none:
        return finding(Severity::warning,
                       "a client that reconnects does not receive the events that it missed",
                       {asked(seen), fmt::format("no event arrived within {}",
                                                 shown_seconds(seen.of(Probe::resumed).ended -
                                                               seen.of(Probe::resumed).started))});
    case Resumed::Place::unknown: break;
    case Resumed::Place::known:
        if (it.index <= successor(seen.main(), it.after) || from_history(seen, it.index))
            return passed();
        break;
    }
    return finding(Severity::warning,
                   "Last-Event-ID is ignored, so the events that a client missed are lost",
                   {asked(seen), came(seen)});
}

Verdict resume_restart(const Observations& seen) {
    const auto it = look(seen);
    if (it.place == Resumed::Place::undecided) return unknown(it.why);
    if (it.place != Resumed::Place::known || it.index >= it.after) return passed();
    return finding(Severity::error, "a client that reconnects receives events again",
                   {asked(seen), came(seen)});
}

Verdict resume_gap(const Observations& seen) {
    const auto it = look(seen);
    if (it.place == Resumed::Place::undecided) return unknown(it.why);
    const auto next = successor(seen.main(), it.after);
    if (it.place != Resumed::Place::known || it.index <= next || !from_history(seen, it.index))
        return passed();
    return finding(
        Severity::error, "a client that reconnects misses events",
        {asked(seen), came(seen), fmt::format("{} left out", counted(it.index - next, "event"))});
}

Verdict resume_inclusive(const Observations& seen) {
    const auto it = look(seen);
    if (it.place == Resumed::Place::undecided) return unknown(it.why);
    if (it.place != Resumed::Place::known || it.index != it.after) return passed();
    return finding(Severity::warning, "a client that reconnects receives its last event again",
                   {asked(seen), came(seen)});
}

Verdict resume_status(const Observations& seen) {
    const auto& resumed = seen.of(Probe::resumed);
    if (!resumed.made()) return unknown(look(seen).why);
    if (!resumed.has_head()) return unknown(look(seen).why);
    if (resumed.status == 200) return passed();
    return finding(Severity::error,
                   fmt::format("a client that reconnects receives status {}", resumed.status),
                   {asked(seen), "an EventSource then fails and does not reconnect"});
}

Verdict ids_repeat(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.is_stream() || ids_of(main) < 2) return not_applicable();
    std::map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < main.events.size(); ++i) {
        if (!has_id(main.events[i])) continue;
        const auto [place, added] = places.emplace(*main.events[i].id, i);
        if (added) continue;
        return finding(Severity::error, "several events have the same ID",
                       {fmt::format("events {} and {} have ID {}", place->second + 1, i + 1,
                                    *main.events[i].id)});
    }
    return passed();
}

Verdict ids_differ(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.is_stream() || ids_of(main) == 0) return not_applicable();
    std::map<std::string, std::uint64_t> known;
    for (const auto& event : main.events) {
        if (has_id(event)) known.emplace(*event.id, event.hash);
    }
    bool compared = false;
    for (const auto probe : {Probe::compressed, Probe::any_type, Probe::resumed, Probe::again}) {
        for (const auto& event : seen.of(probe).events) {
            if (!has_id(event)) continue;
            const auto place = known.find(*event.id);
            if (place == known.end()) continue;
            compared = true;
            if (place->second == event.hash) continue;
            return finding(Severity::error, "the same ID stands for different events",
                           {fmt::format("ID {} has other data on another connection (request: {})",
                                        *event.id, to_string(probe)),
                            "IDs that are counted per connection cannot be used to resume"});
        }
    }
    return compared ? passed() : unknown("no event arrived on two connections");
}

Verdict no_ids(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.is_stream() || main.events.empty() || !seen.repeatable) return not_applicable();
    if (ids_of(main) > 0) return passed();
    return finding(Severity::warning, "events have no IDs, so a client cannot resume",
                   {counted(main.events.size(), "event") + " without an ID"});
}

Verdict some_ids(const Observations& seen) {
    const auto& main = seen.main();
    const auto ids = ids_of(main);
    if (!main.is_stream() || ids == 0) return not_applicable();
    if (ids == main.events.size()) return passed();
    return finding(Severity::note, "some events have no ID",
                   {fmt::format("{} of {}", main.events.size() - ids, main.events.size()),
                    "a client that reconnects resumes after the last event that has an ID"});
}

Verdict ends_and_repeats(const Observations& seen) {
    const auto& main = seen.main();
    const auto& again = seen.of(Probe::again);
    const bool clean = main.ending == Ending::complete || main.ending == Ending::closed;
    if (!main.is_stream() || !clean) return not_applicable();
    if (!again.made()) return unknown("no second request was made");
    if (again.has_head() && again.status != 200) return passed();
    if (main.events.empty() || again.events.empty())
        return unknown("no event arrived after the reconnection");
    const auto& first = main.events.front();
    const auto& next = again.events.front();
    const bool same = has_id(first) ? first.id == next.id : first.hash == next.hash;
    if (!same) return passed();
    // Their clients stop there; a page with an EventSource does not.
    const bool done = main.events.back().says_done;
    return finding(
        done ? Severity::warning : Severity::error,
        "the stream ends, and an EventSource that reconnects receives it again",
        {fmt::format("the stream ended after {} and {}", shown_seconds(main.ended - *main.head),
                     counted(main.events.size(), "event"))});
}

constexpr Check resume_list[] = {
    {"no-ids", Severity::warning, "events without IDs",
     "The id fields. A warning if there are none.",
     "Without an ID, a client that reconnects cannot tell the server which event it received last, "
     "so the events sent meanwhile are lost.",
     "send an id with each event, and keep a history", Cure::none, no_ids},
    {"some-ids", Severity::note, "some events without IDs",
     "The id fields. A note if some events have none.",
     "This is correct for events that need not be sent again, such as the current time.",
     "send an id with each event that must not be lost", Cure::none, some_ids},
    {"ids-repeat", Severity::error, "IDs repeated",
     "The IDs of one connection. An error if two events have the same ID.",
     "A server that looks up such an ID finds only one of the events, so a client that resumes "
     "misses events or receives some again.",
     "give each event a unique ID", Cure::none, ids_repeat},
    {"ids-differ", Severity::error, "IDs differ between connections",
     "Events with the same ID on several connections. An error if their type or data differs.",
     "The server counts IDs per connection or per process, so after a reconnection an ID names "
     "another event.",
     "assign the IDs where the events are stored, once for all connections", Cure::none,
     ids_differ},
    {"resume-ignored", Severity::warning, "Last-Event-ID ignored",
     "A request with the Last-Event-ID of an earlier event. A warning if its first event is later "
     "than the next event that is known, or if none arrives within 4s.",
     "Events that are sent while a client is disconnected are lost. This happens to every client, "
     "because networks change and proxies close connections.",
     "keep a history, and start after the event that Last-Event-ID names", Cure::none,
     resume_ignored},
    {"resume-restart", Severity::error, "resume starts over",
     "A request with the Last-Event-ID of an earlier event. An error if its first event is older "
     "than that event.",
     "At each reconnection, a client receives events that it has already received.",
     "start after the event that Last-Event-ID names", Cure::none, resume_restart},
    {"resume-gap", Severity::error, "resume leaves events out",
     "A request with the Last-Event-ID of an earlier event. An error if its response begins in the "
     "history, but leaves out events that are known.",
     "The server compares IDs as text, so that \"10\" is before \"9\", or its history is too "
     "short.",
     "find the event in the history, and send those after it, instead of comparing IDs as text",
     Cure::none, resume_gap},
    {"resume-inclusive", Severity::warning, "resume repeats an event",
     "A request with the Last-Event-ID of an earlier event. A warning if its first event is that "
     "event.",
     "The client has already received the event that Last-Event-ID names.",
     "start after the event, not at it", Cure::none, resume_inclusive},
    {"resume-status", Severity::error, "resume refused",
     "The status of a response to a request with Last-Event-ID. An error unless it is 200.",
     "An EventSource that receives another status when it reconnects fails, and does not try "
     "again.",
     "ignore an unknown ID, and start at the oldest event", Cure::none, resume_status},
    {"ends-and-repeats", Severity::error, "stream ends and repeats",
     "After a clean end of the stream: a reconnection as a browser makes it. An error if it "
     "receives the first event again, or a warning if the last event was [DONE].",
     "An EventSource reconnects when a stream ends, so it reads the whole stream again and again.",
     "answer 204 to a client that has received everything, or have the page call close() at a "
     "final event",
     Cure::none, ends_and_repeats},
};

} // namespace

std::span<const Check> resume_checks() { return resume_list; }

} // namespace sse::checks
