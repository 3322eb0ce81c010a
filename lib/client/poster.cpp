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

} // namespace

Poster::Poster(PosterOptions options, Interrupt& interrupt)
    : options_(std::move(options))
    , interrupt_(interrupt)
    , backoff_(options_.backoff, backoff_random())
    , cookies_(options_.cookies) {
    options_.request.method = "POST";
    if (!options_.request.find("Content-Type"))
        options_.request.set("Content-Type", "text/event-stream");
    if (!options_.request.find("Accept")) options_.request.set("Accept", "*/*");
    if (!options_.request.find("User-Agent"))
        options_.request.set("User-Agent", "sse/" SSE_VERSION);
    options_.request.set("Connection", "keep-alive");
    const auto& url = options_.request.url;
    if (url.has_user && !options_.request.find("Authorization"))
        options_.request.set("Authorization", basic_authorization(url));
    check(options_.request);
    if (url.tls) tls_ = std::make_unique<TlsContext>(options_.tls);
}

Poster::~Poster() = default;

void Poster::post(const EventView& event) {
    std::string body;
    encode(event, body);
    post_body(std::move(body));
}

void Poster::post_body(std::string body) {
    options_.request.body = std::move(body);
    for (unsigned failures = 0;; ++failures) {
        const bool fresh = kept_ == nullptr;
        std::optional<std::chrono::milliseconds> retry_after;
        try {
            attempt();
            backoff_.reset();
            return;
        } catch (const HttpStatusError& e) {
            if (!is_retryable(e.status()) || failures == options_.retries) throw;
            retry_after = e.response().retry_after;
        } catch (const Error&) {
            if (failures == options_.retries) throw;
        }
        ++retried_;
        if (!fresh && !retry_after) continue; // the server had closed the kept connection
        const auto wait = backoff_.after_failure(retry_after);
        if (!interrupt_.sleep_until(Interrupt::Clock::now() + wait)) throw Interrupted();
    }
}

void Poster::attempt() {
    auto request = options_.request;
    const auto* given = request.find("Cookie");
    const auto cookies = cookies_.header(request.url, given ? given->value : std::string(),
                                         std::chrono::system_clock::now());
    if (!cookies.empty()) request.set("Cookie", cookies);
    ClientResponse response(connection(), options_.response);
    response.send(request, {});
    for (const auto& field : response.head().fields()) {
        if (same_name(field.name, "Set-Cookie"))
            cookies_.set(request.url, field.value, std::chrono::system_clock::now());
    }
    if (response.status() < 200 || response.status() > 299) {
        throw http_status_error(
            fmt::format("{} returned {}", request.url.shown(), response.status_text()), response,
            options_.excerpt);
    }
    std::string body;
    while (const auto piece = response.read({})) {
        if (body.size() < options_.excerpt.bytes) body.append(*piece);
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
