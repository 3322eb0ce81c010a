#include "hub/channel_recorder.hpp"

#include "base/error.hpp"
#include "protocol/parser.hpp"

#include <limits>
#include <utility>

namespace sse {

/// Parses the encoded blocks of a batch and writes their events as lines of the recording.
class ChannelRecorder::Lines : public Parser::Sink {
public:
    explicit Lines(ChannelRecorder& recorder)
        : recorder_(recorder)
        , parser_(*this, {std::numeric_limits<std::size_t>::max()}) {}

    void write(std::chrono::microseconds t, std::string_view block) {
        t_ = t;
        parser_.feed(block);
    }

private:
    void on_event(const EventView& event) override {
        recorder_.attempt([&] { recorder_.writer_->event(t_, event); });
    }
    void on_id(std::string_view id) override {
        recorder_.attempt([&] { recorder_.writer_->id(t_, id); });
    }
    void on_comment(std::string_view text) override {
        recorder_.attempt([&] { recorder_.writer_->comment(t_, text); });
    }
    void on_retry(std::chrono::milliseconds time) override {
        recorder_.attempt([&] { recorder_.writer_->retry(t_, time); });
    }

    ChannelRecorder& recorder_;
    Parser parser_;
    std::chrono::microseconds t_{0};
};

ChannelRecorder::ChannelRecorder(std::unique_ptr<RecordingWriter> writer,
                                 std::shared_ptr<Channel> channel,
                                 std::function<void(const std::string&)> on_failure)
    : channel_(std::move(channel))
    , on_failure_(std::move(on_failure))
    , writer_(std::move(writer))
    , thread_([this] { run(); }) {
    channel_->set_tap([this](std::shared_ptr<const Batch> batch) { enqueue(std::move(batch)); });
}

ChannelRecorder::~ChannelRecorder() { finish(); }

void ChannelRecorder::finish() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        finishing_ = true;
    }
    more_.notify_one();
    thread_.join();
}

void ChannelRecorder::on_thread(std::function<void()> action) {
    {
        const std::lock_guard lock(mutex_);
        action_ = std::move(action);
    }
    more_.notify_one();
}

void ChannelRecorder::enqueue(std::shared_ptr<const Batch> batch) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.emplace_back(Clock::now(), std::move(batch));
    }
    more_.notify_one();
}

void ChannelRecorder::run() {
    Lines lines(*this);
    std::vector<Entry> entries;
    for (;;) {
        entries.clear();
        std::function<void()> action;
        {
            std::unique_lock lock(mutex_);
            more_.wait(lock, [&] { return finishing_ || action_ || !waiting_.empty(); });
            entries.swap(waiting_);
            action = std::exchange(action_, {});
        }
        if (action) action();
        if (entries.empty() && !action) break;
        for (const auto& entry : entries) write(lines, entry);
        flush(); // the next batch may come much later
    }
    const auto now = since_start(Clock::now());
    attempt([&] { writer_->close(now, {"eof", ""}); });
    flush();
    attempt([&] { writer_->finish(); });
}

void ChannelRecorder::write(Lines& lines, const Entry& entry) {
    const auto& [time, batch] = entry;
    const auto t = since_start(time);
    for (std::size_t i = 0; i < batch->size() && !broken_; ++i) lines.write(t, batch->block(i));
    channel_->tap_done(batch->bytes());
}

void ChannelRecorder::flush() {
    attempt([&] {
        if (!writer_->flush())
            failed_ = broken_ = true; // the time to wait for the reader of a pipe is over
    });
}

void ChannelRecorder::attempt(const std::function<void()>& action) {
    if (broken_) return;
    try {
        action();
    } catch (const Error& e) {
        broken_ = e.code() != Errc::too_large; // only the line that is too long is left out
        failed_ = true;
        on_failure_(e.what());
    }
}

std::chrono::microseconds ChannelRecorder::since_start(Clock::time_point time) const {
    return std::chrono::duration_cast<std::chrono::microseconds>(time - started_);
}

} // namespace sse
