#include "redis/redis_drafts.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"
#include "redis/redis_entry.hpp"
#include "redis/redis_shared.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>
#include <utility>

namespace sse {

namespace {

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

RedisDrafts::RedisDrafts(RedisShared& shared, const RedisKeys& keys, const RedisPosition& position,
                         RedisOwner& owner)
    : shared_(shared)
    , keys_(keys)
    , position_(position)
    , owner_(owner) {}

void RedisDrafts::commands_lost() {
    outstanding_ = 0;
    counting_ = false;
    check_count_ = true; // drafts that were sent may have been stored
}

std::size_t RedisDrafts::on_arrival(const RedisEntry& entry) {
    if (entry.session != session_) return 0;
    auto* const pending = find(entry.number);
    if (!pending || pending->arrived) return 0;
    const auto drafted = pending->drafted;
    pending->arrived = true;
    if (shared_.options.ack == RedisOptions::Ack::local) on_stored(*pending, entry.last);
    if (!pending->draft.done) remove(entry.number);
    return drafted;
}

void RedisDrafts::find_lost(Clock::time_point before) {
    if (std::none_of(pending_.begin(), pending_.end(), [&](const auto& it) {
            return it.acknowledged && !it.arrived && it.since < before;
        }))
        return;
    check_count_ = ghosts_ = true;
    resume();
}

void RedisDrafts::append(PendingDraft pending) {
    pending_.push_back(std::move(pending));
    if (position_.live && !check_count_) send_unsent();
}

PendingDraft* RedisDrafts::find(std::uint64_t number) {
    for (auto& pending : pending_) {
        if (pending.number == number) return &pending;
    }
    return nullptr;
}

void RedisDrafts::remove(std::uint64_t number) {
    const auto found = std::find_if(pending_.begin(), pending_.end(),
                                    [&](const auto& it) { return it.number == number; });
    if (found == pending_.end()) return;
    shared_.counts.queued_bytes -= found->drafted;
    if (!found->arrived && found->sink) found->sink->dropped(found->drafted);
    pending_.erase(found);
}

void RedisDrafts::answer(PendingDraft& pending, const Receipt& receipt) {
    if (const auto done = std::exchange(pending.draft.done, {})) done(receipt);
}

void RedisDrafts::resume() {
    if (pending_.empty() || !position_.live || outstanding_ > 0 || counting_) return;
    if (!check_count_) return send_unsent();
    if (Clock::now() < not_before_) return;
    if (session_.empty()) {
        check_count_ = false;
        return send_unsent();
    }
    counting_ = true;
    shared_.link.command({"GET", keys_.session(session_)},
                         owner_.guarded([this](RedisReply& reply) { on_count(reply); }));
}

/// Handles the number of the last draft that Redis has stored.
void RedisDrafts::on_count(RedisReply& reply) {
    throw_if_error(reply);
    const auto stored = reply.as_number();
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
void RedisDrafts::renumber() {
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

void RedisDrafts::send_unsent() {
    if (pending_.empty() || Clock::now() < shared_.hold_until || !shared_.link.ready()) return;
    if (session_.empty()) {
        session_ = shared_.new_session();
        sent_ = 0;
    }
    const auto unsent = std::find_if(pending_.rbegin(), pending_.rend(),
                                     [](const auto& it) { return it.number != 0; });
    for (auto it = unsent.base(); it != pending_.end(); ++it) send(*it);
}

void RedisDrafts::send(PendingDraft& pending) {
    pending.number = ++sent_;
    const auto& batch = *pending.draft.batch;
    const auto& options = shared_.options;
    const auto& idempotency = pending.draft.key;
    std::vector<std::string> given_keys, places;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (batch.generated(i) || batch.id(i).empty()) continue;
        given_keys.push_back(keys_.given_id(batch.id(i)));
        places.push_back(fmt::to_string(i));
    }
    const auto session_key = keys_.session(session_), draft_key = keys_.draft(idempotency);
    std::vector<std::string_view> keys = {keys_.stream(), keys_.meta(), session_key};
    keys.insert(keys.end(), given_keys.begin(), given_keys.end());
    if (!idempotency.empty()) keys.emplace_back(draft_key);
    const auto number = fmt::to_string(pending.number), count = fmt::to_string(batch.size());
    const auto known = text_of(position_.last), kept = shared_.age();
    const auto given_age = kept.empty() ? fmt::to_string(options.given_id_age.count()) : kept;
    const auto key_age =
        idempotency.empty() ? std::string() : fmt::to_string(options.store.key_age.count());
    std::vector<std::string_view> arguments = {
        keys_.topic(),       session_, number, count,     batch.index_bytes(),
        batch.chunk_bytes(), known,    kept,   given_age, key_age};
    arguments.insert(arguments.end(), places.begin(), places.end());
    ++outstanding_;
    shared_.link.run(RedisScript::append, keys, arguments,
                     owner_.guarded([this, number = pending.number, sent = Clock::now()](
                                        RedisReply& reply) { on_append(number, sent, reply); }));
}

void RedisDrafts::on_append(std::uint64_t number, Clock::time_point sent, RedisReply& reply) {
    --outstanding_;
    if (is_of_server(reply)) throw_if_error(reply);
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
        on_appended(number, parse_event_id(reply.items[1].text).value_or(EventId{}));
    } else if (what == "known" && reply.is_array(2)) {
        on_known(number, reply.items[1].text);
    } else if (what == "stored") {
        if (auto* const pending = find(number)) pending->acknowledged = true;
        owner_.sync();
    } else { // lost, order
        check_count_ = true;
        if (what == "lost") {
            shared_.hold();
            owner_.sync();
        }
    }
    if (outstanding_ == 0 && check_count_) resume();
}

/// Redis has stored a draft, as the entry `last`.
void RedisDrafts::on_appended(std::uint64_t number, EventId last) {
    grown_ = true;
    auto* const pending = find(number);
    if (!pending) return; // it has arrived, and nobody waits for it
    if (shared_.options.ack == RedisOptions::Ack::local) on_stored(*pending, last);
    pending->acknowledged = true;
    if (pending->draft.done) return wait_for_replica(number, last);
    if (pending->arrived) remove(number);
}

void RedisDrafts::wait_for_replica(std::uint64_t number, EventId last) {
    // A connection that waits longer would be closed.
    const auto longest = std::min(shared_.options.timeout, shared_.options.reply_timeout / 2);
    shared_.link.command(
        {"WAIT", "1", fmt::to_string(longest.count())},
        owner_.guarded([this, number, session = session_, last](RedisReply& replicas) {
            auto* const pending = session_ == session ? find(number) : nullptr;
            if (!pending) return;
            if (replicas.number >= 1) on_stored(*pending, last);
            else answer(*pending, {false, "no replica has acknowledged the event", false, {}});
            if (pending->arrived) remove(number);
        }));
}

void RedisDrafts::on_stored(PendingDraft& pending, EventId last) {
    pending.acknowledged = true;
    if (!pending.draft.done) return;
    const auto& batch = *pending.draft.batch;
    const EventId first{last.ms, last.n + 1 - batch.size()};
    answer(pending, {true, {}, false, ids_of_events(batch, first)});
}

/// Redis refused a draft, for the reason `why`.
void RedisDrafts::on_refused(std::uint64_t number, const std::string& why) {
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
void RedisDrafts::on_known(std::uint64_t number, const std::string& id) {
    shared_.counts.duplicates.add();
    shared_.link.command({"XRANGE", keys_.stream(), id, id},
                         owner_.guarded([this, number, session = session_](RedisReply& reply) {
                             throw_if_error(reply);
                             auto* const pending = session_ == session ? find(number) : nullptr;
                             if (!pending) return;
                             Receipt receipt{true, {}, true, {}};
                             auto entry =
                                 reply.items.empty() ? std::nullopt : parse_entry(reply.items[0]);
                             if (const auto batch = entry ? entry->batch() : nullptr)
                                 receipt.ids = ids_of_events(*batch, entry->first_id());
                             answer(*pending, receipt);
                             remove(number);
                         }));
}

std::size_t RedisDrafts::fail_all(const std::string& why) {
    std::size_t unstored = 0;
    for (auto& pending : std::exchange(pending_, {})) {
        if (!pending.draft.done && !pending.acknowledged && !pending.arrived)
            unstored += pending.draft.batch->size();
        answer(pending, {false, why, false, {}});
        if (!pending.arrived && pending.sink) pending.sink->dropped(pending.drafted);
    }
    return unstored;
}

} // namespace sse
