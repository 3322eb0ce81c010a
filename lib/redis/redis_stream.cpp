#include "redis/redis_stream.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"
#include "store/crc32c.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <utility>

namespace sse {

namespace {

constexpr std::uint32_t hash_slots = 64;
constexpr std::size_t put_back_at_once = 32;
constexpr std::size_t most_held_bytes = 4 * 1024 * 1024;

/// Keys of a channel are in one slot of a cluster (Redis Cluster specification, "Hash tags").
std::string base_of(const RedisOptions& options, std::string_view name) {
    return fmt::format("{}:{{{}}}:{}", options.prefix, crc32c(0, name) % hash_slots, name);
}

std::uint64_t number_of(const RedisReply& reply) {
    std::uint64_t value = 0;
    std::from_chars(reply.text.data(), reply.text.data() + reply.text.size(), value);
    return reply.type == RedisReply::Type::integer ? static_cast<std::uint64_t>(reply.number)
                                                   : value;
}

std::string ids_of_events(const Batch& batch, EventId first) {
    std::string ids;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (batch.generated(i)) ids += text_of({first.ms, first.n + i});
        else if (batch.id(i).empty()) continue;
        else ids += batch.id(i);
        ids.push_back('\n');
    }
    return ids;
}

/// True for an error that concerns the server and not only the command: the connection must be
/// closed.
bool is_of_server(const RedisReply& reply) {
    for (const auto* name : {"LOADING", "READONLY", "MASTERDOWN", "NOAUTH", "CLUSTERDOWN"}) {
        if (reply.is_error(name)) return true;
    }
    return false;
}

} // namespace

void RedisShared::hold() { hold_until = std::chrono::steady_clock::now() + options.settle; }

RedisStream::RedisStream(RedisShared& shared, std::string_view name, const HistoryOptions& bounds,
                         std::weak_ptr<LogSink> sink)
    : shared_(shared)
    , name_(name)
    , base_(base_of(shared.options, name))
    , topic_(shared.options.db == 0 ? base_ + ":e"
                                    : fmt::format("{}:e{}", base_, shared.options.db))
    , stream_key_(base_ + ":s")
    , meta_key_(base_ + ":m")
    , bounds_(bounds)
    , sink_(std::move(sink))
    , ring_(bounds) {}

std::string RedisStream::age() const {
    const auto age = shared_.options.store.retain.age.count();
    return age > 0 ? fmt::to_string(age) : std::string();
}

/// `member` as the handler of a reply, for as long as the stream exists.
RedisStream::Handler RedisStream::guarded(void (RedisStream::*member)(RedisReply&)) {
    return [weak = weak_from_this(), member](RedisReply& reply) {
        if (const auto self = weak.lock()) ((*self).*member)(reply);
    };
}

// ---- the link ----

void RedisStream::commands_ready() {
    sync();
    for (const auto& search : std::exchange(searches_, {})) start(search);
}

void RedisStream::commands_lost() {
    syncing_ = live_ = false;
    tail_.clear();
    tail_events_ = tail_bytes_ = 0;
    outstanding_ = 0;
    counting_ = false;
    check_count_ = true; // drafts that were sent may have been stored
}

void RedisStream::subscribed() {
    subscribed_ = true;
    sync();
}

void RedisStream::subscriber_lost() { subscribed_ = live_ = false; }

void RedisStream::message(const std::string& text) {
    auto message = parse_message(text);
    if (!message) return shared_.counts.damaged.add();
    auto& entry = message->entry;
    seen_ = std::max(seen_, entry.last);
    if (!live_) return hold(std::move(*message));
    if (entry.last <= last_) return;
    if (message->previous == last_ && entry.first >= next_) return accept(entry);
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
        if (message.entry.last <= last_) continue;
        if (message.previous != last_ || message.entry.first < next_) return;
        accept(message.entry);
    }
}

// ---- synchronising with Redis ----

RedisStream::Top RedisStream::top_of(const RedisReply& reply) {
    throw_if_error(reply);
    Top top;
    if (!reply.is_array(3)) return top;
    top.next = number_of(reply.items[0]);
    top.last = parse_event_id(reply.items[1].text).value_or(EventId{});
    top.begin = number_of(reply.items[2]);
    return top;
}

void RedisStream::sync() {
    live_ = false;
    if (syncing_ || !subscribed_ || !shared_.link.ready()) return;
    syncing_ = true;
    shared_.link.command({"HMGET", meta_key_, "s", "l", "f"}, guarded(&RedisStream::on_top));
}

void RedisStream::on_top(RedisReply& reply) {
    top_ = top_of(reply);
    begin_ = top_.begin;
    if (!opened_) {
        if (top_.last != EventId{}) return read_tail();
        open();
        return finish_sync();
    }
    if (top_.last > last_) {
        fill_from_oldest_ = false;
        return fill(last_, false);
    }
    if (top_.last < last_) return put_back(top_);
    if (top_.next > next_) { // others have noticed that events are lost
        next_ = top_.next;
        shared_.counts.gaps.add();
    }
    finish_sync();
}

std::size_t RedisStream::page_entries() const {
    return std::clamp<std::size_t>(shared_.options.store.page_bytes / entry_bytes_, 1, 1'000);
}

void RedisStream::measure(const std::vector<RedisReply>& items) {
    std::size_t bytes = 0;
    for (const auto& item : items) {
        if (!item.is_array(2)) continue;
        for (const auto& field : item.items[1].items) bytes += field.text.size();
    }
    if (!items.empty()) entry_bytes_ = std::max<std::size_t>(64, bytes / items.size());
}

/// Reads the newest entries backwards, until the history is full.
void RedisStream::read_tail() {
    const auto to =
        tail_.empty() ? text_of(top_.last) : fmt::format("({}", text_of(tail_.back().last));
    shared_.link.command(
        {"XREVRANGE", stream_key_, to, "-", "COUNT", fmt::to_string(page_entries())},
        guarded(&RedisStream::on_tail));
}

void RedisStream::on_tail(RedisReply& reply) {
    throw_if_error(reply);
    measure(reply.items);
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
        if (tail_.empty()) bytes_ = entry->bytes + entry->chunks.size();
        tail_.push_back(
            {entry->last, entry->bytes, std::move(entry->session), entry->number, batch});
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
    last_ = tail.last;
    next_ = tail.next;
    ring_.clear(before);
    std::reverse(tail_.begin(), tail_.end());
    for (auto& entry : std::exchange(tail_, {})) {
        tail.batches.push_back(entry.batch);
        ring_.push(std::move(entry));
    }
    tail_events_ = tail_bytes_ = 0;
    opened_ = true;
    syncing_ = false;
    if (const auto sink = sink_.lock()) sink->opened(std::move(tail));
    for (const auto& search : std::exchange(searches_, {})) start(search);
}

/// Reads the entries from `from` on; `exclusive`: those after it.
void RedisStream::fill(EventId from, bool exclusive) {
    shared_.link.command({"XRANGE", stream_key_, (exclusive ? "(" : "") + text_of(from), "+",
                          "COUNT", fmt::to_string(page_entries() + 1)},
                         guarded(&RedisStream::on_fill));
}

void RedisStream::on_fill(RedisReply& reply) {
    throw_if_error(reply);
    measure(reply.items);
    auto& items = reply.items;
    std::size_t taken = 0;
    if (!fill_from_oldest_ && last_ != EventId{}) {
        const auto first = items.empty() || !items[0].is_array(2)
                               ? std::nullopt
                               : parse_event_id(items[0].items[0].text);
        if (first != last_) {
            shared_.link.command({"XRANGE", stream_key_, "-", "+", "COUNT", "1"},
                                 guarded(&RedisStream::on_oldest));
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
            last_ = parse_event_id(items[taken].items[0].text).value_or(last_);
            continue;
        }
        if (entry->first < next_) return jump();
        accept(*entry);
    }
    if (more && last_ < top_.last) return fill(last_, false);
    finish_sync();
}

/// The newest event that this server has seen is not in Redis.
void RedisStream::on_oldest(RedisReply& reply) {
    throw_if_error(reply);
    auto entry = reply.items.empty() ? std::nullopt : parse_entry(reply.items[0]);
    if (reply.items.empty() && top_.next >= next_) { // all of them have expired
        last_ = top_.last;
        next_ = top_.next;
        ring_.clear(last_);
        return finish_sync();
    }
    if (!entry || entry->last <= last_ || entry->first < next_) return jump();
    fill_from_oldest_ = true; // it has expired, and others with it
    fill(entry->last, false);
}

/// Redis has lost its newest events: puts back those that this server holds.
void RedisStream::put_back(const Top& top) {
    shared_.hold();
    check_count_ = true;
    const auto from = ring_.after(top.last);
    if (!from || *from == ring_.size()) return jump();
    const auto to = std::min(ring_.size(), *from + put_back_at_once);
    auto before = top.last;
    for (auto i = *from; i < to; ++i) {
        const auto& entry = ring_[i];
        const bool last = i + 1 == to;
        shared_.link.run(RedisScript::put_back,
                         {stream_key_, meta_key_, key(":n:") + entry.session},
                         {topic_, entry.session, fmt::to_string(entry.number),
                          fmt::to_string(entry.batch->size()), entry.batch->index_bytes(),
                          entry.batch->chunk_bytes(), text_of(before), age(), text_of(entry.last),
                          fmt::to_string(entry.batch->first), fmt::to_string(entry.bytes)},
                         [weak = weak_from_this(), last](RedisReply& reply) {
                             const auto self = weak.lock();
                             if (!self) return;
                             throw_if_error(reply);
                             if (reply.is_array(1) && reply.items[0].text == "ok")
                                 self->shared_.counts.put_back.add();
                             if (!last) return;
                             self->syncing_ = false; // another server may have been faster
                             self->sync();
                         });
        before = entry.last;
    }
}

/// The events in Redis are not those that this server has seen: makes the sequence numbers jump,
/// which all servers report as a gap.
void RedisStream::jump() {
    shared_.link.run(RedisScript::jump, {meta_key_},
                     {fmt::to_string(next_), text_of(last_), fmt::to_string(unknown_loss)},
                     [weak = weak_from_this()](RedisReply& reply) {
                         const auto self = weak.lock();
                         if (!self) return;
                         throw_if_error(reply);
                         if (!reply.is_array(2))
                             throw Error(Errc::receive, "an unexpected reply from Redis");
                         self->next_ = number_of(reply.items[0]);
                         self->last_ = parse_event_id(reply.items[1].text).value_or(self->last_);
                         self->ring_.clear(self->last_);
                         self->places_.clear();
                         self->place_ages_.clear();
                         self->shared_.counts.gaps.add();
                         self->check_count_ = true;
                         self->finish_sync();
                     });
}

void RedisStream::finish_sync() {
    syncing_ = false;
    accept_held();
    if (seen_ > last_) { // a message was lost
        seen_ = last_;
        return sync();
    }
    live_ = true;
    answer_located(true);
    resume();
}

void RedisStream::look() {
    if (!live_ || syncing_ || !shared_.link.ready()) return;
    before_look_ = last_;
    shared_.link.command({"HMGET", meta_key_, "s", "l", "f"}, guarded(&RedisStream::on_look));
}

void RedisStream::on_look(RedisReply& reply) {
    const auto top = top_of(reply);
    begin_ = top.begin;
    if (!live_) return;
    if (top.last < before_look_) return sync();
    if (last_ < looked_) { // its message should have been here by now
        shared_.counts.stalls.add();
        looked_ = top.last;
        return sync();
    }
    looked_ = top.last;
    if (top.last == last_ && top.next > next_) return sync();
    if (top.last != last_) return;
    const auto late = Clock::now() - shared_.options.look_every;
    if (std::any_of(pending_.begin(), pending_.end(), [&](const auto& it) {
            return it.acknowledged && !it.arrived && it.since < late;
        })) {
        check_count_ = ghosts_ = true;
        resume();
    }
}

// ---- events that arrive ----

void RedisStream::accept(RedisEntry& entry) {
    auto batch = entry.batch();
    last_ = entry.last;
    if (!batch) return shared_.counts.damaged.add();
    next_ = entry.end();
    bytes_ = entry.bytes + entry.chunks.size();
    std::size_t drafted = 0;
    settle_arrival(entry, drafted);
    ring_.push({entry.last, entry.bytes, std::move(entry.session), entry.number, batch});
    if (const auto sink = sink_.lock()) sink->arrived(std::move(batch), drafted);
    answer_located(false);
}

/// If `entry` is a draft of this server, removes the draft, and sets `drafted` to its bytes.
void RedisStream::settle_arrival(const RedisEntry& entry, std::size_t& drafted) {
    if (entry.session != session_) return;
    auto* const pending = find(entry.number);
    if (!pending || pending->arrived) return;
    drafted = pending->drafted;
    pending->arrived = true;
    if (shared_.options.ack == RedisOptions::Ack::local) on_stored(*pending, entry.last);
    if (!pending->draft.done) remove(entry.number);
}

// ---- drafts to store ----

void RedisStream::append(Pending pending) {
    pending_.push_back(std::move(pending));
    if (live_ && !check_count_) send_unsent();
}

RedisStream::Pending* RedisStream::find(std::uint64_t number) {
    for (auto& pending : pending_) {
        if (pending.number == number) return &pending;
    }
    return nullptr;
}

void RedisStream::remove(std::uint64_t number) {
    const auto found = std::find_if(pending_.begin(), pending_.end(),
                                    [&](const auto& it) { return it.number == number; });
    if (found == pending_.end()) return;
    shared_.counts.queued_bytes -= found->drafted;
    if (!found->arrived && found->sink) found->sink->dropped(found->drafted);
    pending_.erase(found);
}

void RedisStream::answer(Pending& pending, const Receipt& receipt) {
    if (const auto done = std::exchange(pending.draft.done, {})) done(receipt);
}

void RedisStream::resume() {
    if (pending_.empty() || !live_ || outstanding_ > 0 || counting_) return;
    if (!check_count_) return send_unsent();
    if (Clock::now() < not_before_) return;
    if (session_.empty()) {
        check_count_ = false;
        return send_unsent();
    }
    counting_ = true;
    shared_.link.command({"GET", key(":n:") + session_}, guarded(&RedisStream::on_count));
}

/// Handles the number of the last draft that Redis has stored.
void RedisStream::on_count(RedisReply& reply) {
    throw_if_error(reply);
    const auto stored = number_of(reply);
    counting_ = check_count_ = false;
    const auto oldest = Clock::now() - shared_.options.timeout;
    std::vector<std::uint64_t> gone;
    auto expected = stored + 1;
    for (auto& pending : pending_) {
        if (pending.number == 0) continue;
        if (pending.number <= stored) {
            pending.acknowledged = true;
            if (ghosts_ && !pending.arrived && pending.since < oldest)
                gone.push_back(pending.number);
            continue;
        }
        pending.acknowledged = false; // or Redis has lost it
        if (pending.draft.done && pending.since < oldest) {
            answer(pending, {false, "Redis has not stored the event in time", false, {}});
            gone.push_back(pending.number);
            new_session_ = true;
        } else if (pending.number != expected++) {
            new_session_ = true;
        }
    }
    ghosts_ = false;
    for (const auto number : gone) {
        if (auto* const pending = find(number))
            answer(*pending, {true, {}, false, {}}); // it was stored, and is there no longer
        remove(number);
    }
    if (new_session_) renumber();
    for (auto& pending : pending_) { // those that are not stored are sent again
        if (pending.number > stored) pending.number = 0;
    }
    sent_ = stored;
    send_unsent();
}

/// Drafts that are left are numbered anew: those of the old session would wait for one that is
/// missing. If they should still reach Redis on an old connection, it refuses them.
void RedisStream::renumber() {
    new_session_ = false;
    for (auto& pending : pending_) {
        if (!pending.acknowledged) pending.number = 0;
    }
    // Drafts that are stored arrive, or do not arrive, under the old session.
    while (!pending_.empty()) {
        const auto old = std::find_if(pending_.begin(), pending_.end(),
                                      [](const auto& it) { return it.number != 0; });
        if (old == pending_.end()) break;
        answer(*old, {true, {}, false, {}});
        remove(old->number);
    }
    session_.clear();
}

void RedisStream::send_unsent() {
    if (pending_.empty() || Clock::now() < shared_.hold_until || !shared_.link.ready()) return;
    if (session_.empty()) {
        session_ = shared_.new_session();
        sent_ = 0;
    }
    const auto unsent = std::find_if(pending_.rbegin(), pending_.rend(),
                                     [](const auto& it) { return it.number != 0; });
    for (auto it = unsent.base(); it != pending_.end(); ++it) send(*it);
}

void RedisStream::send(Pending& pending) {
    pending.number = ++sent_;
    const auto& batch = *pending.draft.batch;
    const auto& options = shared_.options;
    const auto& idempotency = pending.draft.key;
    std::vector<std::string> given_keys, places;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (batch.generated(i) || batch.id(i).empty()) continue;
        given_keys.push_back(key(":i:").append(batch.id(i)));
        places.push_back(fmt::to_string(i));
    }
    const auto session_key = key(":n:") + session_, draft_key = key(":k:") + idempotency;
    std::vector<std::string_view> keys = {stream_key_, meta_key_, session_key};
    keys.insert(keys.end(), given_keys.begin(), given_keys.end());
    if (!idempotency.empty()) keys.emplace_back(draft_key);
    const auto number = fmt::to_string(pending.number), count = fmt::to_string(batch.size());
    const auto known = text_of(last_), kept = age();
    const auto given_age = kept.empty() ? fmt::to_string(options.given_id_age.count()) : kept;
    const auto key_age =
        idempotency.empty() ? std::string() : fmt::to_string(options.store.key_age.count());
    std::vector<std::string_view> arguments = {
        topic_, session_, number,    count,  batch.index_bytes(), batch.chunk_bytes(),
        known,  kept,     given_age, key_age};
    arguments.insert(arguments.end(), places.begin(), places.end());
    ++outstanding_;
    shared_.link.run(
        RedisScript::append, keys, arguments,
        [weak = weak_from_this(), number = pending.number, sent = Clock::now()](RedisReply& reply) {
            if (const auto self = weak.lock()) self->on_append(number, sent, reply);
        });
}

void RedisStream::on_append(std::uint64_t number, Clock::time_point sent, RedisReply& reply) {
    --outstanding_;
    if (is_of_server(reply)) throw_if_error(reply);
    auto* const pending = find(number); // nullptr: it has arrived, and nobody waits for it
    if (reply.is_error("NOSCRIPT")) {
        if (!check_count_) shared_.link.load_scripts();
        check_count_ = true;
    } else if (reply.is_error()) {
        on_refused(number, printable(reply.text, 200));
    } else if (!reply.is_array(1)) {
        throw Error(Errc::receive, "an unexpected reply from Redis");
    } else if (const auto& what = reply.items[0].text; what == "ok" && reply.is_array(2)) {
        shared_.counts.appends.add();
        shared_.counts.append_us.add(static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - sent).count()));
        grown_ = true;
        const auto last = parse_event_id(reply.items[1].text).value_or(EventId{});
        if (pending && shared_.options.ack == RedisOptions::Ack::local) on_stored(*pending, last);
        else if (pending && pending->draft.done) {
            pending->acknowledged = true;
            // A connection that waits longer would be closed.
            const auto longest =
                std::min(shared_.options.timeout, shared_.options.reply_timeout / 2);
            shared_.link.command(
                {"WAIT", "1", fmt::to_string(longest.count())},
                [weak = weak_from_this(), number, session = session_, last](RedisReply& replicas) {
                    const auto self = weak.lock();
                    auto* const waits =
                        self && self->session_ == session ? self->find(number) : nullptr;
                    if (!waits) return;
                    if (replicas.number >= 1) self->on_stored(*waits, last);
                    else
                        self->answer(*waits,
                                     {false, "no replica has acknowledged the event", false, {}});
                    if (waits->arrived) self->remove(number);
                });
        } else if (pending) pending->acknowledged = true;
        if (auto* const now = find(number); now && now->arrived && !now->draft.done) remove(number);
    } else if (what == "known" && reply.is_array(2)) {
        on_known(number, reply.items[1].text);
    } else if (what == "stored") {
        if (pending) pending->acknowledged = true;
        sync();
    } else { // lost, order
        check_count_ = true;
        if (what == "lost") {
            shared_.hold();
            sync();
        }
    }
    if (outstanding_ == 0 && check_count_) resume();
}

void RedisStream::on_stored(Pending& pending, EventId last) {
    pending.acknowledged = true;
    if (!pending.draft.done) return;
    const auto& batch = *pending.draft.batch;
    const EventId first{last.ms, last.n + 1 - batch.size()};
    answer(pending, {true, {}, false, ids_of_events(batch, first)});
}

/// Redis refused a draft, for the reason `why`.
void RedisStream::on_refused(std::uint64_t number, const std::string& why) {
    shared_.counts.refused.add();
    shared_.health.failed_to_write(why);
    check_count_ = true;
    not_before_ = Clock::now() + shared_.options.store.retry_after;
    auto* const pending = find(number);
    if (!pending || !pending->draft.done) return;
    answer(*pending, {false, why, false, {}});
    remove(number);
    new_session_ = true;
}

/// A draft with the same key was stored before, as the entry `id`.
void RedisStream::on_known(std::uint64_t number, const std::string& id) {
    shared_.counts.duplicates.add();
    shared_.link.command({"XRANGE", stream_key_, id, id}, [weak = weak_from_this(), number,
                                                           session = session_](RedisReply& reply) {
        throw_if_error(reply);
        const auto self = weak.lock();
        auto* const pending = self && self->session_ == session ? self->find(number) : nullptr;
        if (!pending) return;
        Receipt receipt{true, {}, true, {}};
        auto entry = reply.items.empty() ? std::nullopt : parse_entry(reply.items[0]);
        if (const auto batch = entry ? entry->batch() : nullptr)
            receipt.ids = ids_of_events(*batch, entry->first_id());
        self->answer(*pending, receipt);
        self->remove(number);
    });
}

void RedisStream::fail_all(const std::string& why) {
    for (auto& pending : std::exchange(pending_, {})) {
        answer(pending, {false, why, false, {}});
        if (!pending.arrived && pending.sink) pending.sink->dropped(pending.drafted);
    }
}

} // namespace sse
