// One connection of the server: moves bytes between its socket, its requests (RequestPhase), the
// body of one that is passed on (ExchangeBody) and the stream that a response may be
// (ResponseStream), within its timeouts. It decides no response.
#pragma once

#include "net/socket_watch.hpp"
#include "net/transport.hpp"
#include "server/connection_stats.hpp"
#include "server/exchange_body.hpp"
#include "server/loop.hpp"
#include "server/request_phase.hpp"
#include "server/response_stream.hpp"
#include "server/sender.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sse {

/// Owned by its loop; used on that loop's thread only.
class ServerConnection final : public std::enable_shared_from_this<ServerConnection>,
                               private SocketWatch::Owner {
public:
    using Clock = Feed::Clock;

    /// Takes ownership of `fd`. `refusal`: why every request is refused, or none. `address_key`:
    /// its entry in the listener's AddressCounts, which it removes at its end; 0: none. `loop` and
    /// `listener` must outlive it.
    ServerConnection(Loop& loop, int fd, const ListenerContext& listener, Refusal refusal,
                     std::uint64_t address_key = 0);
    ~ServerConnection();
    /// Called once, by its loop.
    void start();

    /// Checks timeouts; called every tick of the loop.
    void tick(Clock::time_point now);
    /// The server stops: closes the connection between two requests, else after this response.
    void drain();
    /// Closes the connection now.
    void abort();
    /// Closes the connection, which has no request to answer, for a new one.
    void evict();
    const ListenerContext& listener() const { return listener_; }
    // Sending together with others, between SendGroup::add() and leave_group().
    int descriptor() { return transport_.fd(); }
    /// What its stream has to send next, valid as Sender::prepare() says; "" if that is nothing, or
    /// more than one piece, which is sent on leaving.
    std::string_view gather_for_group(Clock::time_point now, std::string& sealed);
    /// What was gathered has been sent with that result.
    void sent_by_group(std::string_view gathered, const Transfer& sent);
    /// Sends what the group did not.
    void leave_group();

    bool accepted_to_refuse() const { return requests_.refusal() != Refusal::none; }

    std::size_t slot = 0; ///< its index in the loop's list; the loop's to use

private:
    enum class State : std::uint8_t {
        handshaking, ///< TLS
        reading,     ///< a request, or waiting for one
        responding,  ///< sending a response that is not a stream
        streaming,
        closing, ///< the response has been sent; waits for the client to close
        closed,
    };
    using Waiting = WaitingPlace::Kind;

    // Receiving.
    void handshake();
    void on_ready(Readiness ready) override;
    void receive();
    bool wants_input() const;
    void update_watch();
    void on_readable();
    void on_bytes(std::string_view bytes);
    void on_unexpected_bytes(std::size_t count);
    void on_sent_ahead();

    // The request phase.
    void refuse(int status, const std::string& why, Refusal reason = Refusal::request);
    void send_response(RequestPhase::Answer answer);
    void await_response(RequestPhase::Answer answer);
    void next_request();

    // Sending, and the stream phase.
    void start_stream(std::unique_ptr<Feed> feed, Framing framing);
    void pump();
    void send(bool new_data);
    void follow_up(const Sender::Result& sent);
    bool cut_if_asked();
    void on_all_sent();
    void end_stream();
    void tick_stream(Clock::time_point now);

    // An exchange: a request whose body is handed on while its response is sent.
    void start_exchange(RequestPhase::Answer answer);
    void finish_exchange();

    // The end.
    void close_gracefully(EndReason reason);
    void finish_sending();
    void release_stream();
    void close(EndReason reason, bool reset = false);

    Loop& loop_;
    const ListenerContext& listener_;
    Transport transport_;
    Sender sender_;
    ConnectionStats stats_;
    RequestPhase requests_;
    std::unique_ptr<ResponseStream> stream_; ///< while it streams
    Clock::time_point deadline_;             ///< of what it is doing; unused while it streams
    std::unique_ptr<ExchangeBody> exchange_; ///< if the feed of stream_ is an Exchange
    std::uint64_t unexpected_ = 0;           ///< bytes received while none are expected
    WaitingPlace place_;
    State state_ = State::reading;
    bool keep_alive_ = false, draining_ = false;
    bool writing_ = false; ///< waits for the socket to become writable
    Readiness watched_;    ///< what its socket is watched for
    bool pumping_ = false; ///< within Sender::send()
    bool grouped_ = false; ///< is sent with others, soon
};

} // namespace sse
