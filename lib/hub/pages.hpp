// The parts of a log that subscribers of one event loop are being sent: read when one needs them,
// shared by all that do, bounded together. A cache: a page that was evicted is read again.
#pragma once

#include "hub/history.hpp"
#include "hub/log.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <utility>

namespace sse {

class Channel;

struct PagesOptions {
    /// Bytes of all pages of a loop; one page is always held.
    std::size_t max_bytes = 16 * 1024 * 1024;
    /// Pages that are read at the same time; further requests wait.
    std::size_t max_reads = 8;
};

/// Used on its loop's thread only.
class Pages {
public:
    /// `loop`: its number in the channels.
    explicit Pages(std::size_t loop, PagesOptions options = {})
        : loop_(loop)
        , options_(options) {}

    /// The page with event `sequence` of that channel; nullptr if it is not held. It stays until
    /// the loop handles its next action.
    const History* find(const ChannelLog& log, std::uint64_t sequence);
    /// Drops the pages of that channel: its log may hold other events with their numbers.
    void forget(const ChannelLog& log);
    /// Has the page with event `sequence` read; then calls page_arrived() of the channel's shard.
    void request(std::shared_ptr<Channel> channel, std::uint64_t sequence);

private:
    /// A channel, by the address of its log, and a number of an event in it.
    using Key = std::pair<const ChannelLog*, std::uint64_t>;
    struct Page {
        std::shared_ptr<ChannelLog> log; ///< keeps the address of the key its own
        std::shared_ptr<History> events;
        std::list<Key>::iterator use; ///< in uses_
    };
    struct Request {
        std::shared_ptr<Channel> channel;
        std::uint64_t sequence;
    };

    std::shared_ptr<History> held(const ChannelLog& log, std::uint64_t sequence);
    void read_next();
    void answer(const Request& request, const History& events);
    void arrived(const Request& request, const std::shared_ptr<History>& events);
    void keep(const std::shared_ptr<ChannelLog>& log, const std::shared_ptr<History>& events);

    const std::size_t loop_;
    const PagesOptions options_;
    std::map<Key, Page> pages_;   ///< by their first event
    std::list<Key> uses_;         ///< of pages_, the latest last
    std::size_t bytes_ = 0;       ///< of pages_
    std::set<Key> asked_;         ///< requests that have not been answered
    std::deque<Request> waiting_; ///< those that are not being read
    std::size_t reading_ = 0;
};

} // namespace sse
