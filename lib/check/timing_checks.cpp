// Whether events are delayed on their way.
#include "check/check.hpp"
#include "check/measures.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>
#include <string>

namespace sse::checks {

namespace {

// Seconds, unless stated otherwise.
constexpr Time late_head_warning = 1, late_head_error = 3;
constexpr Time with_the_head = 0.05;
constexpr double head_held = 2;
constexpr std::size_t page = 4096; ///< bytes: buffers of servers are multiples of it
constexpr std::size_t least_chunks = 3;
constexpr double page_share = 0.7;
constexpr Time silence = 1, comment_silence = 2;
constexpr std::uint64_t burst_bytes = 1024;
constexpr std::size_t burst_events = 3;
constexpr Time stamp_spread = 1.5; ///< more than the 1s by which whole seconds vary
constexpr std::size_t least_stamps = 3;
/// If this program woke up later than this, the machine was busy, and so may be a server on it:
/// then a delay alone is no error.
constexpr Time busy = 0.05;
constexpr Time trigger_late = 1, trigger_slow = 0.15;
constexpr Time direct_late = 0.3;
/// An event that one connection has received must be on the other one by then.
constexpr Time direct_settled = 1.5;

/// Why the timing of a stream cannot be judged; "" if it can.
std::string no_stream(const Exchange& main) {
    if (!main.has_head()) return "there was no response";
    if (!main.is_stream()) return "the response is not an event stream";
    return {};
}

std::vector<std::string> with_load(const Observations& seen, std::vector<std::string> evidence) {
    if (seen.late >= busy) {
        evidence.push_back(fmt::format("this machine was busy: sse check was delayed by up to {}",
                                       shown_seconds(seen.late)));
    }
    return evidence;
}

Verdict no_head(const Observations& seen) {
    const auto& main = seen.main();
    if (main.has_head()) return passed();
    std::vector<std::string> evidence;
    if (main.ending == Ending::refused) {
        return finding(Severity::error, "the server closed the connection without a response",
                       {fmt::format("closed after {}", shown_seconds(main.ended - main.started))});
    }
    const auto& head = seen.of(Probe::head);
    if (head.has_head()) {
        evidence.push_back(fmt::format("HEAD was answered after {} with status {}, so the server "
                                       "is running, but holds back the response to GET",
                                       shown_seconds(head.latency()), head.status));
    } else if (head.made()) {
        evidence.push_back(fmt::format("HEAD was not answered within {} either",
                                       shown_seconds(head.ended - head.started)));
    }
    return finding(Severity::error,
                   fmt::format("no response within {}", shown_seconds(main.ended - main.started)),
                   evidence);
}

Verdict head_held_back(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.has_head()) return not_applicable();
    const auto age = date_age(main);
    if (!age) return unknown("the response has no Date field");
    std::optional<double> quick;
    for (const auto probe : {Probe::second, Probe::head, Probe::any_type, Probe::compressed}) {
        const auto& other = seen.of(probe);
        if (!other.has_head() || other.latency() >= 1) continue;
        if (const auto its = date_age(other)) quick = quick ? std::min(*quick, *its) : *its;
    }
    if (!quick && main.latency() < 1) return passed();
    if (!quick) return unknown("no quick response arrived to compare the Date field with");
    if (*age - *quick < head_held) return passed();
    return finding(Severity::error, "the response head was held back in a buffer",
                   {fmt::format("its Date field is {} older than in quick responses",
                                shown_seconds(*age - *quick)),
                    fmt::format("the head arrived after {}", shown_seconds(main.latency()))});
}

Verdict late_head(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.has_head()) return not_applicable();
    const auto latency = main.latency();
    if (latency <= late_head_warning) return passed();
    if (!main.first_body || *main.first_body - *main.head > with_the_head) return passed();
    const bool severe = latency > late_head_error && seen.repeatable && seen.late < busy;
    return finding(
        severe ? Severity::error : Severity::warning,
        fmt::format("the response head arrived only after {}, with the first bytes of "
                    "the body",
                    shown_seconds(latency)),
        with_load(seen, {fmt::format("the first bytes of the body came {} after the head",
                                     shown_seconds(*main.first_body - *main.head))}));
}

/// Evidence that the sizes of chunks (or of bursts, if there are no chunks) are those of a buffer;
/// "" if there is none.
std::string sign_of_pages(const Exchange& main) {
    auto chunks = chunks_of(main);
    const bool chunked = main.framing == BodyFraming::chunked;
    if (!chunked) {
        for (const auto& burst : bursts_of(main)) chunks.push_back({burst.last, burst.bytes});
    }
    const auto events = main.events.size() + main.comments.size();
    if (chunks.size() < least_chunks || events == 0) return {};
    if (main.body_bytes / events >= page / 2) return {};
    if (chunks.back().at - chunks.front().at < silence) return {};
    const auto whole = std::count_if(chunks.begin(), chunks.end(), [](const Chunk& chunk) {
        return chunk.bytes > 0 && chunk.bytes % page == 0;
    });
    const auto share = static_cast<double>(whole) / static_cast<double>(chunks.size());
    if (whole < 2 || share < page_share) return {};
    return fmt::format("the sizes of {} of {} {} are multiples of {} bytes, although an event has "
                       "{} bytes on average",
                       whole, chunks.size(), chunked ? "chunks" : "bursts", page,
                       main.body_bytes / events);
}

/// Evidence of bursts that end within an event and are followed by silence, if there is one more
/// sign; "" if there is none.
std::string sign_of_cut_bursts(const Exchange& main) {
    const auto bursts = bursts_of(main);
    std::size_t number = 0;
    bool near_page = false;
    std::uint64_t bytes = 0;
    Time longest = 0;
    for (std::size_t i = 0; i < bursts.size(); ++i) {
        const auto& burst = bursts[i];
        const bool last = i + 1 == bursts.size();
        const auto pause = last ? main.ended - burst.last : silence_before(main, bursts, i + 1);
        if (burst.bytes < burst_bytes || !burst.inside_event || pause < silence) continue;
        if (last && main.ending != Ending::stopped) continue; // the check "cut" covers this
        ++number;
        bytes = burst.bytes;
        longest = std::max(longest, pause);
        for (const std::uint64_t size : {4096U, 8192U, 16384U, 32768U})
            near_page = near_page || (burst.bytes + 512 >= size && burst.bytes <= size + 16);
    }
    const bool late = main.has_head() && main.latency() > late_head_warning;
    if (number == 0 || !(number > 1 || near_page || late)) return {};
    return fmt::format(
        "{} (the last of {} bytes) ended within an event, followed by silence of up to {}",
        counted(number, "burst"), bytes, shown_seconds(longest));
}

std::string sign_of_comments(const Exchange& main) {
    const auto bursts = bursts_of(main);
    for (std::size_t i = 0; i < bursts.size(); ++i) {
        const auto pause = silence_before(main, bursts, i);
        if (bursts[i].comments < 2 || bursts[i].comments < bursts[i].events ||
            pause < comment_silence)
            continue;
        return fmt::format("{} arrived at once, after {} of silence",
                           counted(bursts[i].comments, "keepalive comment"), shown_seconds(pause));
    }
    return {};
}

Verdict held_back(const Observations& seen) {
    const auto& main = seen.main();
    if (auto why = no_stream(main); !why.empty()) return unknown(std::move(why));
    std::vector<std::string> evidence;
    for (const auto sign : {sign_of_pages, sign_of_cut_bursts}) {
        if (auto text = sign(main); !text.empty()) evidence.push_back(std::move(text));
    }
    const bool certain = !evidence.empty() || seen.late < busy;
    if (auto text = sign_of_comments(main); !text.empty()) evidence.push_back(std::move(text));
    if (!evidence.empty()) {
        return finding(certain ? Severity::error : Severity::warning,
                       "events are held back in a buffer until it is full or flushed",
                       with_load(seen, evidence));
    }
    if (main.events.size() < 2 && main.comments.size() < 2)
        return unknown("too few events arrived; use --trigger or --publish to decide it");
    return passed();
}

Verdict bursts(const Observations& seen) {
    const auto& main = seen.main();
    if (!no_stream(main).empty()) return not_applicable();
    const auto all = bursts_of(main);
    std::size_t number = 0, events = 0;
    Time longest = 0;
    for (std::size_t i = 1; i < all.size(); ++i) {
        const auto pause = silence_before(main, all, i);
        if (all[i].events < burst_events || pause < silence) continue;
        ++number;
        events = std::max(events, all[i].events);
        longest = std::max(longest, pause);
    }
    if (number >= 2) {
        return finding(Severity::warning, "events arrive in bursts, with silence between them",
                       {fmt::format("{} times, 3 to {} events arrived at once, after up to {} of "
                                    "silence",
                                    number, events, shown_seconds(longest)),
                        "a source that creates events in batches looks the same; use --direct or "
                        "--trigger to tell them apart"});
    }
    if (main.events.size() < burst_events) return unknown("too few events arrived");
    return passed();
}

Verdict collected(const Observations& seen) {
    const auto& main = seen.main();
    if (!no_stream(main).empty()) return not_applicable();
    const bool at_end = main.ending == Ending::complete || main.ending == Ending::closed;
    if (!at_end || main.events.size() < burst_events) return not_applicable();
    const auto& first = main.events.front();
    const auto& last = main.events.back();
    const auto wait = first.at - main.connected.value_or(main.started);
    if (last.at - first.at > 0.1 || wait <= silence || main.ended - last.at > 0.5) return passed();
    return finding(
        Severity::error, "the whole response was buffered before it was sent",
        {fmt::format("{} arrived within {}, after {} without any, and then the stream ended",
                     counted(main.events.size(), "event"), shown_seconds(last.at - first.at),
                     shown_seconds(wait))});
}

Verdict held_back_times(const Observations& seen) {
    const auto& main = seen.main();
    if (!no_stream(main).empty()) return not_applicable();
    const auto all = bursts_of(main);
    std::size_t stamped = 0;
    for (const auto& event : main.events) stamped += event.stamp.has_value();
    if (stamped < 2 || all.empty()) return unknown("the events contain no times");
    // What was sent at once at the start is history, whose times are old. A time that several
    // events have, such as that of a whole response, counts where it first appears.
    double newest = 0, least = 0, most = 0;
    std::size_t number = 0;
    for (const auto& event : main.events) {
        if (!event.stamp || *event.stamp <= newest) continue;
        newest = *event.stamp;
        if (event.at <= all.front().last) continue;
        const auto delay = seen.wall_start + event.at - newest;
        least = number == 0 ? delay : std::min(least, delay);
        most = number == 0 ? delay : std::max(most, delay);
        ++number;
    }
    if (number < least_stamps) return unknown("too few events with a time of their own arrived");
    if (most - least <= stamp_spread) return passed();
    return finding(Severity::warning, "the times in events show that events are delayed",
                   {fmt::format("the delay from the time in an event to its arrival varies by {} "
                                "({})",
                                shown_seconds(most - least), counted(number, "event"))});
}

Verdict held_back_direct(const Observations& seen) {
    const auto& main = seen.main();
    const auto& direct = seen.of(Probe::direct);
    if (!direct.made()) return not_applicable();
    if (auto why = no_stream(main); !why.empty()) return unknown(std::move(why));
    if (!direct.has_head() || direct.events.empty())
        return unknown("no event arrived from the URL of --direct");
    const auto common = matches(main, direct);
    std::vector<double> delays;
    delays.reserve(common.size());
    for (const auto& pair : common)
        delays.push_back(main.events[pair.first].at - direct.events[pair.second].at);
    std::set<std::string> arrived;
    for (const auto& event : main.events) arrived.insert(key_of(event));
    std::uint64_t old = 0, missing = 0;
    for (const auto& event : direct.events) {
        if (event.at <= main.head.value_or(0) || event.at >= main.ended - direct_settled) continue;
        ++old;
        missing += !arrived.contains(key_of(event));
    }
    if (common.empty()) {
        if (!main.events.empty()) return unknown("the two URLs have no event in common");
        if (old == 0) return unknown("no event arrived early enough to compare");
        return finding(
            Severity::error, "events that the origin server sends do not arrive",
            {fmt::format("{} arrived from the URL of --direct, none from the URL that is checked",
                         counted(old, "event"))});
    }
    std::nth_element(delays.begin(), delays.begin() + static_cast<long>(delays.size() / 2),
                     delays.end());
    const auto median = delays[delays.size() / 2];
    if (median > direct_late) {
        return finding(Severity::error, "events arrive later than from the origin server",
                       {fmt::format("{} later (median of {})", shown_seconds(median),
                                    counted(delays.size(), "event"))});
    }
    if (missing == 0 || missing < (old + 3) / 4) return passed();
    return finding(
        Severity::error, "some events that the origin server sends do not arrive",
        {fmt::format("{} of {} that came from the URL of --direct {} or more before the end",
                     missing, counted(old, "event"), shown_seconds(direct_settled))});
}

Verdict trigger_verdict(const Observations& seen) {
    if (seen.triggered.empty()) return not_applicable();
    std::vector<std::string> evidence;
    bool late = false, decided = false, slow = false;
    std::string failure;
    for (const auto& each : seen.triggered) {
        if (!each.failure.empty()) {
            failure = each.failure;
            continue;
        }
        if (!each.arrived) {
            if (seen.duration - each.sent < trigger_late) continue;
            evidence.push_back(fmt::format("an event had not arrived {} after it was sent",
                                           shown_seconds(seen.duration - each.sent)));
            late = decided = true;
            continue;
        }
        const auto delay = *each.arrived - each.sent;
        evidence.push_back(
            fmt::format("an event arrived {} after it was sent", shown_seconds(delay)));
        decided = true;
        late = late || delay >= trigger_late;
        slow = slow || delay >= trigger_slow;
    }
    if (!decided)
        return unknown(failure.empty() ? "the stream was not watched for long enough" : failure);
    if (late) return finding(Severity::error, "a triggered event arrived late", evidence);
    if (slow) {
        return finding(Severity::note, "a triggered event arrived with a delay", evidence);
    }
    return passed();
}

Verdict silent(const Observations& seen) {
    const auto& main = seen.main();
    if (!no_stream(main).empty()) return not_applicable();
    if (main.body_bytes > 0) return passed();
    if (main.ending != Ending::stopped) return not_applicable();
    return finding(
        Severity::warning,
        fmt::format("no byte of the stream arrived in {}", shown_seconds(main.ended - *main.head)),
        {"without events, the check cannot decide whether they are held back"});
}

constexpr Check timing_list[] = {
    {"no-head", Severity::error, "no response",
     "The time until the response head. An error if no head arrives while the stream is watched; a "
     "HEAD request shows whether the server answers at all.",
     "A server or a proxy sends the head only with the first bytes of the body, or buffers the "
     "whole response. Until the head arrives, an EventSource fires no open event, and browsers and "
     "proxies may time out.",
     "flush the head as soon as the stream is accepted, and send a comment such as \": ok\" with "
     "it",
     Cure::unbuffer, no_head},
    {"head-held", Severity::error, "response head held back",
     "The age of the Date field when the head arrives, minus its age in responses that arrive "
     "within 1s. An error if the difference is 2s or more.",
     "The server created the head, but it stayed in a buffer, usually until the first event was "
     "sent or the buffer was full.",
     "flush the head at once", Cure::unbuffer, head_held_back},
    {"late-head", Severity::error, "response head late",
     "The time until the head, if the first bytes of the body arrive within 50ms after it. A "
     "warning if over 1s, an error if over 3s; at most a warning if the request is not a GET "
     "without "
     "data, or if this machine is busy.",
     "Many frameworks send the head with the first write. Until then, a client cannot tell an "
     "open stream from a server that hangs.",
     "flush the head when the stream is accepted, or write a comment at once", Cure::unbuffer,
     late_head},
    {"held-back", Severity::error, "events held back in a buffer",
     "One of these signs: at least 3 chunks, of which 70% have a size that is a multiple of 4096 "
     "bytes, although an average event has less than 2048 bytes; bursts of 1KiB or more that end "
     "within an event and are followed by silence of 1s or more, if there are two of them, if the "
     "size of one is close to that of a buffer, or if the head was late; 2 or more comments at "
     "once after silence of 2s or more.",
     "A proxy, a compression filter or the output buffer of the application collects bytes until "
     "it is full. Events arrive late and in groups, and the last ones do not arrive at all.",
     "", Cure::unbuffer, held_back},
    {"bursts", Severity::warning, "events arrive in bursts",
     "Groups of events that arrive less than 30ms apart. A warning if 3 or more events arrive "
     "together after silence of 1s or more, at least twice.",
     "Either a buffer collects events, or the source creates them in batches. The two look the "
     "same to a client; --direct, --trigger or --publish tells them apart.",
     "compare with the origin server: --direct URL", Cure::unbuffer, bursts},
    {"collected", Severity::error, "whole response buffered",
     "The times of the events and of the end. An error if 3 or more events all arrive within 0.1s, "
     "more than 1s after the connection was made, and the stream ends within 0.5s after them.",
     "A compression filter, a function gateway or a framework waits for the end of the response "
     "before it sends the body. The client receives nothing until then.",
     "", Cure::unbuffer, collected},
    {"held-back-times", Severity::warning, "times in events show a delay",
     "Times in IDs or data: RFC 3339, or seconds, milliseconds or microseconds since 1970. A "
     "warning if the delay from the time in an event to its arrival varies by more than 1.5s. If "
     "several events contain the same time, only the first counts. The first burst is ignored, "
     "because it may be history.",
     "The events were created at different times, but a buffer collected them and they were sent "
     "together.",
     "", Cure::unbuffer, held_back_times},
    {"held-back-direct", Severity::error, "events later than from the origin server",
     "With --direct: when the same events arrive from both URLs. An error if they arrive more than "
     "0.3s later than from the origin server (median), or if a quarter of the events that it sent "
     "1.5s or more before the end is missing.",
     "A proxy between this client and the origin server delays the events. Change the "
     "configuration of that proxy.",
     "", Cure::unbuffer, held_back_direct},
    {"trigger-late", Severity::error, "triggered event late",
     "With --trigger or --publish: the time from sending an event until it arrives. An error if it "
     "is 1s or more, or if the event does not arrive within 5s; a note if it is 150ms or more.",
     "On a quiet stream, only this shows whether events are held back. HAProxy adds about 200ms by "
     "default, because it waits for more data to send.",
     "", Cure::unbuffer, trigger_verdict},
    {"silent", Severity::warning, "nothing arrived",
     "The number of bytes in the body. A warning if there are none in the whole time.",
     "Either the stream is quiet and has no keepalive comments, or its bytes are held back. "
     "Without any bytes, the check cannot tell which.",
     "have an event sent with --trigger or --publish, or watch for longer with --long", Cure::none,
     silent},
};

} // namespace

std::span<const Check> timing_checks() { return timing_list; }

} // namespace sse::checks
