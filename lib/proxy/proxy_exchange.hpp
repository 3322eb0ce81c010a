// One request that the proxy forwards: an Exchange on the side of the client, a connection to the
// upstream server on the other side, and the recording of both.
#pragma once

#include "http/response_parser.hpp"
#include "proxy/exchange_recorder.hpp"
#include "proxy/forwarding.hpp"
#include "proxy/proxy_options.hpp"
#include "proxy/upstream_connection.hpp"
#include "server/exchange.hpp"
#include "server/request.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sse {

/// Forwards every byte as it arrives, and then records it, in the same turn of the loop. Only the
/// end of a response is recorded first: a client that has received it finds the recording complete.
/// Buffers at most the bounds in the options in each direction. Used only on the thread of its
/// loop.
class ProxyExchange : public Exchange,
                      private UpstreamConnection::Owner,
                      private ResponseParser::Sink {
public:
    /// `whole`: the request contains its body; otherwise, on_body() receives it. The other
    /// arguments must outlive it.
    ProxyExchange(UpstreamLoop& loop, const RecordingProxyOptions& options, RecordingStore& store,
                  const ProxyReports& reports, const Request& request, bool whole);
    ~ProxyExchange() override;
    ProxyExchange(const ProxyExchange&) = delete;
    ProxyExchange& operator=(const ProxyExchange&) = delete;

    void
    set_policy_fields(const std::vector<std::pair<std::string, std::string>>& fields) override {
        policy_ = fields;
    }
    void on_body(std::string_view bytes) override;
    void on_body_end(std::string_view trailers) override;
    void on_body_error(int status, const std::string& why) override;
    bool wants_body() const override;
    bool keeps_connection() const override { return form_.keep_alive; }

    void attach(std::function<void()> wake) override;
    std::size_t gather(Clock::time_point now, std::span<std::string_view> out) override;
    void consume(std::size_t bytes) override;
    bool ended() const override { return ended_ && !broken_ && held_ + waiting() == 0; }
    Cut cut() const override;
    StreamCounts counts() const override;

private:
    // UpstreamConnection::Owner
    void on_bytes(std::string_view bytes) override;
    void on_pause() override;
    void on_end() override;
    void on_failure(const Error& error, bool reset) override;
    void on_sent() override;
    // ResponseParser::Sink
    void on_interim(const Head& head) override;
    void on_head(const Head& head, int status, const ResponseFraming& framing) override;
    void on_body_piece(std::string_view bytes) override;
    void on_response_end(std::string_view trailers) override;

    void record_arrived();
    void end_response();
    std::size_t waiting() const { return out_.size() - written_ - held_; }
    void fail(const Error& error, bool reset);
    void respond(int status, const std::string& text);
    template <class Action>
    void record(Action action);
    void end_recording(std::string_view how, std::string_view why);
    std::string label() const;
    void wake();

    const RecordingProxyOptions& options_;
    const ProxyReports& reports_;
    Request request_; ///< its head, and its body if `whole_`
    bool whole_;
    RequestFraming request_framing_;
    std::vector<std::pair<std::string, std::string>> policy_;
    std::shared_ptr<UpstreamConnection> upstream_;
    ResponseParser parser_;
    std::unique_ptr<ExchangeRecorder> recorder_; ///< nullptr: not recorded, or not any more
    std::vector<std::string_view> arrived_; ///< of the body, not recorded yet; during on_bytes()
    std::function<void()> wake_;
    std::string out_; ///< for the client; the first `written_` bytes have been sent
    std::size_t written_ = 0;
    std::size_t held_ = 0; ///< last bytes of out_: the end of a response that is not recorded yet
    ResponseForm form_;
    int status_ = 0;
    bool body_complete_ = false;           ///< of the request
    bool ended_ = false, broken_ = false;  ///< the response is complete; or will never be
    bool reset_ = false, starting_ = true; ///< broken by a TCP reset; within attach()
    bool upstream_paused_ = false;
};

} // namespace sse
