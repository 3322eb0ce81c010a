#include "redis/redis_drafts.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"
#include "redis/redis_entry.hpp"
#include "redis/redis_names.hpp"
#include "redis/redis_shared.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>
#include <utility>

namespace sse {

namespace {

constexpr std::string_view session_age_ms = "3600000"; ///< as the scripts set it

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
    for (auto& pending : pending_) pending.waiting = false;
}

std::size_t RedisDrafts::on_arrival(const RedisEntry& entry) {
    if (!is_own(entry.session)) return 0;
    auto* const pending = find(entry.session, entry.number);
    if (!pending || pending->arrived) return 0;
    const auto drafted = pending->drafted;
    pending->arrived = true;
    acknowledge(*pending, entry.last);
    if (!pending->draft.done) remove(*pending);
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

bool RedisDrafts::is_own(const std::string& session) const {
    return session == session_ ||
           std::find(old_sessions_.begin(), old_sessions_.end(), session) != old_sessions_.end();
}

PendingDraft* RedisDrafts::find(const std::string& session, std::uint64_t number) {
    for (auto& pending : pending_) {
        if (pending.number == number && pending.session == session) return &pending;
    }
    return nullptr;
}

void RedisDrafts::remove(const PendingDraft& pending) {
    const auto found = std::find_if(pending_.begin(), pending_.end(),
                                    [&](const auto& it) { return &it == &pending; });
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
    std::vector<std::pair<std::string, std::uint64_t>> gone; // session, number
    auto expected = stored + 1;
    for (auto& pending : pending_) {
        if (pending.number == 0) continue;
        const bool late = pending.since < oldest;
        if (pending.session != session_ || pending.number <= stored) {
            pending.acknowledged = true;
            // No replica has acknowledged it in time; or it does not arrive, because Redis has lost
            // it or knew its key.
            if (late && (pending.arrived || ghosts_))
                gone.emplace_back(pending.session, pending.number);
            else if (pending.arrived) acknowledge(pending, pending.last);
            continue;
        }
        pending.acknowledged = false; // or Redis has lost it
        if (pending.draft.done && late) {
            gone.emplace_back(pending.session, pending.number);
            new_session_ = true;
        } else if (pending.number != expected++) {
            new_session_ = true;
        }
    }
    ghosts_ = false;
    for (const auto& [session, number] : gone) {
        auto* const pending = find(session, number);
        answer(*pending, {false, "Redis has not stored the event in time", false, {}});
        remove(*pending);
    }
    for (auto& pending : pending_) { // those that are not stored are sent again
        if (pending.session == session_ && pending.number > stored) pending.number = 0;
    }
    sent_ = stored;
    if (new_session_) begin_session();
    send_unsent();
}

/// Drafts that are not stored are numbered anew: those of the old session would wait for one that
/// is missing. If they should still reach Redis on an old connection, it refuses them. Those that
/// are stored arrive under the old session.
void RedisDrafts::begin_session() {
    new_session_ = false;
    old_sessions_.push_back(std::exchange(session_, {}));
    std::erase_if(old_sessions_, [&](const auto& session) {
        return std::none_of(pending_.begin(), pending_.end(), [&](const auto& it) {
            return it.number != 0 && it.session == session;
        });
    });
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
    pending.session = session_;
    pending.number = ++sent_;
    const auto& batch = *pending.draft.batch;
    const auto& key = pending.draft.key;
    const RedisNames names(keys_, batch, key);
    const auto session_key = keys_.session(session_);
    std::vector<std::string_view> keys = {keys_.stream(), keys_.meta(), session_key};
    const auto number = fmt::to_string(pending.number), count = fmt::to_string(batch.size());
    const auto known = text_of(position_.last), kept = shared_.age(),
               given_age = shared_.given_id_age(), key_age = shared_.key_age(key);
    std::vector<std::string_view> arguments = {
        keys_.topic(), session_,  number,  count, batch.index_bytes(), batch.chunk_bytes(), known,
        kept,          given_age, key_age, key};
    names.add_to(keys, arguments);
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
        if (auto* const pending = find(session_, number)) pending->acknowledged = true;
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
    auto* const pending = find(session_, number);
    if (!pending) return; // it has arrived, and nobody waits for it
    acknowledge(*pending, last);
    if (pending->arrived && !pending->draft.done) remove(*pending);
}

/// A draft is stored as the entry `last`: answers it, now or when a replica has it as well.
void RedisDrafts::acknowledge(PendingDraft& pending, EventId last) {
    pending.acknowledged = true;
    pending.last = last;
    if (!pending.draft.done || pending.waiting) return;
    const auto& batch = *pending.draft.batch;
    Receipt receipt{true, {}, false, ids_of_events(batch, {last.ms, last.n + 1 - batch.size()})};
    if (shared_.options.ack == RedisOptions::Ack::local) answer(pending, receipt);
    else wait_for_replica(pending, std::move(receipt));
}

/// Answers with `receipt` once a replica has the draft. WAIT is for the last write of this
/// connection, which may not have stored the draft, so another write is sent before it.
void RedisDrafts::wait_for_replica(PendingDraft& pending, Receipt receipt) {
    pending.waiting = true;
    shared_.link.command({"PEXPIRE", keys_.session(pending.session), session_age_ms},
                         [](RedisReply& reply) { throw_if_error(reply); });
    // A connection that waits longer would be closed.
    const auto longest = std::min(shared_.options.timeout, shared_.options.reply_timeout / 2);
    shared_.link.command(
        {"WAIT", "1", fmt::to_string(longest.count())},
        owner_.guarded([this, number = pending.number, session = pending.session,
                        receipt = std::move(receipt)](RedisReply& replicas) {
            auto* const waited = find(session, number);
            if (!waited) return;
            waited->waiting = false;
            if (replicas.number >= 1) answer(*waited, receipt);
            else answer(*waited, {false, "no replica has acknowledged the event", false, {}});
            if (waited->arrived || receipt.duplicate) remove(*waited);
        }));
}

/// Redis refused a draft, for the reason `why`.
void RedisDrafts::on_refused(std::uint64_t number, const std::string& why) {
    shared_.counts.refused.add();
    shared_.health.failed_to_write(why);
    check_count_ = true;
    not_before_ = Clock::now() + shared_.options.store.retry_after;
    auto* const pending = find(session_, number);
    if (!pending || !pending->draft.done) return;
    answer(*pending, {false, why, false, {}});
    remove(*pending);
    new_session_ = true;
}

/// A draft with the same key was stored before, as the entry `id`.
void RedisDrafts::on_known(std::uint64_t number, const std::string& id) {
    shared_.counts.duplicates.add();
    shared_.link.command({"XRANGE", keys_.stream(), id, id},
                         owner_.guarded([this, number, session = session_](RedisReply& reply) {
                             throw_if_error(reply);
                             auto* const pending = find(session, number);
                             if (!pending) return;
                             Receipt receipt{true, {}, true, {}};
                             auto entry =
                                 reply.items.empty() ? std::nullopt : parse_entry(reply.items[0]);
                             if (const auto batch = entry ? entry->batch() : nullptr)
                                 receipt.ids = ids_of_events(*batch, entry->first_id());
                             if (shared_.options.ack == RedisOptions::Ack::replica)
                                 return wait_for_replica(*pending, std::move(receipt));
                             answer(*pending, receipt);
                             remove(*pending);
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
