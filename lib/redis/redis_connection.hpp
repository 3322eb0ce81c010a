// A connection to Redis that never blocks: resolves, connects, speaks TLS, sends commands, and
// receives replies.
#pragma once

#include "base/descriptor.hpp"
#include "net/client_tls.hpp"
#include "net/lookup.hpp"
#include "redis/redis_options.hpp"
#include "redis/redis_reply.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <poll.h>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// Used on one thread, which calls poll(). It cannot be used after an Error.
class RedisConnection {
public:
    using Clock = std::chrono::steady_clock;
    using Handler = std::function<void(RedisReply&)>;

    /// `tls`: nullptr for none. The arguments must outlive it. Throws Error.
    RedisConnection(const RedisEndpoint& endpoint, const TlsContext* tls);
    ~RedisConnection();
    RedisConnection(const RedisConnection&) = delete;
    RedisConnection& operator=(const RedisConnection&) = delete;

    /// Sends a command once it is connected; `handler` is called with its reply. Handlers whose
    /// replies have not arrived when it is destroyed are not called.
    void command(const std::vector<std::string_view>& words, Handler handler);
    /// The same, for SUBSCRIBE and UNSUBSCRIBE, whose replies go to on_message.
    void subscription(const std::vector<std::string_view>& words);
    /// Called with the messages of subscribed channels, and with confirmations. Setting it makes
    /// this the connection of a subscriber.
    std::function<void(RedisReply&)> on_message;

    /// The descriptor and events that it waits for.
    pollfd wanted() const;
    /// Continues after poll() with the events `ready`, and calls handlers. Throws Error (resolve,
    /// connect, tls_*, receive).
    void advance(short ready);
    /// Tries to send the appended commands immediately. Throws Error (receive).
    void flush();

    bool connected() const { return step_ == Step::connected; }
    /// The time since which it waits for a connection or for its oldest reply; max() if it waits
    /// for nothing.
    Clock::time_point waits_since() const;
    Clock::time_point last_received() const { return last_received_; }
    std::size_t unsent() const { return out_.size() - sent_; }

private:
    enum class Step { resolving, connecting, handshake, connected };
    void resolved();
    void connect_next(int error);
    void established();
    void handshake();
    void receive();
    void dispatch();
    [[noreturn]] void broken(const std::string& why) const;

    const RedisEndpoint endpoint_;
    const TlsContext* const tls_context_;
    Step step_ = Step::resolving;
    std::shared_ptr<Lookup> lookup_;
    std::deque<SocketAddress> addresses_; ///< not tried yet
    Descriptor fd_;
    SslPtr tls_; ///< destroyed before the descriptor
    short tls_wants_ = 0;
    bool tls_read_wants_write_ = false;
    RedisParser parser_;
    struct Waiting {
        Handler handler;
        Clock::time_point since;
    };
    std::deque<Waiting> waiting_;
    std::string out_;
    std::size_t sent_ = 0; ///< of out_
    std::vector<char> buffer_;
    const Clock::time_point started_ = Clock::now();
    Clock::time_point last_received_ = started_;
};

} // namespace sse
