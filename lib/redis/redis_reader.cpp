#include "redis/redis_reader.hpp"

#include "base/error.hpp"
#include "redis/redis_entry.hpp"
#include "redis/redis_shared.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <utility>

namespace sse {

namespace {

/// An event at most this far ahead is reached by reading, not by searching.
constexpr std::uint64_t near = 1'024;
constexpr int most_steps = 64;
constexpr std::size_t most_places = 4'096;

HistoryOptions unbounded() {
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    return {most, most};
}

EventId id_after(EventId id) { return {id.ms, id.n + 1}; }

} // namespace

struct RedisReader::Search {
    enum class Kind { page, locate, trim } kind = Kind::page;
    std::string id; ///< locate
    /// The number of an event, or (by_bytes) of a byte of the channel.
    std::uint64_t value = 0;
    bool by_bytes = false;
    std::function<void(std::shared_ptr<History>)> page_done;
    std::function<void(LogPosition)> located;

    // Known bounds: `value` is not before the event with the ID `low`, and is before that of
    // `high`.
    bool has_low = false;
    std::uint64_t low_value = 0, high_value = 0;
    EventId low, high;
    int steps = 0;
    std::shared_ptr<History> page;
    std::size_t asked = 0; ///< entries
    EventId page_end;      ///< the next place to read from
    LogPosition position;

    std::uint64_t begin_of(const RedisEntry& entry) const {
        return by_bytes ? entry.bytes : entry.first;
    }
    std::uint64_t end_of(const RedisEntry& entry) const {
        return by_bytes ? entry.bytes + entry.chunks.size() : entry.end();
    }
};

RedisReader::RedisReader(RedisShared& shared, const RedisKeys& keys, RedisPosition& position,
                         RedisOwner& owner)
    : shared_(shared)
    , keys_(keys)
    , position_(position)
    , owner_(owner) {}

void RedisReader::start_all() {
    for (const auto& search : std::exchange(searches_, {})) start(search);
}

void RedisReader::forget_places() {
    places_.clear();
    place_ages_.clear();
}

std::size_t RedisReader::page_entries() const {
    return std::clamp<std::size_t>(shared_.options.store.page_bytes / entry_bytes_, 1, 1'000);
}

void RedisReader::measure(const std::vector<RedisReply>& items) {
    std::size_t bytes = 0;
    for (const auto& item : items) {
        if (!item.is_array(2)) continue;
        for (const auto& field : item.items[1].items) bytes += field.text.size();
    }
    if (!items.empty()) entry_bytes_ = std::max<std::size_t>(64, bytes / items.size());
}

void RedisReader::read(std::uint64_t from, std::function<void(std::shared_ptr<History>)> done) {
    auto search = std::make_shared<Search>();
    search->value = from;
    search->page_done = std::move(done);
    start(search);
}

void RedisReader::locate(std::string id, std::function<void(LogPosition)> done) {
    auto search = std::make_shared<Search>();
    search->kind = Search::Kind::locate;
    search->id = std::move(id);
    search->located = std::move(done);
    start(search);
}

/// From the beginning, also after the connection was lost.
void RedisReader::start(const SearchPtr& search) {
    searches_.push_back(search);
    if (!position_.opened || !shared_.link.ready()) return;
    if (search->kind != Search::Kind::locate) return start_search(search);
    if (parse_start_id(search->id)) return query(search, "-", "+", 1, &RedisReader::on_first);
    if (const auto own = parse_event_id(search->id))
        return query(search, text_of(*own), "+", 1, &RedisReader::on_own);
    locate_given(search);
}

void RedisReader::query(const SearchPtr& search, const std::string& from, const std::string& to,
                        std::size_t count,
                        void (RedisReader::*member)(const SearchPtr&, RedisReply&)) {
    shared_.link.command({"XRANGE", keys_.stream(), from, to, "COUNT", fmt::to_string(count)},
                         owner_.guarded([this, search, member](RedisReply& reply) {
                             throw_if_error(reply);
                             (this->*member)(search, reply);
                         }));
}

// ---- a sequence number ----

void RedisReader::start_search(const SearchPtr& search) {
    search->steps = 0;
    search->has_low = false;
    search->page.reset();
    search->high_value = search->by_bytes ? position_.bytes : position_.next;
    search->high = position_.last;
    if (!search->by_bytes) {
        auto place = places_.upper_bound(search->value);
        if (place != places_.end()) std::tie(search->high_value, search->high) = *place;
        if (place != places_.begin()) {
            std::tie(search->low_value, search->low) = *--place;
            search->has_low = true;
            if (search->value - search->low_value <= near) return found(search, search->low);
        }
    }
    probe(search);
}

/// Reads one entry: first the oldest one, then in turn the one where `value` would be if events
/// were evenly spaced in time, and the one in the middle.
void RedisReader::probe(const SearchPtr& search) {
    auto& s = *search;
    if (!s.has_low) return query(search, "-", "+", 1, &RedisReader::on_probe);
    const auto span = s.high.ms - std::min(s.low.ms, s.high.ms);
    if (span <= 1 || s.steps > most_steps) return found(search, s.low);
    auto step = span / 2;
    if (s.steps % 2 == 0 && s.high_value > s.low_value) {
        const auto part = static_cast<double>(s.value - s.low_value) /
                          static_cast<double>(s.high_value - s.low_value);
        step = static_cast<std::uint64_t>(part * static_cast<double>(span));
    }
    s.high.n = 0;
    const EventId at{s.low.ms + std::clamp<std::uint64_t>(step, 1, span - 1), 0};
    s.page_end = at;
    query(search, text_of(at), "+", 1, &RedisReader::on_probe);
}

void RedisReader::on_probe(const SearchPtr& search, RedisReply& reply) {
    auto& s = *search;
    ++s.steps;
    const auto entry = reply.items.empty() ? std::nullopt : parse_entry(reply.items[0]);
    if (!s.has_low) {
        if (!entry) return found(search, {});
        if (s.end_of(*entry) > s.value) return found(search, entry->first_id());
        s.has_low = true;
    } else if (!entry) {
        s.high = s.page_end;
        return probe(search);
    } else if (s.begin_of(*entry) > s.value) {
        s.high = s.page_end;
        s.high_value = s.begin_of(*entry);
        return probe(search);
    } else if (s.end_of(*entry) > s.value) {
        return found(search, entry->first_id());
    }
    s.low = id_after(entry->last);
    s.low_value = s.end_of(*entry);
    if (!s.by_bytes && s.value - s.low_value <= near) return found(search, s.low);
    probe(search);
}

/// `from`: an id that is not after the event with the number.
void RedisReader::found(const SearchPtr& search, EventId from) {
    search->page_end = from;
    search->asked = page_entries();
    query(search, text_of(from), "+", search->asked,
          search->kind == Search::Kind::page ? &RedisReader::on_page : &RedisReader::on_trim);
}

void RedisReader::on_page(const SearchPtr& search, RedisReply& reply) {
    measure(reply.items);
    bool more = reply.items.size() == search->asked;
    for (auto& item : reply.items) {
        const auto entry = parse_entry(item);
        if (!entry) {
            shared_.counts.damaged.add();
            continue;
        }
        search->page_end = id_after(entry->last);
        if (entry->end() <= search->value) continue;
        auto& page = search->page;
        // The page ends before a gap, which is reported later, and before events that have not
        // arrived here yet, which arrive as messages.
        more = more && (!page || entry->first == page->end()) && entry->end() <= position_.next;
        if (entry->end() > position_.next || (page && entry->first != page->end())) break;
        auto batch = entry->batch();
        if (!batch) continue;
        if (!page) {
            page = std::make_shared<History>(unbounded(), entry->first);
            remember(entry->first, entry->first_id());
        }
        page->append(std::move(batch));
        remember(page->end(), search->page_end);
        if (page->bytes() >= shared_.options.store.page_bytes) return page_done(search);
    }
    if (!more) return page_done(search);
    found(search, search->page_end);
}

void RedisReader::page_done(const SearchPtr& search) {
    searches_.remove(search);
    shared_.counts.pages.add();
    auto page = std::move(search->page);
    if (!page) page = std::make_shared<History>(unbounded(), search->value);
    search->page_done(std::move(page));
}

void RedisReader::remember(std::uint64_t sequence, EventId from) {
    if (!places_.try_emplace(sequence, from).second) return;
    place_ages_.push_back(sequence);
    if (place_ages_.size() <= most_places) return;
    places_.erase(place_ages_.front());
    place_ages_.pop_front();
}

// ---- an id ----

void RedisReader::on_first(const SearchPtr& search, RedisReply& reply) {
    // Before the first event, unless that is older than the id.
    const auto entry = reply.items.empty() ? std::nullopt : parse_entry(reply.items[0]);
    if (!entry && position_.next == 0) return located(search, {0, false});
    if (entry && entry->first == 0 && entry->first_id().ms >= *parse_start_id(search->id))
        return located(search, {0, false});
    located(search, {});
}

void RedisReader::on_own(const SearchPtr& search, RedisReply& reply) {
    const auto id = *parse_event_id(search->id);
    const auto entry = reply.items.empty() ? std::nullopt : parse_entry(reply.items[0]);
    search->position = {entry ? entry->first : position_.next,
                        true}; // the events up to it are not there
    if (entry && entry->first_id() <= id) {
        const auto batch = entry->batch();
        const auto index = id.n - entry->first_id().n;
        if (batch && batch->id(index) == search->id) {
            remember(entry->first, entry->first_id());
            return located(search, {entry->first + index + 1, false});
        }
    }
    locate_given(search);
}

/// Looks up an ID that was published with its event.
void RedisReader::locate_given(const SearchPtr& search) {
    shared_.link.command({"GET", keys_.given_id(search->id)},
                         owner_.guarded([this, search](RedisReply& reply) {
                             throw_if_error(reply);
                             const auto entry = reply.text.substr(0, reply.text.find(' '));
                             if (!parse_event_id(entry)) return located(search, search->position);
                             query(search, entry, entry, 1, &RedisReader::on_given);
                         }));
}

void RedisReader::on_given(const SearchPtr& search, RedisReply& reply) {
    const auto entry = reply.items.empty() ? std::nullopt : parse_entry(reply.items[0]);
    const auto batch = entry ? entry->batch() : nullptr;
    for (auto i = batch ? batch->size() : 0; i > 0; --i) {
        if (batch->id(i - 1) != search->id) continue;
        remember(entry->first, entry->first_id());
        return located(search, {entry->first + i, false});
    }
    located(search, search->position);
}

void RedisReader::located(const SearchPtr& search, const LogPosition& position) {
    searches_.remove(search);
    search->position = position;
    ahead_.push_back(search);
    answer_located(false);
}

/// Answers the searches whose events have arrived here. `all`: answers all, because this is in sync
/// with Redis.
void RedisReader::answer_located(bool all) {
    for (auto it = ahead_.begin(); it != ahead_.end();) {
        const auto& position = (*it)->position;
        if (!all && position.next && *position.next > position_.next) {
            ++it;
            continue;
        }
        const auto search = *it;
        it = ahead_.erase(it);
        auto result = search->position;
        if (result.next) result.next = std::min(*result.next, position_.next);
        search->located(result);
    }
}

// ---- the retention ----

void RedisReader::trim() {
    const auto& retain = shared_.options.store.retain;
    if (!position_.live || !shared_.link.ready()) return;
    if (const auto age = static_cast<std::uint64_t>(retain.age.count());
        age > 0 && position_.last.ms > age)
        trim_before({position_.last.ms - age, 0});
    const auto search_for = [&](std::uint64_t value, bool by_bytes) {
        auto search = std::make_shared<Search>();
        search->kind = Search::Kind::trim;
        search->value = value;
        search->by_bytes = by_bytes;
        start(search);
    };
    if (retain.events > 0 && position_.next - position_.begin > retain.events)
        search_for(position_.next - retain.events, false);
    if (retain.bytes > 0 && position_.bytes > retain.bytes)
        search_for(position_.bytes - retain.bytes, true);
}

/// Removes the entries before the one that was searched for.
void RedisReader::on_trim(const SearchPtr& search, RedisReply& reply) {
    for (auto& item : reply.items) {
        const auto entry = parse_entry(item);
        if (!entry) continue;
        search->page_end = id_after(entry->last);
        if (search->end_of(*entry) <= search->value) continue;
        searches_.remove(search);
        return trim_before(entry->first_id());
    }
    if (reply.items.size() == search->asked) return found(search, search->page_end);
    searches_.remove(search);
}

void RedisReader::trim_before(EventId id) {
    shared_.link.command({"XTRIM", keys_.stream(), "MINID", text_of(id)},
                         [](RedisReply& reply) { throw_if_error(reply); });
    shared_.link.command(
        {"XRANGE", keys_.stream(), "-", "+", "COUNT", "1"},
        owner_.guarded([this](RedisReply& reply) {
            throw_if_error(reply);
            const auto entry = reply.items.empty() ? std::nullopt : parse_entry(reply.items[0]);
            if (!entry || entry->first <= position_.begin) return;
            position_.begin = entry->first;
            shared_.link.command({"HSET", keys_.meta(), "f", fmt::to_string(entry->first)},
                                 [](RedisReply& done) { throw_if_error(done); });
        }));
}

} // namespace sse
