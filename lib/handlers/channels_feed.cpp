#include "handlers/channels_feed.hpp"

#include "base/percent.hpp"
#include "protocol/encoder.hpp"

#include <algorithm>
#include <utility>

namespace sse {

namespace {

/// Bytes that are copied before the connection has sent those copied before.
constexpr std::size_t most_pending = 32 * 1024;

} // namespace

std::map<std::string, std::string> parse_channels_id(std::string_view id) {
    std::map<std::string, std::string> ids;
    while (!id.empty()) {
        const auto end = id.find('&');
        const auto pair = id.substr(0, end);
        const auto equals = pair.find('=');
        if (equals == pair.npos) return {};
        ids[percent_decoded(pair.substr(0, equals))] = percent_decoded(pair.substr(equals + 1));
        if (end == id.npos) break;
        id.remove_prefix(end + 1);
    }
    return ids;
}

ChannelsFeed::ChannelsFeed(std::vector<Source> sources, std::size_t loop, Framing framing,
                           std::string_view last_event_id, const Keepalive& keepalive,
                           const ChannelFeed::OnStreamEnd& on_stream_end)
    : framing_(framing)
    , keepalive_(keepalive)
    , last_sent_(Clock::now())
    , on_stream_end_(on_stream_end) {
    auto ids = parse_channels_id(last_event_id);
    for (auto& [name, channel] : sources) {
        // An ID of another form is that of a stream of one of the channels.
        const auto& id =
            last_event_id.empty() || !ids.empty() ? ids[name] : std::string(last_event_id);
        auto& part = parts_.emplace_back();
        part.name = percent_encoded(name);
        part.channel = std::move(channel);
        part.subscriber =
            std::make_unique<Subscriber>(part.channel->shard(loop), Framing::close_delimited, id);
        if (part.subscriber->gap()) part.subscriber->prepend_gap();
        const auto position = part.subscriber->seeking() ? "" : part.subscriber->position_id();
        part.id = percent_encoded(position.empty() ? id : position);
    }
}

ChannelsFeed::~ChannelsFeed() {
    if (on_stream_end_) on_stream_end_(ended());
}

bool ChannelsFeed::gap() const {
    return std::any_of(parts_.begin(), parts_.end(),
                       [](const auto& part) { return part.subscriber->gap(); });
}

void ChannelsFeed::attach(std::function<void()> wake) {
    wake_ = wake;
    for (const auto& part : parts_) part.subscriber->on_wake(wake);
}

void ChannelsFeed::prepend(std::string_view block) {
    if (framing_ == Framing::chunked) append_chunk(block, pending_);
    else pending_.append(block);
}

void ChannelsFeed::prepend_position() {
    std::string block;
    encode_id(id(parts_.front()), block);
    prepend(block);
}

/// The ID of an event of `first`.
std::string ChannelsFeed::id(const Part& first) const {
    auto text = first.name + "=" + first.id;
    for (const auto& part : parts_) {
        if (&part != &first && !part.id.empty()) text.append("&" + part.name + "=" + part.id);
    }
    return text;
}

/// Copies the next event of `part`, if there is one, and counts it as sent.
bool ChannelsFeed::take(Part& part) {
    const auto taken = part.subscriber->take();
    if (!taken) return false;
    if (taken->id.empty()) {
        prepend(taken->block);
        return true;
    }
    part.id = percent_encoded(taken->id);
    last_id_ = id(part);
    // The id is the last line: see encode().
    std::string block(taken->block.substr(0, taken->block.rfind("\nid: ") + 1));
    encode_id(last_id_, block);
    prepend(block);
    return true;
}

void ChannelsFeed::fill() {
    std::size_t without = 0; // parts in a row that have nothing
    while (pending_.size() < most_pending && without < parts_.size()) {
        without = take(parts_[turn_]) ? 0 : without + 1;
        turn_ = (turn_ + 1) % parts_.size();
    }
}

std::size_t ChannelsFeed::gather(Clock::time_point now, std::span<std::string_view> out) {
    if (sent_ == pending_.size()) {
        std::string().swap(pending_); // an idle client keeps no buffer
        sent_ = 0;
    }
    if (sent_ == 0) fill();
    if (pending_.empty() || out.empty()) return 0;
    last_sent_ = now;
    out[0] = std::string_view(pending_).substr(sent_);
    return 1;
}

void ChannelsFeed::consume(std::size_t bytes) { sent_ += bytes; }

bool ChannelsFeed::has_more() const {
    return sent_ < pending_.size() ||
           std::any_of(parts_.begin(), parts_.end(),
                       [](const auto& part) { return part.subscriber->has_more(); });
}

bool ChannelsFeed::ended() const {
    return sent_ == pending_.size() &&
           std::all_of(parts_.begin(), parts_.end(),
                       [](const auto& part) { return part.subscriber->ended(); });
}

void ChannelsFeed::tick(Clock::time_point now) {
    if (keepalive_.after.count() == 0 || now - last_sent_ < keepalive_.after) return;
    last_sent_ = now;
    if (sent_ == pending_.size()) prepend(keepalive_.block);
    wake_();
}

Feed::StreamCounts ChannelsFeed::counts() const {
    StreamCounts sum;
    for (const auto& part : parts_) {
        sum.events += part.subscriber->delivered();
        sum.missed += part.subscriber->missed();
    }
    sum.last_id = last_id_;
    return sum;
}

Feed::Cut ChannelsFeed::cut() const {
    const bool overrun = std::any_of(parts_.begin(), parts_.end(),
                                     [](const auto& part) { return part.subscriber->overrun(); });
    return overrun ? Cut::close : Cut::no;
}

} // namespace sse
