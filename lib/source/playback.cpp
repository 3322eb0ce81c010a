#include "source/playback.hpp"

#include "protocol/encoder.hpp"

#include <algorithm>
#include <cstdint>

namespace sse {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

PlaybackClock::PlaybackClock(const PlaybackOptions& options, microseconds base)
    : speed_(options.speed)
    , wait_(options.wait)
    , max_gap_(options.max_gap)
    , base_(base)
    , last_(base) {}

PlaybackClock::Clock::time_point PlaybackClock::due(microseconds t) {
    const auto played = [&](microseconds recorded) {
        constexpr double longest =
            4e18; // 126 years in nanoseconds, which 64 bits can still add to now
        const auto time = static_cast<double>(recorded.count()) * 1e3 / speed_;
        return nanoseconds(static_cast<std::int64_t>(std::min(time, longest)));
    };
    if (!wait_) return *start_;
    if (max_gap_) skipped_ += std::max(nanoseconds(0), played(t - last_) - nanoseconds(*max_gap_));
    last_ = t;
    return *start_ + std::chrono::duration_cast<Clock::duration>(played(t - base_) - skipped_);
}

Playback::Playback(const std::string& path, const PlaybackOptions& options,
                   std::optional<RecordingPlace> place)
    : reader_(path, options.reader)
    , clock_(options, place ? place->t : microseconds(0)) {
    if (!place) return;
    reader_.seek(*place);
    reader_.next(); // the record there
}

const Record* Playback::peek() {
    if (next_ == nullptr) next_ = reader_.next();
    return next_;
}

Playback::Clock::time_point Playback::due(Clock::time_point now) {
    if (!clock_.started()) clock_.start(now);
    if (!due_) due_ = clock_.due(next_->t);
    return *due_;
}

void Playback::take() {
    next_ = nullptr;
    due_.reset();
}

void append_event_stream(const Record& record, std::string& out) {
    struct {
        std::string& out;
        void operator()(const EventView& it) const { encode(it, out); }
        void operator()(const RecordedId& it) const {
            out.append("id: ").append(it.id).append("\n\n");
        }
        void operator()(const RecordedComment& it) const { encode_comment(it.text, out); }
        void operator()(const RecordedRetry& it) const { encode_retry(it.time, out); }
        void operator()(const RecordedOpen&) const {}
        void operator()(const RecordedClose&) const {}
        void operator()(const RecordedBytes& it) const { out.append(it.bytes); }
    } const visitor{out};
    std::visit(visitor, record.what);
}

IdSearch::IdSearch(const std::string& path, std::string_view id,
                   const RecordingReaderOptions& options)
    : reader_(path, options)
    , id_(id) {}

bool IdSearch::step(std::chrono::steady_clock::time_point until) {
    constexpr int look_at_clock_every = 256;
    for (int count = 1;; ++count) {
        const auto* record = reader_.next();
        if (record == nullptr) return true;
        const auto* event = std::get_if<EventView>(&record->what);
        const auto* only_id = std::get_if<RecordedId>(&record->what);
        if ((event != nullptr && event->id == id_) || (only_id != nullptr && only_id->id == id_)) {
            found_ = reader_.place();
        }
        if (count % look_at_clock_every == 0 && std::chrono::steady_clock::now() >= until)
            return false;
    }
}

} // namespace sse
