// One channel in Redis, on the thread of the log: the events that this server has seen, the drafts
// that it has yet to store, and the synchronisation of both with Redis.
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

/// The state that the streams of a log share; used on its thread.
struct RedisShared {
    const RedisOptions& options;
    RedisLink& link;
    StoreHealth& health;
    RedisCounts& counts;
    std::string name; ///< a unique name of this server
    std::uint64_t sessions = 0;
    /// Nothing is published before this time.
    std::chrono::steady_clock::time_point hold_until{};
    std::string new_session() { return name + '.' + std::to_string(++sessions); }
    /// Delays publishing, because Redis has lost events, so that every server can put back those
    /// that it holds.
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
    /// The sequence number of its oldest event in Redis at the last check. Any thread.
    std::uint64_t begin() const { return begin_.load(); }

    // The link.
    void commands_ready();
    void commands_lost();
    void subscribed();
    void subscriber_lost();
    void message(const std::string& text);

    /// Compares its newest event with that in Redis. Called once a second, or less often if there
    /// are many channels.
    void look();
    /// Stores the drafts that wait, if that is possible now.
    void resume();
    /// Removes the events beyond the retention.
    void trim();
    /// True if events were appended since the last call.
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
    /// Fails all remaining drafts, because the log ends.
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

    // Synchronising with Redis.
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

    // Events that arrive.
    void accept(RedisEntry& entry);
    void settle_arrival(const RedisEntry& entry, std::size_t& drafted);
    std::size_t page_entries() const;
    void measure(const std::vector<RedisReply>& items);

    // Drafts to store.
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

    // Events that are read.
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
    bool subscribed_ = false; ///< the subscription is confirmed
    bool syncing_ = false;    ///< commands of sync() wait for replies
    bool live_ = false;       ///< in sync with Redis: messages are accepted as they arrive
    bool grown_ = false;
    std::uint64_t next_ = 0;             ///< the sequence number after the newest event
    EventId last_;                       ///< the id of the newest event
    EventId seen_;                       ///< the greatest id of a message
    EventId looked_;                     ///< the newest ID in Redis at the last check
    EventId before_look_;                ///< last_ when the check began
    std::uint64_t bytes_ = 0;            ///< of all events of the channel
    Top top_;                            ///< while syncing_
    std::vector<RedisRing::Entry> tail_; ///< entries read so far for the tail, the newest first
    std::size_t tail_events_ = 0, tail_bytes_ = 0;
    bool fill_from_oldest_ = false;
    std::deque<RedisMessage> held_; ///< messages that arrived while this was not live
    std::size_t held_bytes_ = 0;
    RedisRing ring_;
    std::size_t entry_bytes_ = 16 * 1024; ///< of an entry, as measured

    std::string session_;
    std::uint64_t sent_ = 0;      ///< the number of the last draft that was sent
    std::size_t outstanding_ = 0; ///< drafts sent and not answered
    /// Ask Redis for the number of drafts that it has stored, before anything is sent.
    bool check_count_ = false;
    bool counting_ = false; ///< that request waits for its reply
    /// A draft of the session will never be stored, so another session is needed.
    bool new_session_ = false;
    bool ghosts_ = false; ///< drafts that were stored but did not arrive will not arrive any more
    Clock::time_point not_before_{};
    std::deque<Pending> pending_;

    std::list<SearchPtr> searches_; ///< not answered
    std::list<SearchPtr> ahead_;    ///< answered with events that have not arrived here yet
    /// Some known places: a sequence number, and an ID such that the event with this number has
    /// this ID or a later one.
    std::map<std::uint64_t, EventId> places_;
    std::deque<std::uint64_t> place_ages_; ///< keys of places_, the oldest first
};

} // namespace sse
