#include "hub/shard.hpp"

#include "hub/channel.hpp"

#include <algorithm>
#include <utility>

namespace sse {

Shard::Shard(Channel& channel, std::size_t loop)
    : channel_(channel)
    , loop_(loop)
    , history_(channel.options().history) {}

const ChannelOptions& Shard::options() const { return channel_.options(); }

void Shard::send(std::shared_ptr<const Batch> batch) {
    {
        const std::lock_guard lock(mutex_);
        inbox_.push_back(std::move(batch));
    }
    // Once for all that comes until take(): what was published while the loop was busy goes out in
    // one write.
    wake_loop();
}

void Shard::take() {
    if (std::exchange(taking_, true)) return;
    std::vector<std::shared_ptr<const Batch>> sent;
    {
        const std::lock_guard lock(mutex_);
        sent.swap(inbox_);
        woken_ = false;
    }
    for (auto& batch : sent) {
        if (batch) waiting_.push_back(std::move(batch));
        else ending_ = true;
    }
    for (bool news = true; news;) {
        news = false;
        std::size_t arrived = 0;
        const auto told = history_.end();
        while (!waiting_.empty()) {
            // What subscribers have not been told of is not pushed out: it may be this loop that
            // lags, and not they.
            if (news && history_.begin_after(*waiting_.front()) > told) break;
            if (!make_room(*waiting_.front())) break;
            arrived += waiting_.front()->bytes();
            history_.append(std::move(waiting_.front()));
            waiting_.pop_front();
            news = true;
        }
        if (arrived > 0) {
            counts_.history_events.set(history_.end() - history_.begin());
            counts_.history_bytes.set(history_.bytes());
            // It waits for who is publishing. So no subscriber of this loop has had a batch that
            // another loop has not been sent, and find() there knows every id it can be asked for.
            channel_.arrived(arrived);
        }
        if (ending_ && !ended_ && waiting_.empty()) news = ended_ = true;
        if (news) wake_all(); // and with what they take now, there may be room for more
    }
    taking_ = false;
}

/// Makes sure that appending `batch` loses nothing that the policy protects.
bool Shard::make_room(const Batch& batch) {
    const auto begin = history_.begin_after(batch);
    if (begin == history_.begin()) return true;
    if (options().overflow == Overflow::block) return can_evict(begin);
    for (auto* subscriber : subscribers_) {
        if (subscriber && subscriber->next() < begin) subscriber->skip_to(begin);
    }
    return true;
}

/// Everything before `begin` has been had: by all who are here, and by somebody anywhere.
bool Shard::can_evict(std::uint64_t begin) {
    for (const auto* subscriber : subscribers_) {
        if (subscriber && subscriber->next() < begin) return false;
    }
    starved_ = true; // first, and then the look: who delivers after it will see it, and wake us
    const bool had = begin <= channel_.delivered();
    if (had) starved_ = false;
    return had;
}

void Shard::progressed(std::uint64_t next) {
    if (next > delivered_) {
        delivered_ = next;
        channel_.deliver(next, *this);
    }
    if (!waiting_.empty() && !taking_) wake_loop();
}

void Shard::wake_if_starved() {
    if (starved_) wake_loop();
}

void Shard::wake_loop() {
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(woken_, true)) return;
    }
    channel_.wake_(loop_);
}

std::optional<std::uint64_t> Shard::find(std::string_view id) {
    if (const auto found = history_.find(id)) return found;
    const auto among = [&](const auto& batches) -> std::optional<std::uint64_t> {
        for (const auto& batch : batches) {
            for (std::size_t i = 0; batch && i < batch->size(); ++i) {
                if (batch->id(i) == id) return batch->first + i;
            }
        }
        return std::nullopt;
    };
    if (id.empty()) return std::nullopt;
    if (const auto found = among(waiting_)) return found;
    const std::lock_guard lock(mutex_);
    return among(inbox_);
}

void Shard::wake_all() {
    waking_ = true;
    // By index: a subscriber that is woken may go, and others may come.
    for (std::size_t i = 0; i < subscribers_.size(); ++i) {
        if (subscribers_[i]) subscribers_[i]->wake();
    }
    waking_ = false;
    if (!std::exchange(holes_, false)) return;
    std::erase(subscribers_, nullptr);
    for (std::size_t i = 0; i < subscribers_.size(); ++i) subscribers_[i]->slot_ = i;
}

void Shard::subscribe(Subscriber& subscriber) {
    subscriber.slot_ = subscribers_.size();
    subscribers_.push_back(&subscriber);
    counts_.subscribers.set(counts_.subscribers.get() + 1);
}

void Shard::measure_lag() {
    std::uint64_t behind = 0, lag = 0;
    for (const auto* subscriber : subscribers_) {
        if (!subscriber || subscriber->next() >= history_.end()) continue;
        ++behind;
        lag = std::max(lag, history_.end() - subscriber->next());
    }
    counts_.behind.set(behind);
    counts_.lag.set(lag);
}

void Shard::unsubscribe(Subscriber& subscriber) {
    channel_.touch(Channel::Clock::now());
    counts_.subscribers.set(counts_.subscribers.get() - 1);
    if (waking_) {
        subscribers_[subscriber.slot_] = nullptr;
        holes_ = true;
    } else {
        subscribers_[subscriber.slot_] = subscribers_.back();
        subscribers_[subscriber.slot_]->slot_ = subscriber.slot_;
        subscribers_.pop_back();
    }
    progressed(delivered_); // it may have been the one that held the others up
}

} // namespace sse
