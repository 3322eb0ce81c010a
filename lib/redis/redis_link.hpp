// The connections of a server to Redis: one for commands, one for messages. Keeps them open, finds
// the Redis server through sentinels, and checks with messages to itself that both work.
#pragma once

#include "redis/redis_connection.hpp"
#include "redis/redis_counts.hpp"
#include "redis/redis_options.hpp"
#include "redis/redis_scripts.hpp"
#include "store/store_health.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <poll.h>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// Used on the thread of its RedisLog.
class RedisLink {
public:
    using Clock = RedisConnection::Clock;

    class Listener {
    public:
        virtual ~Listener() = default;
        /// Commands can be sent. `restarted`: the Redis server is another one than before, or was
        /// restarted meanwhile.
        virtual void on_commands(bool restarted) = 0;
        /// The connection broke. Commands without a reply may or may not have been executed.
        virtual void on_commands_lost() = 0;
        virtual void on_subscriber() = 0;
        virtual void on_subscriber_lost() = 0;
        virtual void on_subscribed(const std::string& topic) = 0;
        virtual void on_message(const std::string& topic, const std::string& text) = 0;
    };

    /// The arguments must outlive it. `name`: a unique name of this server. Throws Error
    /// (invalid_argument) for TLS files that cannot be used.
    RedisLink(const RedisOptions& options, std::string name, StoreHealth& health,
              RedisCounts& counts, Listener& listener);

    /// Appends the descriptors that it waits for. advance() takes a pointer to the first of these
    /// after poll().
    void add_waits(std::vector<pollfd>& fds);
    void advance(const pollfd* ready);
    /// Connects, sends messages to itself, and closes connections that do not answer. Does nothing
    /// before next_tick().
    void tick(Clock::time_point now);
    /// When tick() is due.
    Clock::time_point next_tick() const { return next_tick_; }

    bool ready() const { return ready_; }
    void command(const std::vector<std::string_view>& words, RedisConnection::Handler handler);
    /// Runs a script with EVALSHA.
    void run(RedisScript script, const std::vector<std::string_view>& keys,
             const std::vector<std::string_view>& arguments, RedisConnection::Handler handler);
    /// Sends the scripts again, before later commands: Redis has forgotten them.
    void load_scripts();
    void subscribe(const std::vector<std::string_view>& topics);
    void unsubscribe(std::string_view topic);
    /// Sends the commands that were appended. Receives nothing.
    void flush();
    /// The name of the server, for messages.
    std::string peer() const { return peer_.text(); }

private:
    struct Line {
        std::unique_ptr<RedisConnection> connection;
        Clock::time_point retry_at{};
        std::chrono::milliseconds wait{0}; ///< before the next attempt
    };
    /// Calls `action`. If it throws, closes `line` with that reason.
    template <typename Action>
    void guarded(Line& line, Action&& action);
    void open_lines(Clock::time_point now);
    void find_server(Clock::time_point now);
    void ask_sentinel();
    void close(Line& line, const std::string& why);
    void closed(Line& line, const std::string& why);
    void greet(RedisConnection& connection);
    void open_commands();
    void open_subscriber();
    void check_identity(const std::string& info);
    void probe(Clock::time_point now);
    void probe_returned();
    void check_silence(Clock::time_point now);

    const RedisOptions& options_;
    const std::string probe_topic_;
    StoreHealth& health_;
    RedisCounts& counts_;
    Listener& listener_;
    std::unique_ptr<TlsContext> tls_;
    Line commands_, subscriber_, sentinel_;
    std::size_t sentinel_index_ = 0;
    RedisEndpoint peer_;
    bool found_ = false; ///< peer_ is known
    bool ready_ = false, subscribed_ = false;
    std::string run_id_;
    bool restarted_ = false;
    std::array<std::string, redis_scripts> hashes_;
    Clock::time_point next_tick_{}, next_probe_{};
    /// The time of the first probe since the last one that came back; max(): none.
    Clock::time_point unreturned_ = Clock::time_point::max();
    Clock::time_point returned_ = Clock::now();
};

} // namespace sse
