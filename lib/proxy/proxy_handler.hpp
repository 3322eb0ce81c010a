// The routes of a recording proxy: forwards requests (ProxyExchange), or plays recordings
// (PlaybackHandler).
#pragma once

#include "handlers/playback_handler.hpp"
#include "hub/counts.hpp"
#include "proxy/proxy_exchange.hpp"
#include "proxy/proxy_options.hpp"
#include "proxy/recording_store.hpp"
#include "server/handler.hpp"

#include <asio/io_context.hpp>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sse {

/// Which requests are forwarded, and which are answered from recordings.
enum class RecordMode : std::uint8_t {
    once, ///< if there are recordings, plays them and forwards nothing
    add,  ///< plays matching recordings that existed at the start; forwards other requests
    all,  ///< forwards everything
};

/// Any thread. The requests of a loop are handled on its thread.
class ProxyHandler : public Handler, public CountsSource {
public:
    /// `context(loop)` returns the context of a loop. `playback`: how recordings are played.
    /// `store` must outlive it. Throws Error for TLS files that cannot be used, and the errors of
    /// PlaybackHandler.
    ProxyHandler(RecordingProxyOptions options, RecordMode mode, RecordingStore& store,
                 PlaybackHandlerOptions playback, std::size_t loops,
                 std::function<asio::io_context&(std::size_t loop)> context, ProxyReports reports);
    ~ProxyHandler() override;

    std::optional<Response> refuse(const Request& head) override;
    std::optional<Response> begin(const Request& head, std::size_t loop) override;
    Response respond(const Request& request, std::size_t loop) override;
    void tick(std::size_t loop) override;

    ChannelCounts counts() const override;
    std::string totals() const override;
    /// Exchanges that could not be recorded.
    std::uint64_t unrecorded() const { return unrecorded_.load(std::memory_order_relaxed); }
    /// True if nothing is forwarded, and every request is answered from a recording.
    bool plays_only() const { return plays_only_; }

private:
    Response forward(const Request& request, std::size_t loop, bool whole);
    void warn(const std::string& text);

    RecordingProxyOptions options_;
    RecordingStore& store_;
    ProxyReports reports_;
    std::function<asio::io_context&(std::size_t)> context_;
    std::unique_ptr<TlsContext> tls_;
    std::vector<std::unique_ptr<UpstreamLoop>> loops_; ///< each made and used on its thread
    std::unique_ptr<PlaybackHandler> playback_;        ///< nullptr: there is nothing to play
    bool plays_only_ = false;
    std::atomic<std::uint64_t> recorded_{0}, failed_{0}, unrecorded_{0}, played_{0};

    std::mutex mutex_; ///< guards the last warning
    std::string last_warning_;
    std::chrono::steady_clock::time_point last_warned_{};
};

} // namespace sse
