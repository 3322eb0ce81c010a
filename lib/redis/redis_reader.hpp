// Reads the events of one channel from Redis: finds a sequence number or an ID, reads events from
// there, and removes the events beyond the retention. RedisStream receives those that arrive.
#pragma once

#include "hub/event_id.hpp"
#include "hub/history.hpp"
#include "hub/log.hpp"
#include "redis/redis_keys.hpp"
#include "redis/redis_owner.hpp"
#include "redis/redis_position.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sse {

struct RedisEntry;
struct RedisShared;

/// Used on the thread of its log. What it was asked for before Redis can be reached, or whose reply
/// was lost, it asks for again.
class RedisReader {
public:
    /// All must outlive it; it writes only `position.begin`.
    RedisReader(RedisShared& shared, const RedisKeys& keys, RedisPosition& position,
                RedisOwner& owner);

    /// As ChannelLog::read() and locate().
    void read(std::uint64_t from, std::function<void(std::shared_ptr<History>)> done);
    void locate(std::string id, std::function<void(LogPosition)> done);
    /// Removes the events beyond the retention.
    void trim();

    /// Commands can be sent, or the channel was opened: begins all that is not answered.
    void start_all();
    /// Answers locate() where the position is not ahead of what has arrived here; `all`: this is in
    /// line with Redis.
    void answer_located(bool all);
    /// Sequence numbers have changed.
    void forget_places();

    /// Entries that make about a page, by those that were measured.
    std::size_t page_entries() const;
    void measure(const std::vector<RedisReply>& items);

private:
    struct Search;
    using SearchPtr = std::shared_ptr<Search>;
    void start(const SearchPtr& search);
    void query(const SearchPtr& search, const std::string& from, const std::string& to,
               std::size_t count, void (RedisReader::*member)(const SearchPtr&, RedisReply&));
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
    void remember(std::uint64_t sequence, EventId from);
    void on_trim(const SearchPtr& search, RedisReply& reply);
    void trim_before(EventId id);

    RedisShared& shared_;
    const RedisKeys& keys_;
    RedisPosition& position_;
    RedisOwner& owner_;
    std::size_t entry_bytes_ = 16 * 1024; ///< of an entry, as measured

    std::list<SearchPtr> searches_; ///< not answered
    std::list<SearchPtr> ahead_;    ///< answered with events that have not arrived here yet
    /// Some known places: a sequence number, and an ID such that the event with this number has
    /// this ID or a later one.
    std::map<std::uint64_t, EventId> places_;
    std::deque<std::uint64_t> place_ages_; ///< keys of places_, the oldest first
};

} // namespace sse
