#include "client/poster.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"
#include "base/random.hpp"
#include "protocol/encoder.hpp"

#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

std::function<double()> backoff_random() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    return [random = SeededRandom(static_cast<std::uint64_t>(now))]() mutable {
        return static_cast<double>(random.next() >> 11) * 0x1p-53;
    };
}

/// Statuses after which an event is posted again (lib/protocol/RULES.md, 47).
bool may_be_posted_again(int status) {
    return status == 429 || status == 500 || (status >= 502 && status <= 504);
}

} // namespace

Poster::Poster(PosterOptions options, Interrupt& interrupt)
    : options_(std::move(options))
    , interrupt_(interrupt)
    , backoff_(options_.backoff, backoff_random()) {
    options_.request.method = "POST";
    if (!options_.request.find("Content-Type"))
        options_.request.set("Content-Type", "text/event-stream");
    options_.request.set("Connection", "keep-alive");
    check(options_.request);
    if (options_.request.url.tls) tls_ = std::make_unique<TlsContext>(options_.tls);
}

Poster::~Poster() = default;

void Poster::post(const EventView& event) {
    encode(event, options_.request.body.emplace());
    for (unsigned failures = 0;; ++failures) {
        bool may_pass = false;
        std::optional<std::chrono::milliseconds> asked;
        const bool fresh = kept_ == nullptr;
        try {
            attempt(may_pass, asked);
            backoff_.reset();
            return;
        } catch (const Error&) {
            if (!may_pass || failures == options_.retries) throw;
        }
        ++retried_;
        if (!fresh && !asked) continue; // the server had closed what it kept: at once
        const auto wait = backoff_.after_failure(asked);
        if (!interrupt_.sleep_until(Interrupt::Clock::now() + wait)) throw Interrupted();
    }
}

void Poster::attempt(bool& may_pass, std::optional<std::chrono::milliseconds>& asked) {
    may_pass = true;
    const auto& request = options_.request;
    ClientResponse response(connection(), options_.response);
    response.exchange(request, {});
    const int status = response.status();
    if (status < 200 || status > 299) {
        may_pass = may_be_posted_again(status);
        if (const auto after = response.head().find("Retry-After"))
            asked = parse_retry_after(*after, std::chrono::system_clock::now());
        const auto limit = Interrupt::Clock::now() + options_.shown_body_wait;
        auto body = printable(response.peek(options_.shown_body_bytes, limit));
        throw Error(Errc::http_status,
                    fmt::format("{} answered {}{}{}", request.url.text(), response.status_text(),
                                body.empty() ? "" : ": ", body));
    }
    std::string body;
    while (const auto piece = response.next({})) {
        if (body.size() < options_.shown_body_bytes) body.append(*piece);
    }
    last_response_ = printable(body.substr(0, body.find_first_of("\r\n")), 100);
    ++accepted_;
    kept_ = response.keep_connection();
}

std::unique_ptr<ClientConnection> Poster::connection() {
    if (kept_) return std::move(kept_);
    const auto& url = options_.request.url;
    const auto limit = options_.dial.limit();
    Interrupt::Clock::time_point resolved;
    const int fd = dial(url.host, url.port, options_.dial, interrupt_, limit, resolved);
    auto connection = std::make_unique<ClientConnection>(fd, url.endpoint(), interrupt_);
    if (tls_) connection->start_tls(*tls_, url.host, limit);
    return connection;
}

} // namespace sse
