// Whether the stream changes if another content coding or type is requested.
#include "check/check.hpp"
#include "check/measures.hpp"
#include "http/media_type.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace sse::checks {

namespace {

// Seconds, unless stated otherwise.
constexpr Time old_enough = 1.5;
/// HAProxy may delay an event by 200ms, which on a stream of 5 events/s looks like one behind.
constexpr Time together = 0.06, apart = 0.3;
constexpr double one_behind_share = 0.7;
constexpr std::size_t least_pairs = 3;

std::string coding_of(const Exchange& seen) {
    const auto coding = seen.field("Content-Encoding");
    return coding.empty() ? "no Content-Encoding" : fmt::format("Content-Encoding: {}", coding);
}

/// The events that `other` should have received: those of `main` that arrived after the head of
/// `other`, and at least `old_enough` before both ended.
std::vector<std::size_t> owed(const Exchange& main, const Exchange& other) {
    std::vector<std::size_t> events;
    const auto from = other.head.value_or(other.connected.value_or(other.started));
    const auto until = std::min(main.ended, other.ended) - old_enough;
    for (std::size_t i = 0; i < main.events.size(); ++i) {
        if (main.events[i].at > from && main.events[i].at < until) events.push_back(i);
    }
    return events;
}

Verdict compression_holds(const Observations& seen) {
    const auto& main = seen.main();
    const auto& other = seen.of(Probe::compressed);
    if (!main.is_stream()) return not_applicable();
    if (!other.made()) return unknown("no request with Accept-Encoding: gzip was made");
    if (!other.has_head()) {
        if (!main.has_head() || other.ended - other.started < main.latency() + 2 * old_enough)
            return unknown("the request with Accept-Encoding: gzip was too short");
        const auto& third = seen.of(Probe::any_type);
        if (third.made() && !third.has_head())
            return unknown("other requests received no response either");
        return finding(
            Severity::error, "a request with Accept-Encoding: gzip receives no response",
            {fmt::format("no response within {}; without compression, the head arrived after {}",
                         shown_seconds(other.ended - other.started),
                         shown_seconds(main.latency()))});
    }
    if (other.status != main.status) {
        return finding(Severity::error, "with Accept-Encoding: gzip, the status is different",
                       {fmt::format("{} instead of {}", other.status, main.status)});
    }
    const auto old = owed(main, other);
    const auto common = matches(main, other);
    std::size_t missing = 0;
    for (const auto index : old) {
        missing += std::none_of(common.begin(), common.end(),
                                [&](const Pair& pair) { return pair.first == index; });
    }
    if (other.events.empty() && !old.empty()) {
        return finding(
            Severity::error, "compression holds events back",
            {fmt::format("with {}, none of {} arrived within {}", coding_of(other),
                         counted(old.size(), "event"), shown_seconds(other.ended - *other.head))});
    }
    if (!common.empty() && missing > 0 && missing >= (old.size() + 3) / 4) {
        const auto last = other.events.back().at;
        const auto newer = std::count_if(old.begin(), old.end(), [&](std::size_t index) {
            return main.events[index].at > last;
        });
        if (newer > 0) {
            return finding(Severity::error, "compression holds events back",
                           {fmt::format("with {}, {} did not arrive that the first connection had "
                                        "received {} before the end",
                                        coding_of(other), counted(missing, "event"),
                                        shown_seconds(old_enough))});
        }
    }
    if (old.empty() && other.events.empty())
        return unknown("no event arrived early enough to compare");
    return passed();
}

Verdict one_behind(const Observations& seen) {
    const auto& main = seen.main();
    const auto& other = seen.of(Probe::compressed);
    if (!main.is_stream() || !other.made() || other.field("Content-Encoding").empty())
        return not_applicable();
    const auto common = matches(main, other);
    // If each connection has a stream of its own, its events are shifted by the time at which it
    // began.
    const auto shift =
        other.connected.value_or(other.started) - main.connected.value_or(main.started);
    std::size_t behind = 0, number = 0;
    for (const auto& pair : common) {
        if (pair.first + 1 >= main.events.size()) continue;
        const auto at = other.events[pair.second].at;
        const auto own = main.events[pair.first].at, next = main.events[pair.first + 1].at;
        if (next - own < apart) continue;
        ++number;
        behind += std::fabs(at - next) < together && std::fabs(at - own - shift) > together;
    }
    if (number < least_pairs) return unknown("too few events arrived on both connections");
    if (static_cast<double>(behind) < one_behind_share * static_cast<double>(number))
        return passed();
    return finding(Severity::error,
                   "with compression, each event arrives only when the next one is sent",
                   {fmt::format("{} of {} arrived when the next one was sent", behind,
                                counted(number, "event"))});
}

Verdict accept_differs(const Observations& seen) {
    const auto& main = seen.main();
    const auto& other = seen.of(Probe::any_type);
    if (!main.has_head()) return not_applicable();
    if (!other.has_head()) return unknown("no response to a request with Accept: */*");
    const auto type = [](const Exchange& each) { return essence(each.field("Content-Type")); };
    if (other.status != main.status) {
        return finding(Severity::warning, "the status depends on Accept",
                       {fmt::format("{} with Accept: */*, {} with text/event-stream", other.status,
                                    main.status)});
    }
    if (type(other) != type(main)) {
        return finding(Severity::warning, "the type of the response depends on Accept",
                       {fmt::format("{} with Accept: */*, {} with text/event-stream", type(other),
                                    type(main))});
    }
    const auto old = owed(main, other);
    if (old.size() >= 2 && other.events.empty()) {
        return finding(
            Severity::warning, "with Accept: */*, no events arrive",
            {fmt::format("{} arrived with text/event-stream", counted(old.size(), "event"))});
    }
    return passed();
}

constexpr Check compression_list[] = {
    {"compression-holds", Severity::error, "compression holds events back",
     "The events of a second connection, made at the same time with Accept-Encoding: gzip. An "
     "error if it receives no response or another status, or if an event is missing that the first "
     "connection received at least 1.5s before the end.",
     "A compressor collects bytes until a block is complete. Browsers request compression and curl "
     "does not, so the fault appears only in browsers.",
     "", Cure::uncompress, compression_holds},
    {"compression-one-behind", Severity::error, "compression is one event behind",
     "When each event arrives with compression and without. An error if 70% of the events arrive "
     "with compression within 60ms of the next event without compression.",
     "The server flushes the compressor before it writes an event, not after it.", "",
     Cure::uncompress, one_behind},
    {"accept-differs", Severity::warning, "the response depends on Accept",
     "The status, type and events of a second connection, made at the same time with Accept: */*. "
     "A warning if the status or type differs, or if no events arrive.",
     "A client that does not send Accept: text/event-stream, such as fetch() in a page, receives a "
     "different response.",
     "send the stream whatever Accept contains, or document that clients must send it", Cure::none,
     accept_differs},
};

} // namespace

std::span<const Check> compression_checks() { return compression_list; }

} // namespace sse::checks
