#include "redis/redis_stream.hpp"

#include "base/error.hpp"
#include "redis/redis_names.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace sse {

namespace {

constexpr std::size_t put_back_at_once = 32;
constexpr std::size_t most_held_bytes = 4 * 1024 * 1024;

} // namespace

RedisStream::RedisStream(RedisShared& shared, std::string_view name, const HistoryOptions& bounds,
                         std::weak_ptr<LogSink> sink)
    : shared_(shared)
    , keys_(shared.options, name)
    , bounds_(bounds)
    , sink_(std::move(sink))
    , drafts_(shared, keys_, position_, *this)
    , reader_(shared, keys_, position_, *this)
    , ring_(bounds) {}

RedisStream::Handler RedisStream::handler(void (RedisStream::*member)(RedisReply&)) {
    return guarded([this, member](RedisReply& reply) { (this->*member)(reply); });
}

// ---- the link ----

void RedisStream::commands_ready() {
    sync();
    reader_.start_all();
}

void RedisStream::commands_lost() {
    syncing_ = position_.live = false;
    tail_.clear();
    tail_events_ = tail_bytes_ = 0;
    drafts_.commands_lost();
}

void RedisStream::subscribed() {
    subscribed_ = true;
    sync();
}

void RedisStream::subscriber_lost() { subscribed_ = position_.live = false; }

void RedisStream::message(const std::string& text) {
    auto message = parse_message(text);
    if (!message) return shared_.counts.damaged.add();
    auto& entry = message->entry;
    seen_ = std::max(seen_, entry.last);
    if (!position_.live) return hold(std::move(*message));
    if (entry.last <= position_.last) return;
    if (message->previous == position_.last && entry.first >= position_.next) return accept(entry);
    shared_.counts.chain_breaks.add();
    sync();
}

/// Keeps a message until this server is in sync with Redis. Drops the oldest ones beyond
/// most_held_bytes.
void RedisStream::hold(RedisMessage message) {
    held_bytes_ += message.entry.chunks.size();
    held_.push_back(std::move(message));
    while (held_bytes_ > most_held_bytes) {
        held_bytes_ -= held_.front().entry.chunks.size();
        held_.pop_front();
    }
}

void RedisStream::accept_held() {
    held_bytes_ = 0;
    for (auto& message : std::exchange(held_, {})) {
        if (message.entry.last <= position_.last) continue;
        if (message.previous != position_.last || message.entry.first < position_.next) return;
        accept(message.entry);
    }
}

// ---- synchronising with Redis ----

RedisStream::Top RedisStream::top_of(const RedisReply& reply) {
    throw_if_error(reply);
    Top top;
    if (!reply.is_array(3)) return top;
    top.next = reply.items[0].as_number();
    top.last = parse_event_id(reply.items[1].text).value_or(EventId{});
    top.begin = reply.items[2].as_number();
    return top;
}

void RedisStream::sync() {
    position_.live = false;
    if (syncing_ || !subscribed_ || !shared_.link.ready()) return;
    syncing_ = true;
    shared_.link.command({"HMGET", keys_.meta(), "s", "l", "f"}, handler(&RedisStream::on_top));
}

void RedisStream::on_top(RedisReply& reply) {
    top_ = top_of(reply);
    position_.begin = top_.begin;
    if (!position_.opened) {
        if (top_.last != EventId{}) return read_tail();
        open();
        return finish_sync();
    }
    if (top_.last > position_.last) {
        fill_from_oldest_ = false;
        return fill(position_.last, false);
    }
    if (top_.last < position_.last) return put_back(top_);
    if (top_.next > position_.next) { // others have noticed that events are lost
        position_.next = top_.next;
        shared_.counts.gaps.add();
    }
    finish_sync();
}

/// Reads the newest entries backwards, until the history is full.
void RedisStream::read_tail() {
    const auto to =
        tail_.empty() ? text_of(top_.last) : fmt::format("({}", text_of(tail_.back().last));
    shared_.link.command(
        {"XREVRANGE", keys_.stream(), to, "-", "COUNT", fmt::to_string(reader_.page_entries())},
        handler(&RedisStream::on_tail));
}

void RedisStream::on_tail(RedisReply& reply) {
    throw_if_error(reply);
    reader_.measure(reply.items);
    bool more = !reply.items.empty();
    for (auto& item : reply.items) {
        auto entry = parse_entry(item);
        const auto batch = entry ? entry->batch() : nullptr;
        more = batch && (tail_.empty() || entry->end() == tail_.back().batch->first);
        if (!more) break; // earlier entries are read as pages
        tail_events_ += batch->size();
        tail_bytes_ += batch->bytes();
        more = tail_.empty() ||
               (tail_events_ <= bounds_.max_events && tail_bytes_ <= bounds_.max_bytes);
        if (!more) break;
        if (tail_.empty()) position_.bytes = entry->bytes + entry->chunks.size();
        tail_.push_back({entry->last, entry->bytes, std::move(entry->session), entry->number,
                         std::move(entry->key), batch});
    }
    if (more) return read_tail();
    open();
    sync();
}

/// Opens the channel with the entries of tail_, if there are any.
void RedisStream::open() {
    LogTail tail{top_.next, top_.last, {}};
    auto before = top_.last;
    if (!tail_.empty()) {
        const auto& oldest = tail_.back();
        tail.next = tail_.front().batch->first + tail_.front().batch->size();
        tail.last = tail_.front().last;
        before = {oldest.last.ms, oldest.last.n + 1 - oldest.batch->size()};
        before = before.n > 0 ? EventId{before.ms, before.n - 1}
                              : EventId{before.ms - 1, std::numeric_limits<std::uint64_t>::max()};
    }
    position_.last = tail.last;
    position_.next = tail.next;
    ring_.clear(before);
    std::reverse(tail_.begin(), tail_.end());
    for (auto& entry : std::exchange(tail_, {})) {
        tail.batches.push_back(entry.batch);
        ring_.push(std::move(entry));
    }
    tail_events_ = tail_bytes_ = 0;
    position_.opened = true;
    syncing_ = false;
    if (const auto sink = sink_.lock()) sink->opened(std::move(tail));
    reader_.start_all();
}

/// Reads the entries from `from` on; `exclusive`: those after it.
void RedisStream::fill(EventId from, bool exclusive) {
    shared_.link.command({"XRANGE", keys_.stream(), (exclusive ? "(" : "") + text_of(from), "+",
                          "COUNT", fmt::to_string(reader_.page_entries() + 1)},
                         handler(&RedisStream::on_fill));
}

void RedisStream::on_fill(RedisReply& reply) {
    throw_if_error(reply);
    reader_.measure(reply.items);
    auto& items = reply.items;
    std::size_t taken = 0;
    if (!fill_from_oldest_ && position_.last != EventId{}) {
        const auto first = items.empty() || !items[0].is_array(2)
                               ? std::nullopt
                               : parse_event_id(items[0].items[0].text);
        if (first != position_.last) {
            shared_.link.command({"XRANGE", keys_.stream(), "-", "+", "COUNT", "1"},
                                 handler(&RedisStream::on_oldest));
            return;
        }
        taken = 1;
    }
    fill_from_oldest_ = false;
    const bool more = items.size() > taken;
    for (; taken < items.size(); ++taken) {
        auto entry = parse_entry(items[taken]);
        if (!entry) {
            shared_.counts.damaged.add();
            position_.last = parse_event_id(items[taken].items[0].text).value_or(position_.last);
            continue;
        }
        if (entry->first < position_.next) return jump();
        accept(*entry);
    }
    if (more && position_.last < top_.last) return fill(position_.last, false);
    finish_sync();
}

/// The newest event that this server has seen is not in Redis.
void RedisStream::on_oldest(RedisReply& reply) {
    throw_if_error(reply);
    auto entry = reply.items.empty() ? std::nullopt : parse_entry(reply.items[0]);
    if (reply.items.empty() && top_.next >= position_.next) { // all of them have expired
        position_.last = top_.last;
        position_.next = top_.next;
        ring_.clear(position_.last);
        return finish_sync();
    }
    if (!entry || entry->last <= position_.last || entry->first < position_.next) return jump();
    fill_from_oldest_ = true; // it has expired, and others with it
    fill(entry->last, false);
}

/// Redis has lost its newest events: puts back those that this server holds.
void RedisStream::put_back(const Top& top) {
    shared_.hold();
    drafts_.check();
    const auto from = ring_.after(top.last);
    if (!from || *from == ring_.size()) return jump();
    const auto to = std::min(ring_.size(), *from + put_back_at_once);
    auto before = top.last;
    for (auto i = *from; i < to; ++i) {
        const auto& entry = ring_[i];
        put_back(entry, before, i + 1 == to);
        before = entry.last;
    }
}

/// `before`: the ID of the entry before it; `last`: no other follows.
void RedisStream::put_back(const RedisRing::Entry& entry, EventId before, bool last) {
    const auto& batch = *entry.batch;
    const RedisNames names(keys_, batch, entry.key);
    const auto session_key = keys_.session(entry.session), number = fmt::to_string(entry.number),
               count = fmt::to_string(batch.size()), before_id = text_of(before),
               age = shared_.age(), id = text_of(entry.last), first = fmt::to_string(batch.first),
               bytes = fmt::to_string(entry.bytes), given_age = shared_.given_id_age(),
               key_age = shared_.key_age(entry.key);
    std::vector<std::string_view> keys = {keys_.stream(), keys_.meta(), session_key};
    std::vector<std::string_view> arguments = {keys_.topic(),
                                               entry.session,
                                               number,
                                               count,
                                               batch.index_bytes(),
                                               batch.chunk_bytes(),
                                               before_id,
                                               age,
                                               id,
                                               first,
                                               bytes,
                                               given_age,
                                               key_age,
                                               entry.key};
    names.add_to(keys, arguments);
    shared_.link.run(RedisScript::put_back, keys, arguments,
                     guarded([this, last](RedisReply& reply) {
                         throw_if_error(reply);
                         if (reply.is_array(1) && reply.items[0].text == "ok")
                             shared_.counts.put_back.add();
                         if (!last) return;
                         syncing_ = false; // another server may have been faster
                         sync();
                     }));
}

/// The events in Redis are not those that this server has seen: makes the sequence numbers jump,
/// which all servers report as a gap. Clients of this server go back to those in Redis.
void RedisStream::jump() {
    shared_.link.command(
        {"XRANGE", keys_.stream(), "(" + text_of(position_.last), "+", "COUNT", "1"},
        guarded([this](RedisReply& reply) {
            throw_if_error(reply);
            const auto other = reply.items.empty() ? std::nullopt : parse_entry(reply.items[0]);
            lost_from_ = std::min(lost_from_.value_or(unknown_number),
                                  other ? other->first : unknown_number);
            shared_.link.run(RedisScript::jump, {keys_.meta()},
                             {fmt::to_string(position_.next), text_of(position_.last),
                              fmt::to_string(unknown_loss)},
                             handler(&RedisStream::on_jump));
        }));
}

void RedisStream::on_jump(RedisReply& reply) {
    throw_if_error(reply);
    if (!reply.is_array(2)) throw Error(Errc::receive, "an unexpected reply from Redis");
    position_.next = reply.items[0].as_number();
    position_.last = parse_event_id(reply.items[1].text).value_or(position_.last);
    ring_.clear(position_.last);
    reader_.forget_places();
    shared_.counts.gaps.add();
    drafts_.check();
    finish_sync();
}

void RedisStream::finish_sync() {
    syncing_ = false;
    accept_held();
    if (seen_ > position_.last) { // a message was lost
        seen_ = position_.last;
        return sync();
    }
    position_.live = true;
    reader_.answer_located(true);
    drafts_.resume();
}

void RedisStream::look() {
    if (!position_.live || syncing_ || !shared_.link.ready()) return;
    before_look_ = position_.last;
    shared_.link.command({"HMGET", keys_.meta(), "s", "l", "f"}, handler(&RedisStream::on_look));
}

void RedisStream::on_look(RedisReply& reply) {
    const auto top = top_of(reply);
    position_.begin = top.begin;
    if (!position_.live) return;
    if (top.last < before_look_) return sync();
    if (position_.last < looked_) { // its message should have been here by now
        shared_.counts.stalls.add();
        looked_ = top.last;
        return sync();
    }
    looked_ = top.last;
    if (top.last == position_.last && top.next > position_.next) return sync();
    if (top.last != position_.last) return;
    drafts_.find_lost(Clock::now() - shared_.options.look_every);
}

// ---- events that arrive ----

void RedisStream::accept(RedisEntry& entry) {
    auto batch = entry.batch();
    position_.last = entry.last;
    if (!batch) return shared_.counts.damaged.add();
    batch->lost_from = std::exchange(lost_from_, {}).value_or(lost_nothing);
    position_.next = entry.end();
    position_.bytes = entry.bytes + entry.chunks.size();
    const auto drafted = drafts_.on_arrival(entry);
    ring_.push({entry.last, entry.bytes, std::move(entry.session), entry.number,
                std::move(entry.key), batch});
    if (const auto sink = sink_.lock()) sink->arrived(std::move(batch), drafted);
    reader_.answer_located(false);
}

} // namespace sse
