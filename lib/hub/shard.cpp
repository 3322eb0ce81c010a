#include "hub/shard.hpp"

#include "hub/channel.hpp"
#include "hub/pages.hpp"

#include <algorithm>
#include <utility>

namespace sse {

Shard::Shard(Channel& channel, std::size_t loop)
    : channel_(channel)
    , loop_(loop)
    , history_(channel.options().history) {}

const ChannelOptions& Shard::options() const { return channel_.options(); }

void Shard::enqueue(std::shared_ptr<const Batch> batch) {
    {
        const std::lock_guard lock(mutex_);
        inbox_.push_back(std::move(batch));
    }
    // One wake until drain_inbox(): what is published while the loop is busy goes out in one write.
    wake_loop();
}

void Shard::drain_inbox() {
    if (std::exchange(draining_, true)) return;
    std::vector<std::shared_ptr<const Batch>> batches;
    const bool loading = channel_.loading(); // first: what was loaded before is in the inbox
    std::shared_ptr<const LogTail> tail;
    {
        const std::lock_guard lock(mutex_);
        batches.swap(inbox_);
        tail.swap(tail_);
        wake_pending_ = false;
    }
    for (auto& batch : batches) {
        if (batch) waiting_.push_back(std::move(batch));
        else ending_ = true;
    }
    if (tail) begin_with(*tail);
    for (bool changed = true; changed;) {
        changed = tail != nullptr;
        tail.reset();
        std::size_t admitted = 0;
        const auto announced = history_.end(); // subscribers know of the events before this
        while (!waiting_.empty()) {
            if (waiting_.front()->first != history_.end()) restart(*waiting_.front());
            // Never evicts an event that subscribers were not woken for: it may be this loop that
            // is slow, and not they.
            if (changed && history_.begin_after(*waiting_.front()) > announced) break;
            if (!make_room(*waiting_.front())) break;
            admitted += waiting_.front()->bytes();
            history_.append(std::move(waiting_.front()));
            waiting_.pop_front();
            changed = true;
        }
        if (admitted > 0) {
            counts_.history_events.set(history_.end() - history_.begin());
            counts_.history_bytes.set(history_.bytes());
            // This waits for a running publish(). So no subscriber of this loop is sent a batch
            // that is not in the inbox of every other loop, and find() there knows every id.
            channel_.admitted(admitted);
        }
        if (loading) loaded_ = false;
        else if (waiting_.empty()) loaded_ = true;
        if (ending_ && !ended_ && waiting_.empty()) changed = ended_ = true;
        if (!seeking_.empty() && seek()) changed = true;
        if (changed) wake_subscribers(); // what they send now may make room for more
    }
    draining_ = false;
}

/// False if the policy does not admit `batch` yet. Moves slow clients on where it says so.
bool Shard::make_room(const Batch& batch) {
    const auto begin = history_.begin_after(batch);
    if (begin == history_.begin() || has_log()) return true;
    if (options().overflow == Overflow::block) return can_evict(begin);
    for (auto* subscriber : subscribers_) {
        if (subscriber && subscriber->next() < begin) subscriber->skip_to(begin);
    }
    return true;
}

/// Every subscriber of this loop was sent every event before `begin`, and so was at least one of
/// any loop; but where new clients start at the end, none need be there.
bool Shard::can_evict(std::uint64_t begin) {
    for (const auto* subscriber : subscribers_) {
        if (subscriber && subscriber->next() < begin) return false;
    }
    starved_ = true; // set before the check: a change after it sees the flag and wakes this loop
    const bool alone = channel_.subscribers() == 0;
    const bool sent =
        begin <= channel_.delivered() || (alone && options().start.at != Start::At::oldest);
    if (sent) starved_ = false;
    else if (alone) channel_.full();
    return sent;
}

void Shard::progressed(std::uint64_t next) {
    if (next > delivered_) {
        delivered_ = next;
        channel_.raise_delivered(next, *this);
    }
    if (!waiting_.empty() && !draining_) wake_loop();
}

void Shard::wake_if_starved() {
    if (starved_) wake_loop();
}

void Shard::wake_loop() {
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(wake_pending_, true)) return;
    }
    channel_.wake_(loop_);
}

// ---- the log ----

void Shard::use_log(Pages& pages) {
    pages_ = &pages;
    opened_ = false;
}

void Shard::enqueue_tail(std::shared_ptr<const LogTail> tail) {
    {
        const std::lock_guard lock(mutex_);
        tail_ = std::move(tail);
    }
    wake_loop();
}

void Shard::begin_with(const LogTail& tail) {
    history_ =
        History(options().history, tail.batches.empty() ? tail.next : tail.batches[0]->first);
    for (const auto& batch : tail.batches) history_.append(batch);
    counts_.history_events.set(history_.end() - history_.begin());
    counts_.history_bytes.set(history_.bytes());
    opened_ = true;
}

/// The log has lost the events before `batch` that have not arrived: those before them are read
/// from it, and subscribers are told.
void Shard::restart(const Batch& batch) {
    history_ = History(options().history, batch.first);
    if (batch.lost_from == lost_nothing) return;
    pages_->forget(*channel_.log());
    for (auto* subscriber : subscribers_) {
        if (subscriber) subscriber->go_back(batch.lost_from);
    }
}

std::uint64_t Shard::log_begin() const { return channel_.log()->begin(); }

const History* Shard::find_page(std::uint64_t sequence) {
    return pages_->find(*channel_.log(), sequence);
}

void Shard::request_page(Subscriber& subscriber) {
    if (!std::exchange(subscriber.reading_, true)) reading_.push_back(&subscriber);
    pages_->request(channel_.shared_from_this(), subscriber.next());
}

void Shard::page_arrived(std::uint64_t asked, const History& page) {
    // What is neither in the page nor before it is lost.
    const auto begin = page.begin() < page.end() ? page.begin() : history_.begin();
    std::vector<Subscriber*> ready;
    std::erase_if(reading_, [&](auto* subscriber) {
        const auto next = subscriber->next();
        if (next < asked || (next >= page.end() && next >= begin)) return false;
        if (next < begin) subscriber->skip_lost(begin);
        subscriber->reading_ = false;
        ready.push_back(subscriber);
        return true;
    });
    wake_each(std::move(ready));
}

void Shard::locate(const std::string& id) {
    channel_.log()->locate(
        id, [weak = channel_.weak_from_this(), loop = loop_, id](const LogPosition& position) {
            const auto channel = weak.lock();
            if (!channel) return;
            channel->run_on(loop, [channel, loop, id, position] {
                channel->shard(loop).located(id, position);
            });
        });
}

void Shard::located(const std::string& id, const LogPosition& position) {
    std::vector<Subscriber*> ready;
    std::erase_if(seeking_, [&](auto* subscriber) {
        if (!subscriber->located(id, position)) return false;
        ready.push_back(subscriber);
        return true;
    });
    wake_each(std::move(ready));
}

template <class Wake>
void Shard::with_hooks(Wake wake_all) {
    const auto* const hooks = channel_.hooks_.get();
    if (hooks) hooks->before(loop_);
    wake_all();
    if (hooks) hooks->after(loop_);
}

/// Each may remove itself or others when it is woken.
void Shard::wake_each(std::vector<Subscriber*> subscribers) {
    waking_each_ = &subscribers;
    with_hooks([&] {
        for (std::size_t i = 0; i < subscribers.size(); ++i) {
            if (subscribers[i]) subscribers[i]->wake();
        }
    });
    waking_each_ = nullptr;
}

// ---- the subscribers ----

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

bool Shard::may_find_more() const { return !ended_ && (!loaded_ || channel_.loading()); }

const std::string& Shard::start_id() const { return channel_.start_id(); }

/// Those that look for their last event ID see the events that have come, and let them go. True if
/// one has its start now.
bool Shard::seek() {
    for (auto* subscriber : seeking_) subscriber->seek();
    return std::erase_if(seeking_, [](const auto* it) { return !it->seeking(); }) > 0;
}

void Shard::wake_subscribers() {
    waking_ = true;
    with_hooks([&] { // by index: waking one may remove it, or add others
        for (std::size_t i = 0; i < subscribers_.size(); ++i) {
            if (subscribers_[i]) subscribers_[i]->wake();
        }
    });
    waking_ = false;
    if (!std::exchange(has_holes_, false)) return;
    std::erase(subscribers_, nullptr);
    for (std::size_t i = 0; i < subscribers_.size(); ++i) subscribers_[i]->slot_ = i;
}

void Shard::subscribe(Subscriber& subscriber) {
    subscriber.slot_ = subscribers_.size();
    subscribers_.push_back(&subscriber);
    counts_.subscribers.set(counts_.subscribers.get() + 1);
    channel_.subscribed();
    if (subscriber.seeking()) seeking_.push_back(&subscriber);
}

void Shard::tick(Clock::time_point now) {
    const auto passed = std::exchange(last_tick_, now);
    measure_lag();
    if (passed == Clock::time_point{} || options().overflow != Overflow::block) return;
    // A process that was stopped for long cannot tell what its clients could have read meanwhile.
    charge_slow(std::min(std::chrono::duration_cast<std::chrono::milliseconds>(now - passed),
                         options().max_hold_up / 4));
}

void Shard::charge_slow(std::chrono::milliseconds passed) {
    const bool waits = !waiting_.empty() && channel_.has_idle_subscriber();
    if (!waits && !charged_) return;
    const auto begin = waits ? history_.begin_after(*waiting_.front()) : 0;
    bool cut = false;
    charged_ = false;
    for (auto* subscriber : subscribers_) {
        if (!subscriber) continue;
        const bool charged = subscriber->charge(subscriber->next() < begin ? passed : -passed);
        charged_ = charged_ || charged;
        cut = cut || subscriber->overrun();
    }
    if (cut) wake_subscribers();
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
    if (subscriber.seeking()) std::erase(seeking_, &subscriber);
    if (subscriber.reading_) std::erase(reading_, &subscriber);
    if (waking_each_)
        std::replace(waking_each_->begin(), waking_each_->end(), &subscriber,
                     static_cast<Subscriber*>(nullptr));
    if (waking_) {
        subscribers_[subscriber.slot_] = nullptr;
        has_holes_ = true;
    } else {
        subscribers_[subscriber.slot_] = subscribers_.back();
        subscribers_[subscriber.slot_]->slot_ = subscriber.slot_;
        subscribers_.pop_back();
    }
    channel_.unsubscribed(*this);
    progressed(delivered_); // it may have been the slowest
}

} // namespace sse
