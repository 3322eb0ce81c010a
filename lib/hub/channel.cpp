#include "hub/channel.hpp"

#include "base/error.hpp"
#include "base/unix_time.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace sse {

void check_event_id(std::string_view id, std::size_t max_bytes) {
    if (id.size() > max_bytes) {
        throw Error(Errc::bad_input,
                    fmt::format("id has {} bytes; the limit is {}", id.size(), max_bytes));
    }
    for (const char c : id) {
        const auto byte = static_cast<unsigned char>(c);
        const bool control = (byte < 0x20 && c != '\t') || byte == 0x7F;
        if (!control || c == '\r' || c == '\n' || c == '\0') continue;
        throw Error(Errc::bad_input,
                    fmt::format("id contains the control character 0x{:02X}, which a Last-Event-ID "
                                "header cannot carry",
                                byte));
    }
}

Channel::Channel(ChannelOptions options, std::size_t loops, std::function<void(std::size_t)> wake)
    : options_(options)
    , wake_(std::move(wake))
    , start_id_(fmt::format("{}-start", unix_ms()))
    , retry_(options.retry ? options.retry->count() : -1) {
    for (std::size_t loop = 0; loop < loops; ++loop) {
        shards_.push_back(std::make_unique<Shard>(*this, loop));
    }
}

void Channel::add(Batch& batch, EventView event, std::chrono::system_clock::time_point now) {
    if (!event.id || event.id->empty()) {
        const std::lock_guard lock(mutex_);
        event.id = ids_.next(now);
        batch.add(event, true);
    } else {
        check_event_id(*event.id, options_.max_id_bytes);
        batch.add(event);
    }
}

bool Channel::publish(Batch batch, std::string source, std::string place) {
    if (batch.empty()) return true;
    std::unique_lock lock(mutex_);
    Draft draft;
    draft.source = std::move(source);
    draft.place = std::move(place);
    do {
        room_.wait(lock, [&] { return closed_ || ended_ || (has_room() && !log_full_); });
        if (closed_ || ended_) return false;
        if (!log_) {
            enqueue(std::move(batch));
            return true;
        }
    } while (!append(batch, draft));
    return true;
}

bool Channel::try_publish(Batch& batch) {
    if (batch.empty()) return true;
    const std::lock_guard lock(mutex_);
    if (closed_ || ended_ || !has_room()) return false;
    enqueue(std::move(batch));
    return true;
}

bool Channel::try_store(Batch& batch, std::string key, std::function<void(const Receipt&)> done) {
    const std::lock_guard lock(mutex_);
    if (closed_ || ended_ || log_full_ || !has_room()) return false;
    Draft draft;
    draft.key = std::move(key);
    draft.done = std::move(done);
    return append(batch, draft);
}

/// Called with the lock held, so that every shard receives the batches in the same order.
void Channel::enqueue(Batch&& batch) {
    batch.seal();
    const auto shared = std::make_shared<Batch>(std::move(batch));
    shared->first = next_;
    next_ += shared->size();
    in_flight_ += shared->bytes() * consumers();
    pass_on(shared);
}

void Channel::pass_on(const std::shared_ptr<const Batch>& batch) {
    events_.add(batch->size());
    bytes_.add(batch->bytes());
    if (tap_) tap_(batch);
    for (const auto& shard : shards_) shard->enqueue(batch);
    touch(Clock::now());
}

void Channel::end() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ended_, true)) return;
    end_if_all_arrived();
    room_.notify_all();
}

/// Called with the lock held, after end().
void Channel::end_if_all_arrived() {
    if (drafts_ > 0) return;
    for (const auto& shard : shards_) shard->enqueue(nullptr);
}

// ---- the log ----

void Channel::use_log(Log& log, std::string_view name, std::vector<std::unique_ptr<Pages>>& pages,
                      LoopExecutor executor) {
    executor_ = std::move(executor);
    for (std::size_t loop = 0; loop < shards_.size(); ++loop) shards_[loop]->use_log(*pages[loop]);
    auto [channel, tail] = log.open(name, options_.history, weak_from_this());
    log_ = std::move(channel);
    if (!tail) return;
    ids_.continue_after(tail->last);
    for (const auto& shard : shards_) shard->begin_with(*tail);
}

void Channel::opened(LogTail tail) {
    const auto shared = std::make_shared<const LogTail>(std::move(tail));
    const std::lock_guard lock(mutex_);
    ids_.continue_after(shared->last);
    for (const auto& shard : shards_) shard->enqueue_tail(shared);
}

/// Called with the lock held. False, with `batch` unchanged, if the log has no room.
bool Channel::append(Batch& batch, Draft& draft) {
    batch.seal();
    draft.batch = std::make_unique<Batch>(std::move(batch));
    const auto bytes = draft.batch->bytes();
    if (!log_->append(draft)) {
        batch = std::move(*draft.batch);
        log_full_ = true;
        return false;
    }
    in_flight_ += bytes * consumers();
    ++drafts_;
    return true;
}

void Channel::arrived(std::shared_ptr<const Batch> batch, std::size_t drafted) {
    const std::lock_guard lock(mutex_);
    in_flight_ = in_flight_ + (batch->bytes() * consumers()) - (drafted * consumers());
    pass_on(batch);
    if (drafted == 0) return;
    if (--drafts_ == 0 && ended_) end_if_all_arrived();
}

void Channel::dropped(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    in_flight_ -= bytes * consumers();
    if (--drafts_ == 0 && ended_) end_if_all_arrived();
    room_.notify_all();
}

void Channel::writable() {
    const std::lock_guard lock(mutex_);
    log_full_ = false;
    room_.notify_all();
}

void Channel::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    room_.notify_all();
}

void Channel::admitted(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    in_flight_ -= bytes;
    room_.notify_all();
}

std::optional<std::chrono::milliseconds> Channel::retry() const {
    const auto ms = retry_.load(std::memory_order_relaxed);
    return ms < 0 ? std::nullopt : std::optional(std::chrono::milliseconds(ms));
}

ChannelCounts Channel::counts() const {
    ChannelCounts sum;
    sum.events = events_.get();
    sum.bytes = bytes_.get();
    for (const auto& shard : shards_) {
        const auto& own = shard->counts();
        sum.deliveries += own.deliveries.get();
        sum.missed += own.missed.get();
        sum.slow_client_skips += own.slow_client_skips.get();
        sum.subscribers += own.subscribers.get();
        sum.behind += own.behind.get();
        sum.lag = std::max(sum.lag, own.lag.get());
    }
    sum.history_events = shards_.front()->counts().history_events.get();
    sum.history_bytes = shards_.front()->counts().history_bytes.get();
    return sum;
}

void Channel::raise_delivered(std::uint64_t next, const Shard& by) {
    auto before = delivered_.load();
    while (before < next && !delivered_.compare_exchange_weak(before, next)) {
    }
    for (const auto& shard : shards_) {
        if (shard.get() != &by) shard->wake_if_starved();
    }
}

void Channel::unsubscribed(const Shard& of) {
    if (--subscribers_ > 0 || options_.start.at == Start::At::oldest) return;
    for (const auto& shard : shards_) {
        if (shard.get() != &of) shard->wake_if_starved();
    }
}

void Channel::end_loading() {
    if (!loading_.exchange(false)) return;
    for (const auto& shard : shards_) shard->wake_loop();
}

bool Channel::has_idle_subscriber() const {
    const auto now = counts();
    return now.subscribers > now.behind;
}

namespace {

/// Large enough to make the cost of a batch negligible, small enough not to delay its first event.
constexpr std::size_t batch_bytes = 256 * 1024;

} // namespace

Publisher::Publisher(Channel& channel)
    : channel_(channel)
    // A batch enters the history as a whole. If it filled the history, no subscriber would be sent
    // a new event before every subscriber had been sent all old ones, so it is at most a quarter of
    // the history, by events and by bytes.
    , max_events_(std::max<std::size_t>(1, channel.options().history.max_events / 4))
    , max_bytes_(std::min(batch_bytes, channel.options().history.max_bytes / 4)) {}

void Publisher::add(const EventView& event) {
    if (batch_.empty()) now_ = std::chrono::system_clock::now();
    channel_.add(batch_, event, now_);
    flush_if_large();
}

void Publisher::add_comment(std::string_view text) {
    batch_.add_comment(text);
    flush_if_large();
}

void Publisher::add_retry(std::chrono::milliseconds retry) {
    channel_.set_retry(retry);
    batch_.add_retry(retry);
    flush_if_large();
}

void Publisher::flush_if_large() {
    if (!keeps_ && is_large()) flush();
}

bool Publisher::flush(std::string source, std::string place) {
    if (!closed_ && !batch_.empty()) {
        closed_ =
            !channel_.publish(std::exchange(batch_, Batch()), std::move(source), std::move(place));
    }
    return !closed_;
}

} // namespace sse
