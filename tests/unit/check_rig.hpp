// Made-up observations for the tests of the checks.
#pragma once

#include "check/check.hpp"
#include "check/observation.hpp"

#include <string>
#include <utility>

namespace check_rig {

using sse::checks::Ending;
using sse::checks::Exchange;
using sse::checks::Observations;
using sse::checks::Probe;
using sse::checks::Severity;
using sse::checks::Verdict;

/// A response with status 200 and the usual head, `latency` after the start.
inline Exchange stream(double started = 0, double latency = 0.01) {
    Exchange seen;
    seen.ending = Ending::stopped;
    seen.started = started;
    seen.connected = started + 0.001;
    seen.head = started + 0.001 + latency;
    seen.ended = 12;
    seen.status = 200;
    seen.version = "HTTP/1.1";
    seen.framing = sse::BodyFraming::chunked;
    seen.wall_at_head = 1'800'000'000 + *seen.head;
    seen.fields = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}};
    return seen;
}

/// `bytes` of the body at `at`, a chunk of their own.
inline void add_bytes(Exchange& seen, double at, std::size_t bytes, bool inside_event = false) {
    if (!seen.first_body) seen.first_body = at;
    seen.body_bytes += bytes;
    seen.pieces.push_back({at, bytes, true, inside_event});
}

/// An event with `id` ("" for none) and data that `text` stands for, of 60 bytes.
inline void add_event(Exchange& seen, double at, std::string id, std::uint64_t text) {
    add_bytes(seen, at, 60);
    sse::checks::SeenEvent event;
    event.at = at;
    event.hash = text;
    if (!id.empty()) event.id = std::move(id);
    seen.events.push_back(event);
}

/// Events 1 to `count`, one every `every` seconds from `first` on, with their number as ID.
inline void add_events(Exchange& seen, unsigned count, double first, double every) {
    for (unsigned i = 1; i <= count; ++i)
        add_event(seen, first + every * (i - 1), std::to_string(i), i);
}

/// A good stream of 2 events a second, seen by all requests.
inline Observations good() {
    Observations seen;
    seen.url = "http://h/";
    seen.duration = 12;
    seen.of(Probe::main) = stream();
    add_events(seen.of(Probe::main), 20, 0.1, 0.5);
    for (const auto probe : {Probe::compressed, Probe::any_type}) {
        seen.of(probe) = stream(0.2);
        auto& other = seen.of(probe);
        for (unsigned i = 2; i <= 20; ++i)
            add_event(other, 0.1 + 0.5 * (i - 1) + 0.002, std::to_string(i), i);
    }
    seen.of(Probe::second) = stream(0.1);
    seen.of(Probe::head) = stream(0.4);
    seen.of(Probe::resumed) = stream(2.2);
    seen.resumed_after = 1;
    add_event(seen.of(Probe::resumed), 2.25, "3", 3);
    return seen;
}

/// `error`, `warn` or `note` for a finding, else `ok`, `?` or `-` (not applicable).
inline std::string verdict(const Observations& seen, const char* id) {
    const auto* check = sse::checks::find_check(id);
    if (!check) return "no such check";
    const auto verdict = check->judge(seen);
    switch (verdict.kind) {
    case Verdict::Kind::passed: return "ok";
    case Verdict::Kind::unknown: return "?";
    case Verdict::Kind::not_applicable: return "-";
    case Verdict::Kind::finding: break;
    }
    return std::string(to_string(verdict.severity));
}

/// The IDs of all findings but notes.
inline std::string findings(const Observations& seen) {
    std::string ids;
    for (const auto& result : sse::checks::judge(seen)) {
        if (result.verdict.kind != Verdict::Kind::finding ||
            result.verdict.severity == Severity::note)
            continue;
        if (!ids.empty()) ids += " ";
        ids += result.check->id;
    }
    return ids;
}

} // namespace check_rig
