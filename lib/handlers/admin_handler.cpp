#include "handlers/admin_handler.hpp"

#include "base/posix.hpp"
#include "base/utf8.hpp"
#include "handlers/metrics_text.hpp"
#include "server/server.hpp"

#include <sys/resource.h>
#include <utility>

namespace sse {

namespace {

void add_process(MetricsText& out) {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    out.counter("process_cpu_seconds_total", "CPU time of the process, user and system.");
    out.sample(seconds(used.ru_utime) + seconds(used.ru_stime));
    if (const auto resident = resident_bytes()) {
        out.gauge("process_resident_memory_bytes", "Resident memory.");
        out.sample(*resident);
    }
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    out.gauge("process_max_fds", "Limit of open file descriptors.");
    out.sample(static_cast<std::uint64_t>(files.rlim_cur));
}

void add_server(const ServerCounts& now, MetricsText& out) {
    out.gauge("sse_clients", "Connections open now.");
    out.sample(now.clients);
    out.gauge("sse_loop_clients", "Connections open now, by event loop.");
    for (std::size_t i = 0; i < now.loop_clients.size(); ++i)
        out.sample("loop", std::to_string(i), now.loop_clients[i]);
    out.gauge("sse_streams", "Streams open now.");
    out.sample(now.streams);
    out.counter("sse_connections_total", "Connections accepted.");
    out.sample(now.connects);
    out.counter("sse_requests_total", "Requests answered, including refusals.");
    out.sample(now.requests);
    out.counter("sse_streams_total", "Streams opened.");
    out.sample(now.streams_opened);
    out.counter("sse_sent_bytes_total", "Bytes sent, including response heads.");
    out.sample(now.bytes);
    out.counter("sse_stalls_total",
                "Connections closed because the client accepted no data for the stall timeout.");
    out.sample(now.stalls);
    out.counter("sse_refusals_total", "Clients refused, by reason.");
    for (std::size_t i = 1; i < now.refusals.size(); ++i)
        out.sample("reason", refusal_names[i], now.refusals[i]);
    out.counter("sse_connection_ends_total", "Connections ended, by cause.");
    for (std::size_t i = 1; i < now.ends.size(); ++i)
        out.sample("how", end_reason_names[i], now.ends[i]);
}

void add_channels(const ChannelCounts& now, MetricsText& out) {
    out.counter("sse_events_total", "Events and comments published.");
    out.sample(now.events);
    out.counter("sse_published_bytes_total", "Bytes of encoded events published.");
    out.sample(now.bytes);
    out.counter("sse_deliveries_total", "Events sent completely, once for each subscriber.");
    out.sample(now.deliveries);
    out.counter("sse_missed_events_total", "Events evicted from the history before they were sent, "
                                           "once for each subscriber.");
    out.sample(now.missed);
    out.counter("sse_slow_client_skips_total",
                "Times that a slow client skipped to the oldest event held.");
    out.sample(now.slow_client_skips);
    out.gauge("sse_subscribers_behind", "Subscribers to which the newest event has not been sent.");
    out.sample(now.behind);
    out.gauge("sse_slowest_lag_events",
              "Events that have not been sent to the slowest subscriber.");
    out.sample(now.lag);
    out.gauge("sse_history_events", "Events held in the history.");
    out.sample(now.history_events);
    out.gauge("sse_history_bytes", "Bytes of encoded events held in the history.");
    out.sample(now.history_bytes);
}

void add_remote_store(const LogCounts::Remote& now, MetricsText& out) {
    const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
        out.counter(name, help);
        out.sample(value);
    };
    counter("sse_store_appends_total", "Publications of this server that Redis has stored.",
            now.appends);
    out.counter("sse_store_append_seconds_total", "Time that Redis took to store them, in total.");
    out.sample(now.append_seconds);
    counter("sse_store_reconnects_total", "Connections to Redis that broke.", now.reconnects);
    counter("sse_store_chain_breaks_total",
            "Times that a message of Redis was missed, noticed by the next one.", now.chain_breaks);
    counter("sse_store_stalls_total",
            "Times that a message of Redis was missed, noticed by comparing.", now.stalls);
    counter("sse_store_put_back_total",
            "Publications that Redis had lost and that this server gave it back.", now.put_back);
    counter("sse_store_gaps_total", "Times that events were lost that no server held.", now.gaps);
    counter("sse_store_duplicates_total", "Publications whose Idempotency-Key was known.",
            now.duplicates);
    counter("sse_store_refused_total", "Publications that Redis refused.", now.refused);
    counter("sse_store_pages_total", "Pages read for clients.", now.pages);
}

void add_store(const LogCounts& now, MetricsText& out) {
    out.gauge("sse_store_up", "1 if the store can be written, 0 if not.");
    out.sample(std::uint64_t{now.error.empty()});
    out.gauge("sse_store_queued_bytes", "Bytes of events that are not written yet.");
    out.sample(now.queued_bytes);
    out.counter("sse_store_damaged_total",
                "Places found damaged, at the start or by reading; their events are lost.");
    out.sample(now.damaged);
    if (now.remote) return add_remote_store(*now.remote, out);
    out.gauge("sse_store_bytes", "Bytes of all segments.");
    out.sample(now.bytes);
    out.gauge("sse_store_segments", "Files that hold events.");
    out.sample(now.segments);
    out.gauge("sse_store_events", "Events and comments held.");
    out.sample(now.events);
    if (now.oldest_ms > 0) {
        out.gauge("sse_store_oldest_event_time_seconds",
                  "When the oldest event was written, in seconds since 1970-01-01 UTC.");
        out.sample(static_cast<double>(now.oldest_ms) / 1e3);
    }
    out.counter("sse_store_syncs_total", "Syncs to the disk that succeeded.");
    out.sample(now.syncs);
    out.gauge("sse_store_last_sync_seconds", "Time that the last sync to the disk took.");
    out.sample(now.last_sync_seconds);
    out.counter("sse_store_duplicates_total", "Publications whose Idempotency-Key was known.");
    out.sample(now.duplicates);
}

} // namespace

AdminHandler::AdminHandler(const Server& server, const CountsSource& counts, AdminOptions options)
    : server_(server)
    , counts_(counts)
    , options_(options)
    , started_(std::chrono::system_clock::now()) {}

Response AdminHandler::respond(const Request& request, std::size_t) {
    const bool metrics_wanted = request.path == "/metrics";
    if (!metrics_wanted && request.path != "/healthz" && request.path != "/readyz")
        return text_response(404, "not found; the routes are /healthz, /readyz and /metrics\n");
    if (request.method != "GET" && request.method != "HEAD") {
        auto response = text_response(405, "the allowed methods are GET and HEAD\n");
        response.headers.emplace_back("Allow", "GET, HEAD");
        return response;
    }
    auto response = metrics_wanted               ? text_response(200, metrics())
                    : request.path == "/healthz" ? health()
                                                 : readiness();
    if (metrics_wanted) response.content_type = MetricsText::content_type;
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
}

Response AdminHandler::health() const {
    return server_.stopping() ? text_response(503, "draining\n") : text_response(200, "ok\n");
}

Response AdminHandler::readiness() const {
    if (server_.stopping()) return health();
    if (const auto log = counts_.log_counts(); log && !log->error.empty())
        return text_response(503, "the store cannot be written: " + log->error + '\n');
    return text_response(200, "ready\n");
}

std::string AdminHandler::metrics() const {
    MetricsText out;
    out.gauge("sse_build_info", "The version of the program; always 1.");
    out.sample("version", SSE_VERSION, 1);
    out.gauge("sse_start_time_seconds", "Start time, in seconds since 1970-01-01 UTC.");
    out.sample(std::chrono::duration<double>(started_.time_since_epoch()).count());
    out.gauge("sse_io_info", "How events are sent to many clients, uring or send; always 1.");
    out.sample("io", server_.uses_ring() ? "uring" : "send", 1);
    add_process(out);
    add_server(server_.counts(), out);
    add_channels(counts_.counts(), out);
    if (const auto log = counts_.log_counts()) add_store(*log, out);

    auto channels = counts_.by_channel();
    out.gauge("sse_channels", "Channels that exist now.");
    out.sample(std::uint64_t{channels.size()});
    // A label must be UTF-8: replacement characters could make two names one.
    std::erase_if(channels, [](const auto& named) { return !is_utf8(named.first); });
    if (channels.empty() || channels.size() > options_.max_channel_series) return out.text();
    const auto each = [&](auto number) {
        for (const auto& [name, now] : channels) out.sample("channel", name, number(now));
    };
    out.gauge("sse_channel_subscribers", "Streams open now, by channel.");
    each([](const ChannelCounts& now) { return now.subscribers; });
    out.counter("sse_channel_events_total", "Events published, by channel.");
    each([](const ChannelCounts& now) { return now.events; });
    out.counter("sse_channel_deliveries_total", "Events sent completely, by channel.");
    each([](const ChannelCounts& now) { return now.deliveries; });
    out.counter("sse_channel_missed_events_total",
                "Events evicted before they were sent, by channel.");
    each([](const ChannelCounts& now) { return now.missed; });
    out.gauge("sse_channel_history_events", "Events held, by channel.");
    each([](const ChannelCounts& now) { return now.history_events; });
    return out.text();
}

} // namespace sse
