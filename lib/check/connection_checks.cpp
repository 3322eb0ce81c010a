// Statuses, types, framing, cuts, caches, and how many connections there may be.
#include "check/check.hpp"
#include "check/measures.hpp"
#include "http/media_type.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

namespace sse::checks {

namespace {

/// The time that the second request waits, by the time that the first one took.
constexpr double blocked_share = 3;
// Seconds.
constexpr Time quick_head = 1, quiet = 30, near_limit = 0.5, clock_off = 5;
constexpr Time least_quiet_watch = 31;

/// Idle times after which well-known servers and balancers cut a connection.
struct IdleLimit {
    Time seconds;
    const char* servers;
};
constexpr IdleLimit idle_limits[] = {
    {30, "HAProxy (timeout server, in many examples), Heroku's first byte"},
    {50, "HAProxy (timeout client and server in Debian's configuration)"},
    {55, "Heroku"},
    {60, "nginx (proxy_read_timeout), AWS ALB (idle timeout)"},
    {100, "Cloudflare"},
    {230, "Azure App Service"},
    {350, "AWS NLB"},
};

bool contains(std::string_view text, std::string_view part) {
    return std::search(text.begin(), text.end(), part.begin(), part.end(), [](char a, char b) {
               const auto lower = [](char c) {
                   return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
               };
               return lower(a) == lower(b);
           }) != text.end();
}

Verdict status(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.has_head()) return not_applicable();
    if (main.status == 200) return passed();
    if (main.status == 204) {
        return finding(Severity::error, "the status is 204: an EventSource never connects again",
                       {"send 204 only to clients that have received everything"});
    }
    return finding(
        Severity::error,
        fmt::format("the status is {}, not 200: an EventSource gives up for good", main.status));
}

Verdict content_type(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.has_head() || main.status != 200) return not_applicable();
    const auto type = essence(main.field("Content-Type"));
    if (type == "text/event-stream") return passed();
    return finding(Severity::error,
                   type.empty() ? "the response has no Content-Type"
                                : fmt::format("the type is {}, not text/event-stream", type),
                   {"an EventSource fails with an error, and does not connect again"});
}

Verdict html(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.has_head() || main.body_start.empty()) return not_applicable();
    const auto start = main.body_start.find_first_not_of(" \t\r\n");
    if (start == main.body_start.npos || main.body_start[start] != '<') return passed();
    return finding(Severity::error, "the body is a page, not a stream",
                   {"a login, an error page or a captive portal answers in place of the server"});
}

Verdict charset_is_utf8(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.is_stream()) return not_applicable();
    const auto name = charset(main.field("Content-Type"));
    if (!name || same_name(*name, "utf-8") || same_name(*name, "utf8")) return passed();
    return finding(Severity::warning,
                   fmt::format("the charset is {}, but event streams are always UTF-8", *name));
}

Verdict cache_control(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.is_stream()) return not_applicable();
    const auto text = main.field("Cache-Control");
    for (const char* name : {"no-cache", "no-store", "private"}) {
        if (contains(text, name)) return passed();
    }
    return finding(
        Severity::warning, "caches may keep the response",
        {text.empty() ? "there is no Cache-Control" : fmt::format("Cache-Control: {}", text)});
}

Verdict cached(const Observations& seen) {
    bool any = false;
    for (std::size_t i = 0; i < probe_count; ++i) {
        const auto& each = seen.exchanges[i];
        if (!each.has_head()) continue;
        any = true;
        const auto age = each.field("Age");
        unsigned long seconds = 0;
        std::from_chars(age.data(), age.data() + age.size(), seconds);
        std::string sign;
        if (seconds > 0) sign = fmt::format("Age: {}", age);
        else if (contains(each.field("X-Cache"), "hit") &&
                 !contains(each.field("X-Cache"), "hit-for-pass"))
            sign = fmt::format("X-Cache: {}", each.field("X-Cache"));
        else if (each.field("X-Varnish").find(' ') != std::string_view::npos)
            sign = fmt::format("X-Varnish: {} (two numbers: a hit)", each.field("X-Varnish"));
        if (sign.empty()) continue;
        return finding(Severity::error, "the response comes from a cache",
                       {fmt::format("{} (request: {})", sign, to_string(static_cast<Probe>(i)))});
    }
    return any ? passed() : not_applicable();
}

Verdict framing(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.is_stream()) return not_applicable();
    if (main.framing != BodyFraming::close) return passed();
    return finding(
        Severity::warning, "the end of the stream is not marked: it looks the same as a cut",
        {fmt::format("{} without Transfer-Encoding and without Content-Length", main.version)});
}

Verdict content_length(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.is_stream()) return not_applicable();
    if (main.framing != BodyFraming::length) return passed();
    return finding(Severity::error, "the response has a Content-Length, so it is not a live stream",
                   {fmt::format("Content-Length: {}", main.field("Content-Length")),
                    "a file, a cache or a proxy that collects the response sends such a head"});
}

Verdict cut(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.has_head()) return not_applicable();
    const bool broken = main.ending == Ending::cut || main.ending == Ending::reset;
    const bool within = main.ending == Ending::closed && main.format.unfinished_event;
    if (!broken && !within) return passed();
    const auto last = main.pieces.empty() ? *main.head : main.pieces.back().at;
    const auto idle = main.ended - last;
    std::vector<std::string> evidence = {
        fmt::format("after {}, of which the last {} without a byte",
                    shown_seconds(main.ended - *main.head), shown_seconds(idle))};
    if (!main.failure.empty()) evidence.push_back(main.failure);
    for (const auto& limit : idle_limits) {
        if (std::fabs(idle - limit.seconds) < near_limit)
            evidence.push_back(
                fmt::format("{:.0f}s is the limit of {}", limit.seconds, limit.servers));
    }
    return finding(Severity::error,
                   within ? "the stream ended within an event" : "the stream was cut", evidence);
}

Verdict keepalive(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.is_stream()) return not_applicable();
    const auto longest = longest_silence(main);
    if (longest > quiet) {
        return finding(seen.long_watch ? Severity::warning : Severity::note,
                       fmt::format("{} passed without a byte", shown_seconds(longest)),
                       {"many proxies cut a connection that is silent for 30s to 60s"});
    }
    if (main.comments.size() >= 2) return passed();
    if (main.ending != Ending::stopped) return unknown("the stream ended before");
    if (main.ended - *main.head < least_quiet_watch)
        return unknown(fmt::format("{} of watching do not show it; use --long",
                                   shown_seconds(main.ended - *main.head)));
    return passed();
}

/// The others got a response while `second` got none.
bool others_have_heads(const Observations& seen) {
    const auto& compressed = seen.of(Probe::compressed);
    const auto& any = seen.of(Probe::any_type);
    return compressed.has_head() || any.has_head();
}

Verdict one_at_a_time(const Observations& seen) {
    const auto& main = seen.main();
    const auto& second = seen.of(Probe::second);
    if (!main.has_head() || main.status != 200) return not_applicable();
    if (!second.made()) return unknown("no second connection was made");
    if (second.has_head()) return passed();
    if (main.latency() * blocked_share > second.ended - second.started)
        return unknown("the first response was not quick, either");
    if (second.ending != Ending::silent && second.ending != Ending::refused)
        return unknown(second.failure.empty() ? "the second connection failed" : second.failure);
    if (others_have_heads(seen) && second.sent_cookie) return passed();
    if (others_have_heads(seen))
        return unknown("one of several further connections got no response");
    return finding(
        Severity::error, "the server serves one client at a time",
        {fmt::format("while one stream was open, a second request got no response within {}",
                     shown_seconds(second.ended - second.started))});
}

Verdict session_lock(const Observations& seen) {
    const auto& second = seen.of(Probe::second);
    if (!second.made() || !second.sent_cookie) return not_applicable();
    if (second.has_head()) return passed();
    if (!others_have_heads(seen)) return unknown("no further connection got a response");
    return finding(
        Severity::error, "a stream blocks all other requests of the same session",
        {fmt::format("a request with the cookie of the first one got no response within {}; "
                     "requests without a cookie did",
                     shown_seconds(second.ended - second.started))});
}

Verdict clock_is_right(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.has_head() || main.latency() >= quick_head) return not_applicable();
    const auto age = date_age(main);
    if (!age) return not_applicable();
    if (std::fabs(*age) <= clock_off || !main.field("Age").empty()) return passed();
    return finding(Severity::note, "the clocks of the server and of this machine differ",
                   {fmt::format("by {}", shown_seconds(std::fabs(*age)))});
}

constexpr Check connection_list[] = {
    {"status", Severity::error, "wrong status", "The status of the response. An error unless 200.",
     "By the HTML standard, an EventSource reads a stream only with status 200. With any other, it "
     "fails and does not connect again; 204 tells it never to do so.",
     "answer 200; to have a client come back later, accept the stream, send retry, and end it",
     Cure::none, status},
    {"content-type", Severity::error, "wrong Content-Type",
     "Content-Type. An error unless text/event-stream.",
     "An EventSource reads no other type. Generic compressors and buffers also know a stream by "
     "it.",
     "Content-Type: text/event-stream", Cure::none, content_type},
    {"html", Severity::error, "a page in place of a stream",
     "The first character of the body. An error if it is <.",
     "A login page, an error page or a page of the application was sent: a wrong path, or a "
     "session that has expired.",
     "check the path in the URL, and whether it needs credentials", Cure::none, html},
    {"charset", Severity::warning, "charset other than UTF-8", "The charset of Content-Type.",
     "Event streams are always decoded as UTF-8, whatever the head says.",
     "remove the parameter, and send UTF-8", Cure::none, charset_is_utf8},
    {"cache-control", Severity::warning, "response may be cached",
     "Cache-Control. A warning without no-cache, no-store and private.",
     "A cache that keeps a stream collects it first, and then gives old events to all.",
     "Cache-Control: no-store, no-transform", Cure::none, cache_control},
    {"cached", Severity::error, "response from a cache",
     "Age, X-Cache and X-Varnish of each response. An error with Age over 0, a hit, or two numbers "
     "in X-Varnish.",
     "The events are those of another client, from another time.",
     "exclude the path from the cache, and send Cache-Control: no-store", Cure::none, cached},
    {"framing", Severity::warning, "end of stream not marked",
     "Transfer-Encoding and Content-Length. A warning if there is neither.",
     "With HTTP/1.0, or Connection: close without chunks, the end of the connection is the end of "
     "the stream. A client cannot tell it from a cut.",
     "serve HTTP/1.1 (nginx: proxy_http_version 1.1;)", Cure::none, framing},
    {"content-length", Severity::error, "Content-Length on a stream",
     "The framing of the body. An error with Content-Length.",
     "The length of a live stream is not known when it begins: something collected it first, or it "
     "is a file.",
     "remove Content-Length, and let the server use chunks", Cure::unbuffer, content_length},
    {"cut", Severity::error, "stream cut",
     "How the connection ended. An error if within a chunk, before the last one, by a reset, or "
     "within an event; with the age of the connection and the time since the last byte.",
     "A proxy or a balancer ended a connection that was quiet or old, or the server crashed.",
     "send a comment such as \": ping\" at half of the time limit", Cure::keep_open, cut},
    {"keepalive", Severity::warning, "long silence",
     "The longest time without a byte. A note over 30s, with --long a warning.",
     "Proxies cut connections that are silent, often after 30s or 60s, and a client that is gone "
     "is noticed only when something is sent to it.",
     "send a comment such as \": ping\" every 15s", Cure::none, keepalive},
    {"one-at-a-time", Severity::error, "one client at a time",
     "A second request while the stream is open. An error if it gets no response within 4.5s, "
     "while the first got one in a third of that time.",
     "A server with one worker (gunicorn with sync workers, a development server) is taken up by "
     "one stream.",
     "use more workers, or an asynchronous server (gunicorn -k gevent, uvicorn, threads)",
     Cure::none, one_at_a_time},
    {"session-lock", Severity::error, "session locked",
     "A second request with the cookies that the first one received. An error if it gets no "
     "response, while others without the cookie do.",
     "PHP and some frameworks lock the session for as long as a request runs. All other requests "
     "of the same browser then wait.",
     "call session_write_close() before the stream begins", Cure::none, session_lock},
    {"clock", Severity::note, "clocks differ",
     "The Date field of a quick response. A note over 5s.",
     "Times in events and expiry dates of tokens are off by as much.", "synchronise the clocks",
     Cure::none, clock_is_right},
};

} // namespace

std::span<const Check> connection_checks() { return connection_list; }

} // namespace sse::checks
