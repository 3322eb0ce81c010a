// The drafts of one channel that this server has sent to Redis or is going to: sent in order, each
// stored once, answered when Redis has stored it, kept until it arrives as a message. Not what
// arrives (RedisStream).
#pragma once

#include "hub/event_id.hpp"
#include "hub/log.hpp"
#include "redis/redis_keys.hpp"
#include "redis/redis_owner.hpp"
#include "redis/redis_position.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sse {

struct RedisEntry;
struct RedisShared;

/// A draft that is not settled.
struct PendingDraft {
    Draft draft;
    std::shared_ptr<LogSink> sink; ///< keeps the channel in use
    std::size_t drafted = 0;       ///< bytes of the batch when it was appended
    std::chrono::steady_clock::time_point since{};
    std::string session;      ///< that it was last sent in
    std::uint64_t number = 0; ///< in the session; 0: not sent
    bool acknowledged = false, arrived = false;
    EventId last;         ///< of its entry, once it has arrived or is stored
    bool waiting = false; ///< a WAIT for a replica has no reply yet
};

/// Used on the thread of its log. Drafts of one session have numbers, which Redis counts: after a
/// connection was lost, nothing is sent before Redis has told how many of them it has stored.
class RedisDrafts {
public:
    using Clock = std::chrono::steady_clock;

    /// All must outlive it.
    RedisDrafts(RedisShared& shared, const RedisKeys& keys, const RedisPosition& position,
                RedisOwner& owner);

    void append(PendingDraft pending);
    bool empty() const { return pending_.empty(); }
    /// Sends the drafts that wait, if that is possible now.
    void resume();
    /// Redis may have lost drafts, or this server may have missed some: what is stored is asked
    /// for before the next one is sent.
    void check() { check_count_ = true; }
    /// Drafts from before that time that are stored and have not arrived: they do not any more.
    void find_lost(Clock::time_point before);
    void commands_lost();
    /// `entry` arrives. If it is a draft of this server, removes the draft once it is answered, and
    /// returns its PendingDraft::drafted; 0 if it is none, or has arrived before.
    std::size_t on_arrival(const RedisEntry& entry);
    /// True if Redis has stored drafts since the last call.
    bool take_grown() { return std::exchange(grown_, false); }
    /// Fails all remaining drafts, because the log ends. Returns the number of events of inputs
    /// that are not stored.
    std::size_t fail_all(const std::string& why);

private:
    void send_unsent();
    void send(PendingDraft& pending);
    void on_append(std::uint64_t number, Clock::time_point sent, RedisReply& reply);
    void on_appended(std::uint64_t number, EventId last);
    void acknowledge(PendingDraft& pending, EventId last);
    void wait_for_replica(PendingDraft& pending, Receipt receipt);
    void on_refused(std::uint64_t number, const std::string& why);
    void on_known(std::uint64_t number, const std::string& id);
    void on_count(RedisReply& reply);
    void begin_session();
    void answer(PendingDraft& pending, const Receipt& receipt);
    void remove(const PendingDraft& pending);
    bool is_own(const std::string& session) const;
    PendingDraft* find(const std::string& session, std::uint64_t number);

    RedisShared& shared_;
    const RedisKeys& keys_;
    const RedisPosition& position_;
    RedisOwner& owner_;
    std::string session_;
    std::vector<std::string> old_sessions_; ///< those whose last drafts are stored and may arrive
    std::uint64_t sent_ = 0;                ///< the number of the last draft that was sent
    std::size_t outstanding_ = 0;           ///< drafts sent and not answered
    /// Ask Redis for the number of drafts that it has stored, before anything is sent.
    bool check_count_ = false;
    bool counting_ = false; ///< that request waits for its reply
    /// A draft of the session will never be stored, so another session is needed.
    bool new_session_ = false;
    bool ghosts_ = false; ///< drafts that were stored but did not arrive will not arrive any more
    Clock::time_point not_before_{};
    bool grown_ = false;
    std::deque<PendingDraft> pending_;
};

} // namespace sse
