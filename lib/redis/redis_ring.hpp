// The newest entries of a channel that this server has seen, to be put back if Redis loses them.
#pragma once

#include "hub/batch.hpp"
#include "hub/event_id.hpp"
#include "hub/history.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace sse {

/// Shares its batches with the histories of the loops. One thread.
class RedisRing {
public:
    struct Entry {
        EventId last;
        std::uint64_t bytes = 0; ///< of all earlier events of the channel
        std::string session;
        std::uint64_t number = 0;
        std::string key; ///< the idempotency key; "": none
        std::shared_ptr<const Batch> batch;
    };

    explicit RedisRing(const HistoryOptions& bounds)
        : bounds_(bounds) {}

    void push(Entry entry) {
        events_ += entry.batch->size();
        bytes_ += entry.batch->bytes();
        entries_.push_back(std::move(entry));
        while (entries_.size() > 1 && (events_ > bounds_.max_events || bytes_ > bounds_.max_bytes))
            pop();
    }
    void clear(EventId before) {
        entries_.clear();
        events_ = bytes_ = 0;
        before_ = before;
    }
    std::size_t size() const { return entries_.size(); }
    const Entry& operator[](std::size_t index) const { return entries_[index]; }

    /// The index of the first entry after the ID `top`, the newest one in Redis. 0 if `top` is
    /// older than all entries; nullopt if it is another ID that this server has not seen.
    std::optional<std::size_t> after(EventId top) const {
        if (top <= before_) return 0;
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (entries_[i].last == top) return i + 1;
        }
        return std::nullopt;
    }

private:
    void pop() {
        before_ = entries_.front().last;
        events_ -= entries_.front().batch->size();
        bytes_ -= entries_.front().batch->bytes();
        entries_.pop_front();
    }

    const HistoryOptions bounds_;
    std::deque<Entry> entries_;
    std::size_t events_ = 0, bytes_ = 0;
    EventId before_; ///< the ID of the entry before the first
};

} // namespace sse
