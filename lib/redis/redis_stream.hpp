// One channel in Redis, on the thread of the log: what this server has seen of it, what it has yet
// to store, and how both are brought in line with Redis again.
#pragma once

#include "hub/log.hpp"
#include "redis/redis_counts.hpp"
#include "redis/redis_entry.hpp"
#include "redis/redis_link.hpp"
#include "redis/redis_options.hpp"
#include "redis/redis_ring.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sse {

/// What the streams of a log share; used on its thread.
struct RedisShared {
    const RedisOptions& options;
    RedisLink& link;
    StoreHealth& health;
    RedisCounts& counts;
    std::string name; ///< of this server, unique
    std::uint64_t sessions = 0;
    /// Nothing is published before this time.
    std::chrono::steady_clock::time_point hold_until{};
    std::string new_session() { return name + '.' + std::to_string(++sessions); }
    /// Redis has lost events: every server may put back what it holds.
    void hold();
};

/// Used on the thread of its log, except where a member says otherwise.
class RedisStream : public std::enable_shared_from_this<RedisStream> {
public:
    using Clock = std::chrono::steady_clock;

    RedisStream(RedisShared& shared, std::string_view name, const HistoryOptions& bounds,
                std::weak_ptr<LogSink> sink);

    /// The topic of its messages. Any thread.
    const std::string& topic() const { return topic_; }
    /// The sequence number of its oldest event in Redis, as of the last look. Any thread.
    std::uint64_t begin() const { return begin_.load(); }

    // The link.
    void commands_ready();
    void commands_lost();
    void subscribed();
    void subscriber_lost();
    void message(const std::string& text);

    /// Compares its end with Redis. Every second or less often.
    void look();
    /// Stores what waits, if that is possible now.
    void resume();
    /// Removes what is beyond the retention.
    void trim();
    /// Appended to since the last trim().
    bool take_grown() { return std::exchange(grown_, false); }

    struct Pending {
        Draft draft;
        std::shared_ptr<LogSink> sink; ///< keeps the channel in use
        std::size_t drafted = 0;       ///< bytes of the batch when it was appended
        Clock::time_point since{};
        std::uint64_t number = 0; ///< in the session; 0: not sent
        bool acknowledged = false, arrived = false;
    };
    void append(Pending pending);
    bool has_pending() const { return !pending_.empty(); }
    /// The log ends: drafts that are left fail.
    void fail_all(const std::string& why);
    void read(std::uint64_t from, std::function<void(std::shared_ptr<History>)> done);
    void locate(std::string id, std::function<void(LogPosition)> done);

private:
    struct Top {
        std::uint64_t next = 0, begin = 0;
        EventId last;
    };
    struct Search;
    using Handler = RedisConnection::Handler;
    Handler guarded(void (RedisStream::*member)(RedisReply&));
    static Top top_of(const RedisReply& reply);
    std::string key(std::string_view kind) const { return base_ + std::string(kind); }
    std::string age() const;

    // Coming in line with Redis.
    void hold(RedisMessage message);
    void accept_held();
    void sync();
    void on_top(RedisReply& reply);
    void read_tail();
    void on_tail(RedisReply& reply);
    void open();
    void fill(EventId from, bool exclusive);
    void on_fill(RedisReply& reply);
    void on_oldest(RedisReply& reply);
    void put_back(const Top& top);
    void jump();
    void finish_sync();
    void on_look(RedisReply& reply);

    // What arrives.
    void accept(RedisEntry& entry);
    void settle_arrival(const RedisEntry& entry, std::size_t& drafted);
    std::size_t page_entries() const;
    void measure(const std::vector<RedisReply>& items);

    // What is stored.
    void send_unsent();
    void send(Pending& pending);
    void on_append(std::uint64_t number, Clock::time_point sent, RedisReply& reply);
    void on_stored(Pending& pending, EventId last);
    void on_refused(std::uint64_t number, const std::string& why);
    void on_known(std::uint64_t number, const std::string& id);
    void on_count(RedisReply& reply);
    void renumber();
    void answer(Pending& pending, const Receipt& receipt);
    void remove(std::uint64_t number);
    Pending* find(std::uint64_t number);

    // What is read.
    using SearchPtr = std::shared_ptr<Search>;
    void start(const SearchPtr& search);
    void query(const SearchPtr& search, const std::string& from, const std::string& to,
               std::size_t count, void (RedisStream::*member)(const SearchPtr&, RedisReply&));
    void start_search(const SearchPtr& search);
    void probe(const SearchPtr& search);
    void on_probe(const SearchPtr& search, RedisReply& reply);
    void found(const SearchPtr& search, EventId from);
    void on_page(const SearchPtr& search, RedisReply& reply);
    void page_done(const SearchPtr& search);
    void on_own(const SearchPtr& search, RedisReply& reply);
    void on_first(const SearchPtr& search, RedisReply& reply);
    void locate_given(const SearchPtr& search);
    void on_given(const SearchPtr& search, RedisReply& reply);
    void located(const SearchPtr& search, const LogPosition& position);
    void answer_located(bool all);
    void remember(std::uint64_t sequence, EventId from);
    void on_trim(const SearchPtr& search, RedisReply& reply);
    void trim_before(EventId id);

    RedisShared& shared_;
    const std::string name_, base_, topic_, stream_key_, meta_key_;
    const HistoryOptions bounds_;
    const std::weak_ptr<LogSink> sink_;
    std::atomic<std::uint64_t> begin_{0};

    bool opened_ = false;     ///< the channel has its tail
    bool subscribed_ = false; ///< messages come
    bool syncing_ = false;    ///< commands of sync() are on their way
    bool live_ = false;       ///< in line with Redis: messages are taken as they come
    bool grown_ = false;
    std::uint64_t next_ = 0;             ///< the sequence number after the newest event
    EventId last_;                       ///< the id of the newest event
    EventId seen_;                       ///< the greatest id of a message
    EventId looked_;                     ///< that of Redis at the last look
    EventId before_look_;                ///< last_ when the look began
    std::uint64_t bytes_ = 0;            ///< of all events of the channel
    Top top_;                            ///< while syncing_
    std::vector<RedisRing::Entry> tail_; ///< while it is being read, the newest first
    std::size_t tail_events_ = 0, tail_bytes_ = 0;
    bool fill_from_oldest_ = false;
    std::deque<RedisMessage> held_; ///< that came while this was not live
    std::size_t held_bytes_ = 0;
    RedisRing ring_;
    std::size_t entry_bytes_ = 16 * 1024; ///< of an entry, as measured

    std::string session_;
    std::uint64_t sent_ = 0;      ///< the number of the last draft that was sent
    std::size_t outstanding_ = 0; ///< drafts sent and not answered
    bool check_count_ = false;    ///< nothing is sent before Redis has told what it has stored
    bool counting_ = false;       ///< that is on its way
    bool new_session_ = false;    ///< a draft of the session is missing for ever
    bool ghosts_ = false;         ///< drafts that are stored and did not arrive do not any more
    Clock::time_point not_before_{};
    std::deque<Pending> pending_;

    std::list<SearchPtr> searches_; ///< not answered
    std::list<SearchPtr> ahead_;    ///< answered with what has not arrived here yet
    /// The events from that sequence number on have ids from that one on. Some of them.
    std::map<std::uint64_t, EventId> places_;
    std::deque<std::uint64_t> place_ages_; ///< keys of places_, the oldest first
};

} // namespace sse
