#include "client/client.hpp"

#include "base/ascii.hpp"
#include "base/content_coding.hpp"
#include "base/mask.hpp"
#include "base/printable.hpp"
#include "base/random.hpp"
#include "base/take_part.hpp"
#include "base/trimmed.hpp"
#include "client/http_status_error.hpp"
#include "client/json_body.hpp"
#include "http/head.hpp"
#include "http/media_type.hpp"
#include "http/stream_status.hpp"
#include "protocol/json_seq_parser.hpp"
#include "protocol/ndjson_parser.hpp"
#include "protocol/stream_format.hpp"

#include <algorithm>
#include <exception>
#include <fmt/format.h>
#include <random>
#include <utility>

namespace sse {

namespace {

std::function<double()> system_random() {
    return [engine = std::mt19937_64(random_bits())]() mutable {
        return std::uniform_real_distribution<double>(0, 1)(engine);
    };
}

/// True if a header field can carry `id`.
bool is_sendable(std::string_view id, std::size_t limit) {
    return id.size() <= limit && std::none_of(id.begin(), id.end(), is_control);
}

bool is_json(std::string_view type) {
    return type == "application/json" || type.ends_with("+json");
}

/// True if the Accept of `request` names `type`, unless with a weight of 0 (RFC 9110, 12.5.1).
bool accepts(const ClientRequest& request, std::string_view type) {
    for (const auto& field : request.fields) {
        if (!same_name(field.name, "Accept")) continue;
        for (std::string_view rest = field.value; !rest.empty();) {
            const auto range = take_part(rest, ',');
            if (essence(range) != type) continue;
            const auto weight = range.find("q=");
            return weight == range.npos ||
                   range.substr(weight + 2).find_first_of("123456789") != range.npos;
        }
    }
    return false;
}

/// Fields that only the origin they were meant for may see.
bool has_credentials(const ClientRequest& request) {
    return request.find("Authorization") || request.find("Cookie") ||
           std::any_of(request.fields.begin(), request.fields.end(),
                       [](const auto& field) { return is_secret_header(field.name); });
}

} // namespace

/// Passes on what the parser finds, and keeps what outlives a connection: the last event ID and the
/// reconnection time.
class Client::SinkAdapter : public Parser::Sink {
public:
    explicit SinkAdapter(Client& client)
        : client_(client) {}

    /// True once anything but a warning was parsed.
    bool received() const { return received_; }

    void on_event(const EventView& event) override {
        if (client_.stopped_) return;
        received_ = true;
        if (event.id) client_.last_event_id_.assign(*event.id);
        client_.listener_.on_event(event);
    }
    void on_id(std::string_view id) override {
        if (client_.stopped_) return;
        received_ = true;
        client_.last_event_id_.assign(id);
        client_.listener_.on_id(id);
    }
    void on_comment(std::string_view comment) override {
        if (client_.stopped_) return;
        received_ = true;
        client_.listener_.on_comment(comment);
    }
    void on_retry(std::chrono::milliseconds time) override {
        if (client_.stopped_) return;
        received_ = true;
        client_.backoff_.set_reconnection_time(time);
        client_.listener_.on_retry(time);
    }
    void on_warning(ParseWarning warning, std::string_view line) override {
        if (!client_.stopped_) client_.listener_.on_warning(warning, line);
    }

private:
    Client& client_;
    bool received_ = false;
};

/// The result of one connection attempt.
struct Client::Attempt {
    std::optional<End> end;     ///< run() returns it
    bool opened = false;        ///< the stream was open
    bool productive = false;    ///< and delivered something, or was held open for long
    bool complete = false;      ///< and its framing marked its end
    bool permanent = false;     ///< another attempt would fail in the same way
    bool refused = false;       ///< no server listened
    std::exception_ptr failure; ///< what broke the stream, or kept it from opening
    std::string why = "the stream ended";
    std::optional<std::chrono::milliseconds> retry_after;

    void fail(const Error& error) {
        failure = std::current_exception();
        why = error.what();
    }
};

Client::Client(ClientOptions options, Listener& listener, Interrupt& interrupt)
    : options_(std::move(options))
    , listener_(listener)
    , interrupt_(interrupt)
    , connector_(options_, listener, interrupt)
    , backoff_(options_.backoff, options_.random ? options_.random : system_random())
    , cookies_(options_.cookies)
    , last_event_id_(options_.last_event_id) {
    check(options_.request);
    auto& limits = options_.response;
    if (!limits.send_timeout)
        limits.send_timeout =
            limits.read_timeout ? limits.read_timeout : options_.dial.connect_timeout;
}

Client::~Client() = default;

Client::End Client::run() {
    bool ended_cleanly = false;
    unsigned failures = 0;
    while (true) {
        const auto last = attempt();
        if (last.end) return *last.end;
        if (last.opened) ended_cleanly = last.complete;
        const bool again = may_reconnect();
        if (!again && !last.failure) return End::ended;
        if (last.refused && ended_cleanly && !options_.reconnect_when_refused)
            return End::server_gone;
        if (last.failure && (!again || last.permanent)) std::rethrow_exception(last.failure);
        if (last.productive) failures = 0, backoff_.reset();
        else if (options_.retries && failures++ >= *options_.retries) {
            if (last.failure) std::rethrow_exception(last.failure);
            throw Error(Errc::receive, "the stream ended without an event");
        }
        const auto wait =
            last.productive ? backoff_.after_end() : backoff_.after_failure(last.retry_after);
        listener_.on_pause(); // events are delivered before the reason for the reconnection
        listener_.on_reconnect(wait, last.why);
        if (!interrupt_.sleep_until(Interrupt::Clock::now() + wait)) return End::interrupted;
    }
}

bool Client::may_reconnect() const {
    if (!opened_) return options_.retry_connect;
    return options_.reconnect || (options_.resume_with_get && !last_event_id_.empty());
}

Client::Attempt Client::attempt() {
    Attempt attempt;
    try {
        open_and_read(attempt);
    } catch (const Interrupted&) {
        attempt.end = End::interrupted;
    } catch (const HttpStatusError& e) {
        attempt.fail(e);
        attempt.permanent = !is_retryable(e.status());
        attempt.retry_after = e.response().retry_after;
    } catch (const Error& e) {
        attempt.fail(e);
        attempt.refused = e.reason() == Reason::connection_refused;
        attempt.permanent = e.code() != Errc::resolve && e.code() != Errc::connect &&
                            e.code() != Errc::timeout && e.code() != Errc::tls_handshake &&
                            e.code() != Errc::receive;
    }
    return attempt;
}

void Client::open_and_read(Attempt& attempt) {
    auto request = next_request();
    const auto routed = send_following_redirects(request);
    auto& response = *routed.response;
    if (response.status() == 204) { // tells a client to stop (HTML 9.2.3)
        attempt.end = End::no_content;
        return;
    }
    const auto format = check_response(request, routed);
    if (!response.ignored_coding().empty()) listener_.on_ignored_coding(response.ignored_coding());
    attempt.opened = opened_ = true;
    const auto* resumed_from = request.find("Last-Event-ID"); // of the request that was answered
    listener_.on_open(request.url, response.status(), response.head(),
                      resumed_from ? std::string_view(resumed_from->value) : std::string_view());

    SinkAdapter sink(*this);
    const auto opened = Interrupt::Clock::now();
    // A stream that was open for longer than the reconnection time is no failure, even without
    // events: reconnecting to it at that pace is no busy loop.
    const auto was_productive = [&] {
        return sink.received() || Interrupt::Clock::now() - opened > backoff_.after_end();
    };
    try {
        read_body(response, sink, format);
    } catch (const Error& e) {
        attempt.productive = e.code() == Errc::timeout ? sink.received() : was_productive();
        const auto how = e.code() == Errc::receive   ? Close::reset
                         : e.code() == Errc::timeout ? Close::timeout
                                                     : Close::error;
        listener_.on_close(how, e.what());
        throw;
    }
    if (stopped_) {
        attempt.end = End::stopped;
        return;
    }
    attempt.productive = was_productive();
    const bool resumable = format == Format::event_stream; // JSON has no ids
    if (!resumable && !options_.reconnect_when_refused) attempt.end = End::ended;
    attempt.complete = response.end() == BodyEnd::complete;
    listener_.on_close(Close::eof, "");
}

/// The request for the original URL, with the last event ID (HTML 9.2.3).
ClientRequest Client::next_request() {
    auto request = options_.request;
    if (opened_ && options_.resume_with_get) convert_to_get(request);
    const auto id = trimmed(last_event_id_);
    if (id.empty()) return request;
    if (is_sendable(id, options_.max_sent_id_bytes)) request.set("Last-Event-ID", id);
    else {
        request.erase("Last-Event-ID");
        listener_.on_unsendable_id(last_event_id_);
    }
    return request;
}

/// `request` becomes the one that was answered.
Client::RoutedResponse Client::send_following_redirects(ClientRequest& request) {
    Timing timing;
    timing.started = Interrupt::Clock::now();
    bool credentials_dropped = false;
    for (unsigned redirects = 0;; ++redirects) {
        auto routed = send(request, timing);
        const auto& response = *routed.response;
        const auto location = response.head().find("Location");
        if (!is_redirect(response.status()) || !location) {
            timing.first_byte = response.first_byte() - timing.started;
            listener_.on_response(timing);
            routed.credentials_dropped = credentials_dropped;
            return routed;
        }
        if (redirects == options_.max_redirects) {
            throw Error(Errc::http_status,
                        fmt::format("{} redirects more than {} times", options_.request.url.shown(),
                                    options_.max_redirects),
                        Reason::redirect);
        }
        const auto from = request.url;
        const bool had_credentials = has_credentials(request);
        apply_redirect(request, response.status(), *location);
        const bool other_origin = !same_origin(from, request.url);
        credentials_dropped = credentials_dropped || (other_origin && had_credentials);
        listener_.on_redirect(response.status(), request, other_origin);
    }
}

Client::RoutedResponse Client::send(const ClientRequest& request, Timing& timing) {
    const auto proxy = connector_.proxy_of(request.url);
    auto response = std::make_unique<ClientResponse>(connector_.connect(request.url, proxy, timing),
                                                     options_.response);
    auto sent = connector_.prepare(request, proxy);
    const auto* given = request.find("Cookie");
    const auto cookies = cookies_.header(request.url, given ? given->value : std::string(),
                                         std::chrono::system_clock::now());
    if (!cookies.empty()) sent.set("Cookie", cookies);
    response->send(sent, connector_.trace_of(request.url));
    for (const auto& field : response->head().fields()) {
        if (same_name(field.name, "Set-Cookie"))
            cookies_.set(request.url, field.value, std::chrono::system_clock::now());
    }
    return {std::move(response), proxy};
}

/// The format of the body, if `response` is one to read.
std::optional<Client::Format> Client::format_of(const ClientRequest& request,
                                                const ClientResponse& response) const {
    const bool expected = is_stream_status(request.method, response.status());
    if ((!expected && !options_.any_response) || !response.coding().empty()) return std::nullopt;
    const auto type = essence(response.head().find("Content-Type").value_or(""));
    if (options_.json_lines || stream_format(type) == StreamFormat::json_lines)
        return Format::json_lines;
    if (stream_format(type) == StreamFormat::json_seq) return Format::json_seq;
    if (type == "text/event-stream") return Format::event_stream;
    if (is_json(type) && (options_.any_response || accepts(request, type))) return Format::json;
    if (options_.any_response) return Format::event_stream;
    return std::nullopt;
}

/// Throws HttpStatusError unless the response is one to read.
Client::Format Client::check_response(const ClientRequest& request, const RoutedResponse& routed) {
    auto& response = *routed.response;
    if (const auto format = format_of(request, response)) return *format;
    const int status = response.status();
    auto what = status == 407 && routed.proxy
                    ? fmt::format("the proxy {} returned {}", routed.proxy->endpoint(),
                                  response.status_text())
                    : fmt::format("{} returned {}", request.url.shown(), response.status_text());
    const auto type = essence(response.head().find("Content-Type").value_or(""));
    if (is_redirect(status)) {
        what += " without a Location";
    } else if (status / 100 == 2 && !response.coding().empty()) {
        what += fmt::format(
            " with Content-Encoding {}, {}; sse can decode {}", printable(response.coding(), 40),
            options_.response.compressed ? "which is not supported" : "which was not requested",
            known_codings);
    } else if (status == 200 && type.empty()) {
        what += " without a Content-Type";
    } else if (status == 200 && type != "text/event-stream") {
        what += fmt::format(" with {}, not text/event-stream", printable(type, 80));
    }
    const bool unauthorized = status == 401 || status == 403;
    throw http_status_error(std::move(what), response, options_.excerpt,
                            unauthorized && routed.credentials_dropped ? Reason::credentials_dropped
                                                                       : Reason::unspecified);
}

namespace {

/// `piece` up to and with its first line end; all of it if there is none.
std::string_view first_line(std::string_view piece) {
    const auto end = piece.find_first_of("\r\n");
    if (end == piece.npos) return piece;
    return piece.substr(0, end + (piece.substr(end).starts_with("\r\n") ? 2 : 1));
}

} // namespace

/// Reads the body to its end or until stop().
void Client::read_body(ClientResponse& response, SinkAdapter& sink, Format format) {
    Parser parser(sink, options_.parser);
    NdjsonParser lines(sink, options_.parser);
    JsonSeqParser sequence(sink, options_.parser);
    JsonBody document(sink, options_.parser);
    const auto feed = [&](std::string_view bytes) {
        switch (format) {
        case Format::event_stream: return parser.feed(bytes);
        case Format::json_lines: return lines.feed(bytes);
        case Format::json_seq: return sequence.feed(bytes);
        case Format::json: return document.feed(bytes);
        }
    };
    const auto before_wait = [&] { listener_.on_pause(); };
    try {
        while (!stopped_) {
            auto piece = response.read(before_wait);
            if (!piece) break;
            listener_.on_received(*piece);
            while (!piece->empty() && !stopped_) {
                const auto part = options_.feed_lines ? first_line(*piece) : *piece;
                feed(part);
                listener_.on_bytes(part);
                piece->remove_prefix(part.size());
            }
        }
    } catch (const Error& e) {
        if (e.code() == Errc::receive) parser.finish(); // reports an unfinished event
        throw;
    }
    if (stopped_) return;
    switch (format) {
    case Format::event_stream: return parser.finish();
    case Format::json_lines: return lines.finish();
    case Format::json_seq: return sequence.finish();
    case Format::json: return document.finish();
    }
}

} // namespace sse
