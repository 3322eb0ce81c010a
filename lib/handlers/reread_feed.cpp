#include "handlers/reread_feed.hpp"

#include <algorithm>
#include <utility>

namespace sse {

RereadFeed::RereadFeed(std::shared_ptr<Channel> channel, std::size_t loop, Framing framing,
                       std::string_view last_event_id, std::string_view first,
                       const Keepalive& keepalive, StartReading start_reading, MakeRest make_rest)
    : channel_(std::move(channel))
    , shard_(channel_->shard(loop))
    , framing_(framing)
    , keepalive_(keepalive)
    , start_reading_(std::move(start_reading))
    , make_rest_(std::move(make_rest))
    , last_id_(last_event_id)
    , last_sent_(Clock::now()) {
    add(first);
}

RereadFeed::~RereadFeed() = default;

void RereadFeed::attach(std::function<void()> wake) {
    wake_ = std::move(wake);
    alive_ = std::make_shared<std::function<void()>>([this] { wake_(); });
    if (!read()) go_on();
}

/// Starts a reading behind the last event that was sent.
bool RereadFeed::read() {
    read_from_ = last_id_;
    ticks_at_end_ = 0;
    reading_ = start_reading_(last_id_, [weak = std::weak_ptr(alive_)] {
        if (const auto wake = weak.lock()) (*wake)();
    });
    return reading_ != nullptr;
}

/// The channel can go on behind that event, or will once its input has been read.
bool RereadFeed::is_held(std::string_view id) {
    return shard_.find(id).has_value() || shard_.may_find_more();
}

void RereadFeed::add(std::string_view text) {
    auto& block = blocks_.emplace_back();
    if (framing_ == Framing::chunked) append_chunk(text, block);
    else block.append(text);
}

/// As far as the history does not hold its events.
void RereadFeed::take(const FileReading::Piece& piece) {
    const FileReading::Piece::Id* last = nullptr;
    bool held = false;
    for (const auto& id : piece.ids) {
        last = &id;
        held = shard_.history().find(id.id).has_value();
        if (held) break;
    }
    if (last == nullptr) return;
    add(std::string_view(piece.text).substr(0, last->end));
    last_id_ = last->id;
    events_ += last->events;
    shard_.counts().deliveries.add(last->events);
    if (held) go_on();
}

/// Gathers everything that is there: a connection asks again only if `out` was filled.
std::size_t RereadFeed::gather(Clock::time_point now, std::span<std::string_view> out) {
    while (reading_ && blocks_.size() < out.size()) {
        if (const auto piece = reading_->take()) {
            take(*piece);
        } else {
            if (reading_->finished()) end_reading();
            break;
        }
    }
    std::size_t count = 0;
    for (const auto& block : blocks_) {
        if (count == out.size()) break;
        out[count] = std::string_view(block).substr(count == 0 ? sent_ : 0);
        ++count;
    }
    if (count > 0) last_sent_ = now;
    return rest_ ? count + rest_->gather(now, out.subspan(count)) : count;
}

/// The files have no more events. The history holds the last one, unless it is ahead, because the
/// client is slow, or behind, because the input has not been read that far.
void RereadFeed::end_reading() {
    reading_.reset();
    if (last_id_ == read_from_ || is_held(last_id_)) go_on();
}

/// The channel's turn.
void RereadFeed::go_on() {
    reading_.reset();
    rest_ = make_rest_(last_id_);
    rest_->attach(wake_);
}

void RereadFeed::consume(std::size_t bytes) {
    while (bytes > 0 && !blocks_.empty()) {
        const auto here = std::min(bytes, blocks_.front().size() - sent_);
        sent_ += here;
        bytes -= here;
        if (sent_ < blocks_.front().size()) return;
        blocks_.pop_front();
        sent_ = 0;
    }
    if (bytes > 0) rest_->consume(bytes);
}

void RereadFeed::tick(Clock::time_point now) {
    if (rest_) return rest_->tick(now);
    constexpr int patient_ticks = 3;
    if (!reading_ && blocks_.empty()) {
        const bool held = is_held(last_id_);
        if (held || (++ticks_at_end_ >= patient_ticks && !read())) {
            go_on();
            return wake_();
        }
    }
    if (!blocks_.empty()) return;
    if (keepalive_.after.count() == 0 || now - last_sent_ < keepalive_.after) return;
    last_sent_ = now;
    add(keepalive_.block);
    wake_();
}

Feed::StreamCounts RereadFeed::counts() const {
    auto counts = rest_ ? rest_->counts() : StreamCounts{};
    if (counts.last_id.empty()) counts.last_id = last_id_;
    counts.events += events_;
    return counts;
}

} // namespace sse
