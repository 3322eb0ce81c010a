#include "hub/history.hpp"

#include "base/keyed_hash.hpp"

#include <algorithm>

namespace sse {

std::uint64_t History::begin_after(const Batch& batch) const {
    auto begin = begin_;
    const auto end = end_ + batch.size();
    if (end - begin > options_.max_events) begin = end - options_.max_events;
    auto bytes = bytes_ + batch.bytes();
    for (const auto& held : batches_) {
        const auto held_end = held->first + held->size();
        if (held_end > begin && bytes <= options_.max_bytes) break;
        bytes -= held->bytes();
        begin = std::max(begin, held_end);
    }
    return std::min(begin, end_); // never evicts an event of `batch`, however small the bounds
}

void History::append(std::shared_ptr<const Batch> batch) {
    begin_ = begin_after(*batch);
    bytes_ += batch->bytes();
    end_ += batch->size();
    batches_.push_back(std::move(batch));
    while (batches_.front()->first + batches_.front()->size() <= begin_) {
        bytes_ -= batches_.front()->bytes();
        batches_.pop_front();
    }
}

std::size_t History::batch_of(std::uint64_t sequence) const {
    if (batches_.back()->first <= sequence) return batches_.size() - 1; // the common case
    const auto starts_after = [](std::uint64_t at, const auto& batch) { return at < batch->first; };
    const auto it = std::upper_bound(batches_.begin(), batches_.end(), sequence, starts_after);
    return static_cast<std::size_t>(it - batches_.begin()) - 1;
}

std::string_view History::chunk(std::uint64_t sequence) const {
    const auto& batch = *batches_[batch_of(sequence)];
    return batch.chunk(sequence - batch.first);
}

std::string_view History::block(std::uint64_t sequence) const {
    const auto& batch = *batches_[batch_of(sequence)];
    return batch.block(sequence - batch.first);
}

std::string_view History::id(std::uint64_t sequence) const {
    const auto& batch = *batches_[batch_of(sequence)];
    return batch.id(sequence - batch.first);
}

std::size_t History::gather_chunks(Cursor at, std::span<std::string_view> out) const {
    if (at.next >= end_ || out.empty()) return 0;
    auto index = batch_of(at.next);
    const auto& first = *batches_[index];
    out[0] = first.chunks_from(at.next - first.first).substr(at.sent);
    std::size_t count = 1;
    while (++index < batches_.size() && count < out.size())
        out[count++] = batches_[index]->chunks_from(0);
    return count;
}

Cursor History::advance_chunks(Cursor at, std::size_t bytes) const {
    if (bytes == 0) return at;
    for (auto index = batch_of(at.next); bytes > 0; ++index) {
        const auto& batch = *batches_[index];
        const auto from = at.next - batch.first;
        const auto left = batch.chunks_from(from).size() - at.sent;
        if (bytes < left) {
            const auto offset = batch.offset(from) + at.sent + bytes;
            const auto entry = batch.entry_at(offset);
            return {batch.first + entry, static_cast<std::uint32_t>(offset - batch.offset(entry))};
        }
        bytes -= left;
        at = {batch.first + batch.size(), 0};
    }
    return at;
}

std::size_t History::gather_blocks(Cursor at, std::span<std::string_view> out) const {
    if (at.next >= end_) return 0;
    std::size_t count = 0;
    for (auto index = batch_of(at.next); index < batches_.size(); ++index) {
        const auto& batch = *batches_[index];
        for (auto entry = at.next - batch.first; entry < batch.size(); ++entry) {
            if (count == out.size()) return count;
            out[count++] = batch.block(entry).substr(at.sent);
            at = {batch.first + entry + 1, 0};
        }
    }
    return count;
}

Cursor History::advance_blocks(Cursor at, std::size_t bytes) const {
    while (bytes > 0) {
        const auto& batch = *batches_[batch_of(at.next)];
        const auto left = batch.block(at.next - batch.first).size() - at.sent;
        if (bytes < left) return {at.next, static_cast<std::uint32_t>(at.sent + bytes)};
        bytes -= left;
        at = {at.next + 1, 0};
    }
    return at;
}

std::size_t History::chunk_bytes_from(Cursor at) const {
    if (at.next >= end_) return 0;
    auto index = batch_of(at.next);
    auto bytes = batches_[index]->chunks_from(at.next - batches_[index]->first).size() - at.sent;
    while (++index < batches_.size()) bytes += batches_[index]->chunk_bytes().size();
    return bytes;
}

std::size_t History::block_bytes_from(Cursor at) const {
    std::size_t bytes = 0;
    for (auto sequence = at.next; sequence < end_; ++sequence) bytes += block(sequence).size();
    return bytes - at.sent;
}

std::uint64_t History::last(std::size_t count) const {
    auto sequence = end_;
    while (sequence > begin_ && count > 0) {
        --sequence;
        const auto& batch = *batches_[batch_of(sequence)];
        if (!batch.id(sequence - batch.first).empty()) --count;
    }
    return sequence;
}

void History::index_new_ids() {
    if (index_.size() > 2 * (end_ - begin_) + 1024) { // most of its events have been evicted
        index_.clear();
        indexed_ = begin_;
    }
    indexed_ = std::max(indexed_, begin_);
    while (indexed_ < end_) {
        const auto& batch = *batches_[batch_of(indexed_)];
        for (auto entry = indexed_ - batch.first; entry < batch.size(); ++entry) {
            const auto id = batch.id(entry);
            if (!id.empty()) index_[keyed_hash(id)] = batch.first + entry;
        }
        indexed_ = batch.first + batch.size();
    }
}

std::optional<std::uint64_t> History::find(std::string_view id) {
    if (id.empty()) return std::nullopt;
    index_new_ids();
    const auto found = index_.find(keyed_hash(id));
    if (found == index_.end() || found->second < begin_) return std::nullopt;
    const auto holds = [&](std::uint64_t sequence) {
        const auto& batch = *batches_[batch_of(sequence)];
        return batch.id(sequence - batch.first) == id;
    };
    if (holds(found->second)) return found->second;
    for (auto sequence = end_; sequence > begin_; --sequence) { // another id has the same hash
        if (holds(sequence - 1)) return sequence - 1;
    }
    return std::nullopt;
}

} // namespace sse
