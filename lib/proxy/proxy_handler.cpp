#include "proxy/proxy_handler.hpp"

#include "base/printable.hpp"

#include <chrono>
#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

/// A warning of the same text is given once in this time: clients decide how often it happens.
constexpr std::chrono::minutes repeat_warning_after{1};

} // namespace

ProxyHandler::ProxyHandler(RecordingProxyOptions options, RecordMode mode, RecordingStore& store,
                           PlaybackHandlerOptions playback, std::size_t loops,
                           std::function<asio::io_context&(std::size_t)> context,
                           ProxyReports reports)
    : options_(std::move(options))
    , store_(store)
    , context_(std::move(context))
    , loops_(loops) {
    if (options_.upstream.url.tls) tls_ = std::make_unique<TlsContext>(options_.upstream.tls);
    if (mode != RecordMode::all && !store.earlier().empty()) {
        PlaybackReports of_playback;
        of_playback.failed = [this](const Error& e) { warn(e.what()); };
        playback_ =
            std::make_unique<PlaybackHandler>(store.earlier(), std::move(playback), of_playback);
        plays_only_ = mode == RecordMode::once;
    }
    const auto add = [](std::atomic<std::uint64_t>& count) {
        count.fetch_add(1, std::memory_order_relaxed);
    };
    reports_.warning = [this, report = std::move(reports.warning)](const std::string& text) {
        const auto now = std::chrono::steady_clock::now();
        {
            const std::lock_guard lock(mutex_);
            if (last_warning_ == text && now - last_warned_ < repeat_warning_after) return;
            last_warning_ = text;
            last_warned_ = now;
        }
        report(text);
    };
    reports_.recorded = [this, add, report = std::move(reports.recorded)] {
        add(recorded_);
        report();
    };
    reports_.failed = [this, add, report = std::move(reports.failed)] {
        add(failed_);
        report();
    };
    reports_.unrecorded = [this, add, report = std::move(reports.unrecorded)] {
        add(unrecorded_);
        report();
    };
}

ProxyHandler::~ProxyHandler() = default;

void ProxyHandler::warn(const std::string& text) { reports_.warning(text); }

std::optional<Response> ProxyHandler::refuse(const Request& head) {
    if (plays_only_) return playback_->refuse(head);
    // Its response has no body, whatever its fields say (RFC 9110, 9.3.6).
    if (head.method == "CONNECT") return text_response(501, "sse record opens no tunnels\n");
    if (const auto protocol = unsupported_upgrade(head.head); !protocol.empty()) {
        return text_response(501, fmt::format("sse record forwards only HTTP, and cannot upgrade "
                                              "to {}\n",
                                              printable(protocol, 60)));
    }
    return std::nullopt;
}

std::optional<Response> ProxyHandler::begin(const Request& head, std::size_t loop) {
    if (playback_) return std::nullopt; // the body decides
    return forward(head, loop, false);
}

Response ProxyHandler::respond(const Request& request, std::size_t loop) {
    if (playback_ && (plays_only_ || playback_->has(request))) {
        played_.fetch_add(1, std::memory_order_relaxed);
        return playback_->respond(request, loop);
    }
    return forward(request, loop, true);
}

Response ProxyHandler::forward(const Request& request, std::size_t loop, bool whole) {
    auto& own = loops_[loop];
    if (!own) own = std::make_unique<UpstreamLoop>(context_(loop), options_.upstream, tls_.get());
    Response response;
    response.status = 0;
    response.exchange =
        std::make_unique<ProxyExchange>(*own, options_, store_, reports_, request, whole);
    return response;
}

void ProxyHandler::tick(std::size_t loop) {
    if (playback_) playback_->tick(loop);
}

ChannelCounts ProxyHandler::counts() const {
    return playback_ ? playback_->counts() : ChannelCounts();
}

std::string ProxyHandler::totals() const {
    auto text = fmt::format("recorded {} {}", recorded_.load(),
                            recorded_.load() == 1 ? "response" : "responses");
    if (played_.load() > 0) text += fmt::format(", played {}", played_.load());
    if (failed_.load() > 0) text += fmt::format(", {} failed", failed_.load());
    if (unrecorded_.load() > 0) text += fmt::format(", {} not recorded", unrecorded_.load());
    return text;
}

} // namespace sse
