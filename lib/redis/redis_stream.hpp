// One channel in Redis, on the thread of the log: the events that arrive, and the synchronisation
// with Redis. RedisDrafts has the drafts to store, RedisReader reads events for clients.
#pragma once

#include "hub/log.hpp"
#include "redis/redis_drafts.hpp"
#include "redis/redis_entry.hpp"
#include "redis/redis_keys.hpp"
#include "redis/redis_owner.hpp"
#include "redis/redis_position.hpp"
#include "redis/redis_reader.hpp"
#include "redis/redis_ring.hpp"
#include "redis/redis_shared.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sse {

/// Used on the thread of its log, except where a member says otherwise.
class RedisStream : public std::enable_shared_from_this<RedisStream>, RedisOwner {
public:
    using Clock = std::chrono::steady_clock;

    RedisStream(RedisShared& shared, std::string_view name, const HistoryOptions& bounds,
                std::weak_ptr<LogSink> sink);

    /// The topic of its messages. Any thread.
    const std::string& topic() const { return keys_.topic(); }
    /// The sequence number of its oldest event in Redis at the last check. Any thread.
    std::uint64_t begin() const { return position_.begin.load(); }

    // The link.
    void commands_ready();
    void commands_lost();
    void subscribed();
    void subscriber_lost();
    void message(const std::string& text);

    /// Compares its newest event with that in Redis. Called once a second, or less often if there
    /// are many channels.
    void look();
    /// The drafts of this server.
    RedisDrafts& drafts() { return drafts_; }
    RedisReader& reader() { return reader_; }

private:
    struct Top {
        std::uint64_t next = 0, begin = 0;
        EventId last;
    };
    using Handler = RedisConnection::Handler;
    Handler handler(void (RedisStream::*member)(RedisReply&));
    static Top top_of(const RedisReply& reply);

    // Of RedisOwner.
    void sync() override;
    std::weak_ptr<const void> existence() const override { return weak_from_this(); }

    // Synchronising with Redis.
    void hold(RedisMessage message);
    void accept_held();
    void on_top(RedisReply& reply);
    void read_tail();
    void on_tail(RedisReply& reply);
    void open();
    void fill(EventId from, bool exclusive);
    void on_fill(RedisReply& reply);
    void on_oldest(RedisReply& reply);
    void put_back(const Top& top);
    void put_back(const RedisRing::Entry& entry, EventId before, bool last);
    void jump();
    void on_jump(RedisReply& reply);
    void finish_sync();
    void on_look(RedisReply& reply);

    // Events that arrive.
    void accept(RedisEntry& entry);

    RedisShared& shared_;
    const RedisKeys keys_;
    const HistoryOptions bounds_;
    const std::weak_ptr<LogSink> sink_;
    RedisPosition position_;
    RedisDrafts drafts_;
    RedisReader reader_;

    bool subscribed_ = false;            ///< the subscription is confirmed
    bool syncing_ = false;               ///< commands of sync() wait for replies
    EventId seen_;                       ///< the greatest id of a message
    EventId looked_;                     ///< the newest ID in Redis at the last check
    EventId before_look_;                ///< position_.last when the check began
    Top top_;                            ///< while syncing_
    std::vector<RedisRing::Entry> tail_; ///< entries read so far for the tail, the newest first
    std::size_t tail_events_ = 0, tail_bytes_ = 0;
    bool fill_from_oldest_ = false;
    std::optional<std::uint64_t> lost_from_; ///< of the next batch that arrives
    std::deque<RedisMessage> held_;          ///< messages that arrived while this was not live
    std::size_t held_bytes_ = 0;
    RedisRing ring_;
};

} // namespace sse
