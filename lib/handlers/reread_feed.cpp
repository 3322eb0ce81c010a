#include "handlers/reread_feed.hpp"

#include <algorithm>
#include <utility>

namespace sse {

RereadFeed::RereadFeed(std::unique_ptr<Reread> reread, std::size_t loop, Framing framing,
                       std::string_view last_event_id, std::string_view first,
                       const Keepalive& keepalive, MakeRest make_rest)
    : reread_(std::move(reread))
    , subscriber_(
          std::make_unique<Subscriber>(reread_->channel()->shard(loop), framing, last_event_id))
    , framing_(framing)
    , last_event_id_(last_event_id)
    , keepalive_(keepalive)
    , last_sent_(Clock::now())
    , make_rest_(std::move(make_rest)) {
    add_block(first);
}

RereadFeed::~RereadFeed() = default;

void RereadFeed::attach(std::function<void()> wake) {
    wake_ = std::move(wake);
    subscriber_->on_wake(wake_);
    reread_->start();
}

void RereadFeed::add_block(std::string_view block) {
    if (framing_ == Framing::chunked) append_chunk(block, block_);
    else block_.append(block);
}

std::size_t RereadFeed::gather(Clock::time_point now, std::span<std::string_view> out) {
    if (out.empty()) return 0;
    if (!block_.empty()) {
        last_sent_ = now;
        out[0] = block_;
        return 1;
    }
    if (!rest_ && (subscriber_->gap() || subscriber_->ended())) go_on();
    if (rest_) return rest_->gather(now, out);
    const auto count = subscriber_->gather(out);
    if (count > 0) last_sent_ = now;
    return count;
}

/// The files are read: what follows is in the channel.
void RereadFeed::go_on() {
    std::uint64_t sent = 0;
    if (!subscriber_->gap()) {
        sent = subscriber_->since_last_id();
        if (const auto id = subscriber_->last_id(); !id.empty()) last_event_id_ = id;
        events_ = subscriber_->delivered();
    }
    subscriber_.reset();
    reread_.reset();
    rest_ = make_rest_(last_event_id_, sent);
    rest_->attach(wake_);
}

void RereadFeed::consume(std::size_t bytes) {
    if (!block_.empty()) block_.erase(0, bytes); // gathered alone
    else if (rest_) rest_->consume(bytes);
    else subscriber_->consume(bytes);
}

void RereadFeed::tick(Clock::time_point now) {
    if (rest_) return rest_->tick(now);
    if (!block_.empty()) return;
    if (keepalive_.after.count() == 0 || now - last_sent_ < keepalive_.after) return;
    last_sent_ = now;
    add_block(keepalive_.block);
    wake_();
}

Feed::StreamCounts RereadFeed::counts() const {
    auto counts = rest_ ? rest_->counts() : StreamCounts{};
    if (counts.last_id.empty()) counts.last_id = last_event_id_;
    counts.events += rest_ ? events_ : subscriber_->delivered();
    return counts;
}

} // namespace sse
