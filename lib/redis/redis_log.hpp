// A log in Redis, which any number of servers share: sse-store(7).
#pragma once

#include "base/wake_pipe.hpp"
#include "hub/log.hpp"
#include "redis/redis_link.hpp"
#include "redis/redis_options.hpp"
#include "redis/redis_stream.hpp"
#include "store/store_health.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sse {

/// Runs one thread between start() and stop(). An event is delivered when Redis publishes it, on
/// this server as on all others, and its publisher is answered when Redis has stored it. Members
/// may be called on any thread, unless they say otherwise.
class RedisLog : public Log, private RedisLink::Listener {
public:
    /// Does not connect yet. Throws Error (invalid_argument) if this build has no hiredis, or if
    /// TLS files cannot be used.
    explicit RedisLog(RedisOptions options);
    ~RedisLog() override;

    /// One thread calls start(), then stop(). Channels may be opened before start(); they then wait
    /// for it.
    void start();
    /// Stores the drafts that were appended, if Redis answers in time, and ends the thread.
    void stop();

    Opened open(std::string_view name, const HistoryOptions& bounds,
                std::weak_ptr<LogSink> sink) override;
    LogCounts counts() const override;

    // For the channels.
    bool append(const std::shared_ptr<RedisStream>& stream, std::shared_ptr<LogSink> sink,
                Draft& draft);
    /// Calls `action` on the thread.
    void run_on_thread(std::function<void()> action);

private:
    using Clock = RedisLink::Clock;
    void on_commands(bool restarted) override;
    void on_commands_lost() override;
    void on_subscriber() override;
    void on_subscriber_lost() override;
    void on_subscribed(const std::string& topic) override;
    void on_message(const std::string& topic, const std::string& text) override;

    void run();
    void step();
    void tick(Clock::time_point now);
    void run_actions();
    void wake_refused();
    bool is_idle();
    /// Calls `action` for each channel that exists.
    template <typename Action>
    void each(Action&& action);

    const RedisOptions options_;
    StoreHealth health_;
    RedisCounts counts_;
    RedisLink link_;
    RedisShared shared_;
    WakePipe wake_;
    std::atomic<bool> stopping_{false};

    // The thread's own.
    std::map<std::string, std::weak_ptr<RedisStream>, std::less<>> streams_; ///< by topic
    std::string looked_at_; ///< the topic of the last look
    Clock::time_point next_look_{}, next_resume_{};
    std::vector<pollfd> fds_;

    std::mutex mutex_; ///< guards what follows
    std::vector<std::function<void()>> actions_;
    std::vector<std::weak_ptr<LogSink>> refused_;

    std::thread thread_;
};

} // namespace sse
