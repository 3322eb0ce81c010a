#include "client/client.hpp"

#include "base/ascii.hpp"
#include "base/printable.hpp"
#include "base/trimmed.hpp"
#include "client/http_status_error.hpp"
#include "http/content_coding.hpp"
#include "http/head.hpp"
#include "http/media_type.hpp"
#include "protocol/ndjson_parser.hpp"

#include <algorithm>
#include <exception>
#include <fmt/format.h>
#include <random>
#include <utility>

namespace sse {

namespace {

std::function<double()> system_random() {
    return [engine = std::mt19937_64(std::random_device()())]() mutable {
        return std::uniform_real_distribution<double>(0, 1)(engine);
    };
}

/// Statuses that are retried (lib/protocol/RULES.md, 47).
bool is_retryable(int status) {
    return status == 429 || status == 500 || (status >= 502 && status <= 504);
}

/// True if a header field can carry `id` (lib/protocol/RULES.md, 45).
bool is_sendable(std::string_view id, std::size_t limit) {
    return id.size() <= limit && std::none_of(id.begin(), id.end(), is_control);
}

} // namespace

/// Between parser and listener: keeps what outlives a connection.
class Client::SinkAdapter : public Parser::Sink {
public:
    explicit SinkAdapter(Client& client)
        : client_(client) {}

    /// The stream said something.
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
        client_.backoff_.set_reconnection_time(time); // it outlives the connection: RULES.md, 17
        client_.listener_.on_retry(time);
    }
    void on_warning(ParseWarning warning, std::string_view line) override {
        if (!client_.stopped_) client_.listener_.on_warning(warning, line);
    }

private:
    Client& client_;
    bool received_ = false;
};

/// How one attempt went.
struct Client::Attempt {
    std::optional<End> over;    ///< run() comes back with this
    bool opened = false;        ///< the stream was open (RULES.md, 7)
    bool good = false;          ///< and said something, or was held for long
    bool whole = false;         ///< and its framing said that it ended
    bool futile = false;        ///< to try again would give the same
    bool refused = false;       ///< nobody listened
    std::exception_ptr failure; ///< what broke it, or kept it from opening
    std::string why = "the stream ended";
    std::optional<std::chrono::milliseconds> asked; ///< Retry-After

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
    , last_event_id_(options_.last_event_id) {
    check(options_.request);
    auto& limits = options_.response;
    if (!limits.send_timeout)
        limits.send_timeout =
            limits.read_timeout ? limits.read_timeout : options_.dial.connect_timeout;
}

Client::~Client() = default;

Client::End Client::run() {
    bool ended_whole = false;
    unsigned failures = 0;
    while (true) {
        const auto last = attempt();
        if (last.over) return *last.over;
        if (last.opened) ended_whole = last.whole;
        const bool again = may_try_again();
        if (!again && !last.failure) return End::ended;
        if (last.refused && ended_whole && !options_.keep_when_gone) return End::gone;
        if (last.failure && (!again || last.futile)) std::rethrow_exception(last.failure);
        if (last.good) failures = 0, backoff_.reset();
        else if (options_.retries && failures++ >= *options_.retries) {
            if (last.failure) std::rethrow_exception(last.failure);
            throw Error(Errc::receive, "the stream ended without an event");
        }
        const auto wait = last.good ? backoff_.after_end() : backoff_.after_failure(last.asked);
        listener_.on_pause(); // what was heard comes before what is said of its end
        listener_.on_reconnect(wait, last.why);
        if (!interrupt_.sleep_until(Interrupt::Clock::now() + wait)) return End::interrupted;
    }
}

bool Client::may_try_again() const {
    if (!opened_) return options_.retry_connect;
    return options_.reconnect || (options_.resume_with_get && !last_event_id_.empty());
}

Client::Attempt Client::attempt() {
    Attempt attempt;
    try {
        open_and_read(attempt);
    } catch (const Interrupted&) {
        attempt.over = End::interrupted;
    } catch (const HttpStatusError& e) {
        attempt.fail(e);
        attempt.futile = !is_retryable(e.status());
        attempt.asked = e.retry_after();
    } catch (const Error& e) {
        attempt.fail(e);
        attempt.refused = e.reason() == Reason::connection_refused;
        attempt.futile = e.code() != Errc::resolve && e.code() != Errc::connect &&
                         e.code() != Errc::timeout && e.code() != Errc::tls_handshake &&
                         e.code() != Errc::receive;
    }
    return attempt;
}

void Client::open_and_read(Attempt& attempt) {
    auto request = next_request();
    const auto [response, proxy] = follow(request);
    if (response->status() == 204) { // RULES.md, 9
        attempt.over = End::no_content;
        return;
    }
    const bool json_lines = check_stream(request, proxy, *response);
    attempt.opened = opened_ = true;
    const auto* resumed_from = request.find("Last-Event-ID"); // of the request that was answered
    listener_.on_open(request.url, response->status(), response->head(),
                      resumed_from ? std::string_view(resumed_from->value) : std::string_view());

    SinkAdapter ear(*this);
    const auto opened = Interrupt::Clock::now();
    // A quiet stream is no failure; to come back to one that was held so long makes no storm.
    const auto was_good = [&] {
        return ear.received() || Interrupt::Clock::now() - opened > backoff_.after_end();
    };
    try {
        read(*response, ear, json_lines);
    } catch (const Error& e) {
        attempt.good = e.code() == Errc::timeout ? ear.received() : was_good();
        const auto how = e.code() == Errc::receive   ? Close::reset
                         : e.code() == Errc::timeout ? Close::timeout
                                                     : Close::error;
        listener_.on_close(how, e.what());
        throw;
    }
    if (stopped_) {
        attempt.over = End::stopped;
        return;
    }
    attempt.good = was_good();
    if (json_lines && !options_.keep_when_gone) attempt.over = End::ended; // nothing to resume from
    attempt.whole = response->end() == BodyEnd::whole;
    listener_.on_close(Close::eof, "");
}

/// A request for the original URL with the id of the last event (RULES.md, 3, 4 and 46).
ClientRequest Client::next_request() {
    auto request = options_.request;
    if (opened_ && options_.resume_with_get) become_get(request);
    const auto id = trimmed(last_event_id_);
    if (id.empty()) return request;
    if (is_sendable(id, options_.max_sent_id_bytes)) request.set("Last-Event-ID", id);
    else {
        request.erase("Last-Event-ID");
        listener_.on_unsendable_id(last_event_id_);
    }
    return request;
}

/// Follows redirects (RULES.md, 10). `request` is then the one that was answered.
Client::Exchange Client::follow(ClientRequest& request) {
    Timing timing;
    timing.started = Interrupt::Clock::now();
    for (unsigned hops = 0;; ++hops) {
        auto answered = ask(request, timing);
        const auto& response = *answered.response;
        const auto location = response.head().find("Location");
        if (!is_redirect(response.status()) || !location) {
            timing.first_byte = response.first_byte() - timing.started;
            listener_.on_response(timing);
            return answered;
        }
        if (hops == options_.max_redirects) {
            throw Error(Errc::http_status,
                        fmt::format("{} redirects further than {} times",
                                    options_.request.url.text(), options_.max_redirects),
                        Reason::redirect);
        }
        const auto from = request.url;
        follow_redirect(request, response.status(), *location);
        listener_.on_redirect(response.status(), request, !same_origin(from, request.url));
    }
}

Client::Exchange Client::ask(const ClientRequest& request, Timing& timing) {
    const auto proxy = connector_.proxy_of(request.url);
    auto response = std::make_unique<ClientResponse>(connector_.connect(request.url, proxy, timing),
                                                     options_.response);
    response->exchange(connector_.as_sent(request, proxy), connector_.trace_of(request.url));
    return {std::move(response), proxy};
}

/// Throws unless the response is an event stream (RULES.md, 7 to 9).
bool Client::check_stream(const ClientRequest& request, const std::optional<Url>& proxy,
                          ClientResponse& response) {
    const auto type = essence(response.head().find("Content-Type").value_or(""));
    const auto coding = response.coding();
    const bool encoded = !coding.empty();
    const bool json_lines = options_.json_lines || type == "application/x-ndjson" ||
                            type == "application/ndjson" || type == "application/jsonl" ||
                            type == "application/x-jsonlines";
    if (response.status() == 200 && (type == "text/event-stream" || json_lines) && !encoded)
        return json_lines;

    auto what =
        response.status() == 407 && proxy
            ? fmt::format("the proxy {} answered {}", proxy->endpoint(), response.status_text())
            : fmt::format("{} answered {}", request.url.text(), response.status_text());
    if (is_redirect(response.status())) what += " without a Location";
    else if (response.status() == 200 && type.empty()) what += " without a Content-Type";
    else if (response.status() == 200 && type != "text/event-stream" && !json_lines) {
        what += fmt::format(" with {}, not text/event-stream", printable(type, 80));
    } else if (response.status() == 200) {
        what += fmt::format(" with Content-Encoding {}, {} {}", printable(coding, 40),
                            options_.response.compressed ? "and what is known is"
                                                         : "which was not asked for; known are",
                            known_codings);
    }
    throw http_status_error(std::move(what), response, options_.shown_body);
}

namespace {

/// `piece` up to and with its first line end; all of it if there is none.
std::string_view first_line(std::string_view piece) {
    const auto end = piece.find_first_of("\r\n");
    if (end == piece.npos) return piece;
    return piece.substr(0, end + (piece.substr(end).starts_with("\r\n") ? 2 : 1));
}

} // namespace

/// The body, to its end or until stopped.
void Client::read(ClientResponse& response, SinkAdapter& ear, bool json_lines) {
    Parser parser(ear, options_.parser, last_event_id_); // the id is carried over: RULES.md, 44
    NdjsonParser lines(ear, options_.parser);
    const auto before_wait = [&] { listener_.on_pause(); };
    try {
        while (!stopped_) {
            auto piece = response.next(before_wait);
            if (!piece) break;
            listener_.on_piece(*piece);
            while (!piece->empty() && !stopped_) {
                const auto part = options_.feed_lines ? first_line(*piece) : *piece;
                if (json_lines) lines.feed(part);
                else parser.feed(part);
                listener_.on_bytes(part);
                piece->remove_prefix(part.size());
            }
        }
    } catch (const Error& e) {
        if (e.code() == Errc::receive) parser.finish(); // tells what was cut
        throw;
    }
    if (stopped_) return;
    if (json_lines) lines.finish();
    else parser.finish();
}

} // namespace sse
