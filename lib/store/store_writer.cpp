#include "store/store_writer.hpp"

#include "base/unix_time.hpp"

#include <chrono>
#include <system_error>
#include <utility>

namespace sse {

namespace {

/// Bytes that a full disk must accept before events are accepted again.
constexpr std::size_t probe_bytes = 64 * 1024;

std::string ids_of_events(const Batch& batch) {
    std::string ids;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (const auto id = batch.id(i); !id.empty()) ids.append(id).push_back('\n');
    }
    return ids;
}

} // namespace

StoreWriter::StoreWriter(Segments& segments, StoreSyncer& syncer, StoreHealth& health,
                         const StoreOptions& options, OnCopy on_copy)
    : segments_(segments)
    , syncer_(syncer)
    , health_(health)
    , options_(options)
    , on_copy_(std::move(on_copy))
    , keys_(options.key_age, options.max_keys) {
    const auto now = unix_ms();
    for (const auto& key : segments.take_recent_keys()) keys_.add(key, now);
    // The previous process may have been killed before it synced the events of a key, and a
    // repeated draft is answered like the original.
    if (keys_.size() > 0 && options.sync.when != StoreSync::When::never)
        segments.active_file()->sync();
}

void StoreWriter::start() {
    thread_ = std::thread([this] { run(); });
}

void StoreWriter::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    more_.notify_one();
    thread_.join();
}

bool StoreWriter::append(std::shared_ptr<DiskChannel> channel, Draft& draft) {
    {
        const std::lock_guard lock(mutex_);
        const auto bytes = draft.batch->bytes();
        if (stopping_ || !health_.ok() || queued_bytes_ > options_.max_queued_bytes) {
            refused_.push_back(channel->sink());
            return false;
        }
        queued_bytes_ += bytes;
        auto sink = channel->sink();
        queue_.push_back({std::move(channel),
                          std::move(sink),
                          std::move(draft),
                          bytes,
                          Pending::As::events,
                          {}});
        queued_now_ = queued_bytes_;
        if (queue_.size() > 1) return true; // the thread knows already
    }
    more_.notify_one();
    return true;
}

void StoreWriter::wake_refused() {
    decltype(refused_) refused;
    {
        const std::lock_guard lock(mutex_);
        refused.swap(refused_);
    }
    for (const auto& weak : refused) {
        if (const auto sink = weak.lock()) sink->writable();
    }
}

void StoreWriter::run() {
    Group group;
    while (wait(group)) attempt(group);
    if (!group.empty()) fail(group, "the store was closed");
}

/// Waits for drafts, or after a failure for the time to try again. False at the end.
bool StoreWriter::wait(Group& group) {
    std::unique_lock lock(mutex_);
    const auto ready = [&] { return stopping_ || (health_.ok() && !queue_.empty()); };
    if (!more_.wait_for(lock, options_.retry_after, ready) && health_.ok() && group.empty())
        return true;
    if (stopping_ && queue_.empty() && (group.empty() || !health_.ok())) return false;
    if (group.empty()) {
        group.swap(queue_);
        queued_bytes_ = 0;
        queued_now_ = 0;
    }
    return true;
}

void StoreWriter::attempt(Group& group) {
    try {
        if (group.empty()) {
            if (health_.ok()) {
                if (segments_.is_full(0, unix_ms())) roll(unix_ms());
                return;
            }
            if (segments_.is_full(0, unix_ms())) roll(unix_ms()); // so that the old one can expire
            probe();
        } else {
            write(group);
        }
        health_.can_write();
    } catch (const std::system_error& e) {
        return fail(group, e.what());
    }
    if (health_.ok()) wake_refused();
}

void StoreWriter::write(Group& group) {
    const auto now = unix_ms();
    std::uint64_t bytes = 0;
    for (const auto& pending : group) bytes += pending.draft.batch->bytes();
    if (broken_segment_ || segments_.is_full(bytes, now)) roll(now);
    look_up_keys(group, now);
    encode(group, now);
    if (!pieces_.empty()) segments_.active_file()->write(pieces_, segments_.active_size());
    const auto before = segments_.active_size();
    segments_.commit(records_);
    position_ += segments_.active_size() - before;
    syncer_.wrote(position_);
    deliver(group);
}

/// Finds the drafts that repeat others, also an earlier one in `group`, and remembers the keys of
/// the others.
void StoreWriter::look_up_keys(Group& group, std::uint64_t now_ms) {
    for (auto& pending : group) {
        pending.as = Pending::As::events;
        if (pending.draft.key.empty()) continue;
        pending.hash = key_hash(pending.channel->stored().name, pending.draft.key);
        if (keys_.find(pending.hash, now_ms) != nullptr) pending.as = Pending::As::copy;
        else if (!keys_.add({pending.hash, now_ms, 0, 0}, now_ms))
            pending.as = Pending::As::refused;
    }
}

/// The records of `group`, with the numbers and ids of their events.
void StoreWriter::encode(const Group& group, std::uint64_t now_ms) {
    records_.clear();
    pieces_.clear();
    heads_.clear();
    std::size_t heads = 0;
    for (const auto& pending : group) {
        const auto& draft = pending.draft;
        heads += sizeof(RecordHead) + pending.channel->stored().name.size() + draft.key.size() +
                 draft.source.size() + draft.place.size();
    }
    heads_.reserve(heads); // views of it are kept
    auto offset = segments_.active_size();
    for (const auto& pending : group) {
        if (pending.as != Pending::As::events) continue;
        auto& channel = pending.channel->stored();
        const auto& draft = pending.draft;
        auto& batch = *draft.batch;
        batch.first = channel.assigned.next;
        channel.assigned.last = batch.renumber(channel.assigned.last);
        channel.assigned.next += batch.size();
        if (!draft.key.empty()) keys_.set(pending.hash, batch.first, batch.size());
        RecordView record;
        record.head.count = static_cast<std::uint32_t>(batch.size());
        record.head.first = batch.first;
        record.head.time = now_ms;
        record.head.last = channel.assigned.last;
        record.name = channel.name;
        record.key = draft.key;
        record.source = draft.source;
        record.place = draft.place;
        record.index = batch.index_bytes();
        record.chunks = batch.chunk_bytes();
        set_sizes(record);
        record.head.crc = record_crc(record, segments_.active_seed());
        const auto begin = heads_.size();
        heads_.append(reinterpret_cast<const char*>(&record.head), sizeof(record.head));
        heads_.append(record.name).append(record.key).append(record.source).append(record.place);
        pieces_.push_back(std::string_view(heads_).substr(begin));
        pieces_.push_back(record.index);
        pieces_.push_back(record.chunks);
        records_.push_back({&channel, record, &batch, offset});
        offset += record.head.size;
    }
}

void StoreWriter::roll(std::uint64_t now_ms) {
    const bool sync = options_.sync.when != StoreSync::When::never;
    if (sync) {
        // Before the next segment is written to, so that the events kept after a loss of power have
        // no gap.
        segments_.active_file()->sync();
        syncer_.synced_to(position_);
    }
    segments_.roll(now_ms, sync);
    broken_segment_ = false;
}

/// Delivers the events of `group`, which has been written.
void StoreWriter::deliver(Group& group) {
    for (auto& pending : group) {
        auto& draft = pending.draft;
        if (pending.as == Pending::As::events) {
            const std::shared_ptr<const Batch> batch = std::move(draft.batch);
            pending.channel->deliver(batch, pending.drafted);
            if (draft.done) answer(pending, ids_of_events(*batch));
            continue;
        }
        if (pending.sink) pending.sink->dropped(pending.drafted);
        if (!draft.done) continue;
        if (pending.as == Pending::As::copy) answer(pending, {});
        else draft.done({false, "too many idempotency keys are remembered", false, {}});
    }
    group.clear();
}

/// Calls Draft::done once everything written is synced.
void StoreWriter::answer(Pending& pending, std::string ids) {
    if (pending.as == Pending::As::events) {
        return syncer_.when_synced(position_,
                                   [done = std::move(pending.draft.done),
                                    ids = std::move(ids)](const std::string& error) mutable {
                                       done({error.empty(), error, false, std::move(ids)});
                                   });
    }
    ++copies_;
    const auto* const key = keys_.find(pending.hash, 0);
    syncer_.when_synced(position_,
                        [this, channel = pending.channel, key = *key,
                         done = std::move(pending.draft.done)](const std::string& error) mutable {
                            if (error.empty()) on_copy_(channel, key, std::move(done));
                            else done({false, error, false, {}});
                        });
}

/// Writing failed: fails the drafts whose publishers wait, and keeps the others in `group`.
void StoreWriter::fail(Group& group, const std::string& error) {
    health_.failed_to_write(error);
    bool stopping = false;
    {
        const std::lock_guard lock(mutex_);
        for (auto& pending : queue_) group.push_back(std::move(pending));
        queue_.clear();
        queued_bytes_ = 0;
        queued_now_ = 0;
        stopping = stopping_;
    }
    try {
        segments_.discard_rest();
    } catch (const std::system_error&) {
        broken_segment_ = true;
    }
    Group kept;
    for (auto& pending : group) {
        auto& stored = pending.channel->stored();
        stored.assigned = segments_.end(stored);
        // In a group that was not written, only the first draft with a key is not a repetition.
        if (!pending.draft.key.empty() && pending.as == Pending::As::events)
            keys_.remove(pending.hash);
        if (!pending.draft.done && !stopping) {
            kept.push_back(std::move(pending));
            continue;
        }
        if (pending.sink) pending.sink->dropped(pending.drafted);
        if (pending.draft.done) pending.draft.done({false, error, false, {}});
    }
    group = std::move(kept);
}

/// Throws std::system_error if nothing can be written.
void StoreWriter::probe() {
    if (broken_segment_) roll(unix_ms());
    const std::string zeros(probe_bytes, '\0');
    const std::string_view piece = zeros;
    segments_.active_file()->write({&piece, 1}, segments_.active_size());
    segments_.discard_rest();
}

} // namespace sse
