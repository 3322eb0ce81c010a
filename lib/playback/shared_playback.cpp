#include "playback/shared_playback.hpp"

#include <utility>

namespace sse {

SharedPlayback::SharedPlayback(std::unique_ptr<Playback> playback, std::shared_ptr<Channel> channel,
                               std::function<void(const Error&)> failed)
    : playback_(std::move(playback))
    , channel_(std::move(channel))
    , failed_(std::move(failed)) {}

SharedPlayback::~SharedPlayback() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    news_.notify_one();
    channel_->close(); // it may wait there
    if (thread_.joinable()) thread_.join();
}

void SharedPlayback::start() {
    const std::lock_guard lock(mutex_);
    if (!stopped_ && !thread_.joinable()) thread_ = std::thread([this] { run(); });
}

bool SharedPlayback::wait_until(Playback::Clock::time_point when) {
    std::unique_lock lock(mutex_);
    news_.wait_until(lock, when, [this] { return stopped_; });
    return !stopped_;
}

bool SharedPlayback::stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
}

void SharedPlayback::run() {
    constexpr std::size_t enough_events = 1'000, enough_bytes = 64 * 1024;
    constexpr std::chrono::milliseconds look_again{50}; // at a file that grows
    constexpr std::chrono::milliseconds slice{20};      // of looking for what is played
    using Clock = Playback::Clock;
    Batch batch;
    try {
        for (bool open = true; open && !stopped();) {
            const bool grows = playback_->grows(); // before what is read, so that nothing is missed
            const bool more = playback_->peek(Clock::now() + slice) != nullptr;
            const auto now = Clock::now();
            const auto look = playback_->looking() ? now : now + look_again;
            const auto due = more ? playback_->due(now) : look;
            const bool waits = due > now || !more;
            if (waits || batch.size() >= enough_events || batch.bytes() >= enough_bytes)
                open = channel_->publish(std::exchange(batch, Batch()));
            if (!more && !grows && !playback_->looking()) break;
            if (waits) open = open && wait_until(due);
            else play(batch);
        }
    } catch (const Error& e) {
        channel_->publish(std::move(batch)); // what could be read is played
        failed_(e);
    }
    channel_->end();
}

void SharedPlayback::play(Batch& batch) {
    const auto& record = *playback_->peek();
    position_.store(record.t.count(), std::memory_order_relaxed);
    if (const auto* event = std::get_if<EventView>(&record.what)) {
        batch.add(*event); // with its own id or none: never one of ours
    } else {
        if (const auto* retry = std::get_if<RecordedRetry>(&record.what))
            channel_->set_retry(retry->time); // for those who come later
        std::string text;
        append_event_stream(record, text);
        if (!text.empty()) batch.add_text(text);
    }
    playback_->take();
}

} // namespace sse
