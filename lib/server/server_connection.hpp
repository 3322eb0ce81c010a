// One connection of the server: reads requests, sends their answers, and becomes a stream when an
// answer is one. Not thread-safe: lives on its loop.
#pragma once

#include "net/transport.hpp"
#include "server/access_log.hpp"
#include "server/loop.hpp"
#include "server/request_reader.hpp"
#include "server/sender.hpp"

#include <asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sse {

class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
public:
    using Clock = Feed::Clock;

    /// Takes over `fd`. `refused`: why its request is answered 503, if it is.
    /// `door` outlives it.
    /// `address`: its place in the door's counts, which it gives back; 0: none.
    ServerConnection(Loop& loop, int fd, const ListenerContext& listener, Refusal refused,
                     std::uint64_t address = 0);
    ~ServerConnection();
    void start();

    /// Called every tick of the loop.
    void tick(Clock::time_point now);
    /// The server stops: what is between two requests goes at once, the others when they are done.
    void wind_down();
    /// Ends now, whatever it was doing.
    void cut();
    /// Ends, for another that can do more with the place.
    void yield_place();
    const ListenerContext& listener() const { return listener_; }
    bool refused() const { return refused_ != Refusal::none; }

    std::size_t slot = 0; ///< in the loop's list

private:
    enum class State : std::uint8_t { shaking, reading, responding, streaming, closing, closed };

    void shake_hands();
    void wait_readable();
    bool reads() const;
    void read_on();
    void on_readable();
    void take(std::string_view bytes);
    void take_next();
    void respond();
    void send_response(const Request* request, Response response, bool keep_alive);
    void refuse(int status, const std::string& why, Refusal refusal = Refusal::request);
    void note_refusal(Refusal refusal);
    void begin_stream(std::unique_ptr<Feed> feed);

    void pump();
    void send_on(bool afresh);
    bool cut_if_asked();
    void wait_writable();
    bool takes_nothing(Clock::time_point now);
    void arm_due();
    void sent_all();
    /// `end` is how the connection ended, unless that has been settled before.
    void close_gently(End end);
    void end_sending();
    void close(End end, bool reset = false);
    void settle(End end);
    void not_fresh();
    void drop_feed();

    Loop& loop_;
    const ListenerContext& listener_;
    Transport transport_;
    Sender sender_;
    std::unique_ptr<RequestReader> reader_; ///< while it reads a request
    std::unique_ptr<Feed> feed_;            ///< while it streams
    std::unique_ptr<asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>,
                                               asio::io_context::executor_type>>
        due_timer_;
    std::unique_ptr<AccessRecord> access_record_; ///< if there is a log
    std::string pipelined_;                       ///< of the next request
    Clock::time_point deadline_; ///< for what it is doing; while it streams: see tick()
    std::size_t ignored_ = 0;    ///< bytes that came where none were due
    /// At the last look of takes_nothing(): bytes sent, and those of them that were acknowledged.
    std::uint64_t looked_ = 0, taken_ = 0;
    std::list<Loop::Fresh>::iterator place_;
    std::uint64_t address_;
    Framing framing_ = Framing::chunked;
    State state_ = State::reading;
    End end_ = End::open;
    Refusal refusal_ = Refusal::none;
    Refusal refused_;
    bool fresh_ = false; ///< is in loop_.fresh, at place_
    bool keep_alive_ = false, winding_down_ = false;
    bool writing_ = false; ///< waits for the socket to take more
    bool paused_ = false;  ///< does not wait for the socket to give more
    bool pumping_ = false, last_sent_ = false;
};

} // namespace sse
