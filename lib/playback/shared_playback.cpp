#include "playback/shared_playback.hpp"

#include "playback/playback_driver.hpp"

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
    stop_requested_.notify_one();
    channel_->close(); // the thread may be waiting in publish()
    if (thread_.joinable()) thread_.join();
}

void SharedPlayback::start() {
    const std::lock_guard lock(mutex_);
    if (!stopped_ && !thread_.joinable()) thread_ = std::thread([this] { run(); });
}

bool SharedPlayback::wait_until(Playback::Clock::time_point when) {
    std::unique_lock lock(mutex_);
    stop_requested_.wait_until(lock, when, [this] { return stopped_; });
    return !stopped_;
}

bool SharedPlayback::stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
}

void SharedPlayback::run() {
    constexpr std::size_t enough_events = 1'000, enough_bytes = 64 * 1024;
    constexpr std::chrono::milliseconds search_time{20};
    using Kind = PlaybackStep::Kind;
    PlaybackDriver driver(*playback_);
    Batch batch;
    try {
        for (bool open = true; open && !stopped();) {
            const auto step = driver.step(PlaybackDriver::Clock::now() + search_time);
            const bool full = batch.size() >= enough_events || batch.bytes() >= enough_bytes;
            if (step.kind != Kind::send || full)
                open = channel_->publish(std::exchange(batch, Batch()));
            if (step.kind == Kind::end) break;
            if (step.kind == Kind::wait) open = open && wait_until(step.when);
            if (step.kind == Kind::send) publish_later(*step.record, batch);
        }
    } catch (const Error& e) {
        channel_->publish(std::move(batch)); // the records before the error
        failed_(e);
    }
    channel_->end();
}

void SharedPlayback::publish_later(const Record& record, Batch& batch) {
    position_.store(record.t.count(), std::memory_order_relaxed);
    const bool is_text = playback_->format() == StreamFormat::event_stream;
    if (const auto* event = std::get_if<EventView>(&record.what); event != nullptr && is_text) {
        batch.add(*event); // with the recorded id, or none
    } else {
        if (const auto* retry = std::get_if<RecordedRetry>(&record.what); retry && is_text)
            channel_->set_retry(retry->time); // for clients that join later
        std::string text;
        append_record(record, playback_->format(), text);
        if (!text.empty()) batch.add_text(text);
    }
    playback_->advance();
}

} // namespace sse
