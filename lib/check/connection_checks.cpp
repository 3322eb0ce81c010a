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

/// The second request is blocked if it waits this many times as long as the first one did.
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
    {30, "HAProxy (timeout server, in many examples) and of Heroku (first byte)"},
    {50, "HAProxy (timeout client and server in Debian's configuration)"},
    {55, "Heroku"},
    {60, "nginx (proxy_read_timeout) and of AWS ALB"},
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
        return finding(Severity::error, "the status is 204, so an EventSource does not reconnect",
                       {"send 204 only to clients that have received everything"});
    }
    return finding(
        Severity::error,
        fmt::format("the status is {}, not 200, so an EventSource fails and does not reconnect",
                    main.status));
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
    return finding(
        Severity::error, "the body is HTML or XML, not an event stream",
        {"a login page, an error page or a captive portal was sent instead of the stream"});
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
        Severity::warning, "caches may store the response",
        {text.empty() ? "Cache-Control is absent" : fmt::format("Cache-Control: {}", text)});
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
        Severity::warning,
        "the end of the stream is not marked: clients cannot tell it from a broken connection",
        {fmt::format("{} without Transfer-Encoding or Content-Length", main.version)});
}

Verdict content_length(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.is_stream()) return not_applicable();
    if (main.framing != BodyFraming::length) return passed();
    return finding(
        Severity::error, "the response has a Content-Length, so it is not a live stream",
        {fmt::format("Content-Length: {}", main.field("Content-Length")),
         "files have this field, and so do responses that a cache or a proxy buffers as a whole"});
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
        fmt::format("{} after the response head, and {} after the last byte",
                    shown_seconds(main.ended - *main.head), shown_seconds(idle))};
    if (!main.failure.empty()) evidence.push_back(main.failure);
    for (const auto& limit : idle_limits) {
        if (std::fabs(idle - limit.seconds) < near_limit)
            evidence.push_back(
                fmt::format("{:.0f}s is the idle timeout of {}", limit.seconds, limit.servers));
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
                       fmt::format("no byte arrived for {}", shown_seconds(longest)),
                       {"many proxies close a connection that is idle for 30s to 60s"});
    }
    if (main.comments.size() >= 2) return passed();
    if (main.ending != Ending::stopped) return unknown("the stream ended too early");
    if (main.ended - *main.head < least_quiet_watch)
        return unknown(fmt::format("watching for {} does not show it; use --long",
                                   shown_seconds(main.ended - *main.head)));
    return passed();
}

/// Other requests received a response. Call it if `second` received none.
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
        return unknown("the first response was slow as well");
    if (second.ending != Ending::silent && second.ending != Ending::refused)
        return unknown(second.failure.empty() ? "the second connection failed" : second.failure);
    if (others_have_heads(seen) && second.sent_cookie) return passed();
    if (others_have_heads(seen))
        return unknown("only some of the further requests received a response");
    return finding(
        Severity::error, "the server serves one client at a time",
        {fmt::format("while one stream was open, a second request received no response within {}",
                     shown_seconds(second.ended - second.started))});
}

Verdict session_lock(const Observations& seen) {
    const auto& second = seen.of(Probe::second);
    if (!second.made() || !second.sent_cookie) return not_applicable();
    if (second.has_head()) return passed();
    if (!others_have_heads(seen)) return unknown("no further request received a response");
    return finding(Severity::error, "a stream blocks all other requests of the same session",
                   {fmt::format("a request with the cookies of the first response received no "
                                "response within {}; requests without them did",
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
    {"status", Severity::error, "wrong status", "The response status. An error unless it is 200.",
     "According to the HTML standard, an EventSource reads a stream only if the status is 200. "
     "With "
     "any other status, it fails and does not reconnect. A server can send 204 to stop an "
     "EventSource from reconnecting.",
     "answer 200; to make a client reconnect later, send a retry field and end the stream",
     Cure::none, status},
    {"content-type", Severity::error, "wrong Content-Type",
     "The Content-Type field. An error unless it is text/event-stream.",
     "An EventSource reads no other type. Some proxies also use the type to decide which responses "
     "not to buffer or compress.",
     "send Content-Type: text/event-stream", Cure::none, content_type},
    {"html", Severity::error, "HTML instead of a stream",
     "The first character of the body that is not white space. An error if it is <.",
     "The server sent a login page, an error page or a page of the application, because the path "
     "is wrong or a session has expired.",
     "check the path in the URL, and whether it needs credentials", Cure::none, html},
    {"charset", Severity::warning, "charset other than UTF-8",
     "The charset parameter of Content-Type. A warning unless it is utf-8 or absent.",
     "Clients always decode event streams as UTF-8, and ignore this parameter.",
     "encode the stream as UTF-8, and remove the charset parameter", Cure::none, charset_is_utf8},
    {"cache-control", Severity::warning, "response may be cached",
     "The Cache-Control field. A warning if it contains none of no-cache, no-store and private.",
     "A cache may buffer the whole stream before it forwards it, and then send old events to all "
     "clients.",
     "send Cache-Control: no-store, no-transform", Cure::none, cache_control},
    {"cached", Severity::error, "response from a cache",
     "The fields Age, X-Cache and X-Varnish of each response. An error if Age is above 0, if "
     "X-Cache contains \"hit\", or if X-Varnish contains two numbers.",
     "A cache sends events that it stored earlier, when it served another client.",
     "exclude the path from the cache, and send Cache-Control: no-store", Cure::none, cached},
    {"framing", Severity::warning, "end of stream not marked",
     "The fields Transfer-Encoding and Content-Length. A warning if both are absent.",
     "With HTTP/1.0, or with Connection: close and no chunked encoding, the stream ends when the "
     "connection is closed. A client cannot tell this end from a broken connection.",
     "serve HTTP/1.1 (nginx: proxy_http_version 1.1;)", Cure::none, framing},
    {"content-length", Severity::error, "Content-Length on a stream",
     "The framing of the body. An error if the response has a Content-Length.",
     "The length of a live stream is not known when it begins, so the response is a file, or was "
     "buffered completely before it was sent.",
     "remove Content-Length, so that the server uses chunked encoding", Cure::unbuffer,
     content_length},
    {"cut", Severity::error, "stream cut",
     "How the connection ended. An error if it was reset, or was closed before the body was "
     "complete. If only the end of the connection marks the end of the body, an error if that is "
     "within an event. The report gives the times since the response head and since the last byte.",
     "A proxy or a load balancer closed the connection because it was idle or old, or the server "
     "crashed.",
     "send a comment such as \": ping\" at intervals of half the idle timeout", Cure::keep_open,
     cut},
    {"keepalive", Severity::warning, "long silence",
     "The longest time without a byte. A note if it is over 30s; with --long, a warning.",
     "Proxies close idle connections, often after 30s or 60s. A server may notice that a client "
     "has disconnected only when it sends something.",
     "send a comment such as \": ping\" every 15s", Cure::none, keepalive},
    {"one-at-a-time", Severity::error, "one client at a time",
     "A second request while the stream is open. An error if it receives no response within 4.5s, "
     "although the first one was answered within a third of that time.",
     "One stream occupies the only worker of the server, such as gunicorn with one sync worker, or "
     "a development server.",
     "use more workers, or an asynchronous server (gunicorn -k gevent, uvicorn, threads)",
     Cure::none, one_at_a_time},
    {"session-lock", Severity::error, "session locked",
     "A second request with the cookies that the first response set. An error if it receives no "
     "response, although requests without the cookies do.",
     "PHP and some frameworks lock the session while a request runs, so all other requests of the "
     "same browser wait until the stream ends.",
     "in PHP, call session_write_close() before the stream begins", Cure::none, session_lock},
    {"clock", Severity::note, "clocks differ",
     "The Date field, if the response head arrives within 1s. A note if it differs from the clock "
     "of this machine by more than 5s.",
     "Times in events and expiry times of tokens are then wrong by the same amount.",
     "synchronise the clocks", Cure::none, clock_is_right},
};

} // namespace

std::span<const Check> connection_checks() { return connection_list; }

} // namespace sse::checks
