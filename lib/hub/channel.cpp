#include "hub/channel.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

/// Throws Error (bad_input) for an id that cannot come back in a header: a field value holds no
/// control characters but HTAB (RFC 9110 5.5). The encoder refuses CR, LF and NUL.
void check_id(std::string_view id, std::size_t max_bytes) {
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

std::int64_t unix_ms(std::chrono::system_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

} // namespace

Channel::Channel(ChannelOptions options, std::size_t loops, std::function<void(std::size_t)> wake)
    : options_(options)
    , wake_(std::move(wake))
    , start_id_(fmt::format("{}-start", unix_ms(std::chrono::system_clock::now())))
    , retry_(options.retry ? options.retry->count() : -1) {
    for (std::size_t loop = 0; loop < loops; ++loop) {
        shards_.push_back(std::make_unique<Shard>(*this, loop));
    }
}

void Channel::add(Batch& batch, EventView event, std::chrono::system_clock::time_point now) {
    if (!event.id || event.id->empty()) {
        const std::lock_guard lock(mutex_);
        event.id = ids_.next(now);
        batch.add(event);
    } else {
        check_id(*event.id, options_.max_id_bytes);
        batch.add(event);
    }
}

bool Channel::publish(Batch batch) {
    if (batch.empty()) return true;
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || ended_ || has_room(); });
    if (closed_ || ended_) return false;
    enqueue(std::move(batch));
    return true;
}

bool Channel::try_publish(Batch& batch) {
    if (batch.empty()) return true;
    const std::lock_guard lock(mutex_);
    if (closed_ || ended_ || !has_room()) return false;
    enqueue(std::move(batch));
    return true;
}

/// Called with the lock held, so that every shard receives the batches in the same order.
void Channel::enqueue(Batch&& batch) {
    batch.seal();
    const auto shared = std::make_shared<Batch>(std::move(batch));
    shared->first = next_;
    next_ += shared->size();
    events_.add(shared->size());
    bytes_.add(shared->bytes());
    in_flight_ += shared->bytes() * consumers();
    if (tap_) tap_(shared);
    for (const auto& shard : shards_) shard->enqueue(shared);
    touch(Clock::now());
}

void Channel::end() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ended_, true)) return;
    for (const auto& shard : shards_) shard->enqueue(nullptr);
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
    if (batch_.size() >= max_events_ || batch_.bytes() >= max_bytes_) flush();
}

bool Publisher::flush() {
    if (!closed_ && !batch_.empty()) closed_ = !channel_.publish(std::exchange(batch_, Batch()));
    return !closed_;
}

} // namespace sse
