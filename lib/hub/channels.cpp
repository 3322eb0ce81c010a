#include "hub/channels.hpp"

#include <algorithm>
#include <utility>

namespace sse {

Channels::Channels(ChannelOptions channel, std::size_t loops, Executor executor,
                   ChannelsOptions options)
    : channel_(channel)
    , loops_(loops)
    , executor_(std::move(executor))
    , options_(options) {}

std::shared_ptr<Channel> Channels::create() {
    // A weak pointer: the channel must not own itself through its callback.
    const auto self = std::make_shared<std::weak_ptr<Channel>>();
    auto channel = std::make_shared<Channel>(channel_, loops_, [this, self](std::size_t loop) {
        if (auto alive = self->lock())
            executor_(loop, [alive, loop] { alive->shard(loop).drain_inbox(); });
    });
    *self = channel;
    if (ended_) channel->end();
    if (closed_) channel->close();
    return channel;
}

std::shared_ptr<Channel> Channels::find(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const auto found = channels_.find(name);
    return found == channels_.end() ? nullptr : found->second;
}

std::shared_ptr<Channel> Channels::open(std::string_view name) {
    const std::lock_guard lock(mutex_);
    if (const auto found = channels_.find(name); found != channels_.end()) {
        found->second->touch(Clock::now());
        return found->second;
    }
    if (name.size() > options_.max_name_bytes) return nullptr;
    if (channels_.size() >= options_.max_channels) {
        // A channel without events that nobody holds has nothing to lose: it makes room.
        std::erase_if(channels_, [](const auto& entry) {
            return entry.second.use_count() == 1 && entry.second->counts().events == 0;
        });
    }
    if (channels_.size() >= options_.max_channels) return nullptr;
    return channels_.emplace(name, create()).first->second;
}

void Channels::forget_idle(Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    // A use count of one: no subscriber, no publisher, no batch in flight.
    std::erase_if(channels_, [&](const auto& entry) {
        const auto& channel = entry.second;
        const bool idle = channel.use_count() == 1 && channel->touched() + options_.idle <= now;
        if (idle) forgotten_.add_past(channel->counts());
        return idle;
    });
    total_bytes_.store(total_history_bytes(), std::memory_order_relaxed);
}

std::size_t Channels::total_history_bytes() const {
    std::size_t bytes = 0;
    for (const auto& [name, channel] : channels_) bytes += channel->counts().history_bytes;
    return bytes;
}

bool Channels::make_room(std::size_t bytes) {
    const auto most = std::max(options_.max_total_history_bytes, channel_.history.max_bytes);
    if (total_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= most) return true;
    const std::lock_guard lock(mutex_);
    auto total = total_history_bytes() + bytes; // histories have let go of events since
    std::vector<decltype(channels_)::iterator> unused;
    for (auto it = channels_.begin(); total > most && it != channels_.end(); ++it) {
        if (it->second.use_count() == 1) unused.push_back(it);
    }
    std::sort(unused.begin(), unused.end(), [](const auto& a, const auto& b) {
        return a->second->touched() < b->second->touched();
    });
    for (auto it = unused.begin(); total > most && it != unused.end(); ++it) {
        const auto counts = (*it)->second->counts();
        total -= std::min<std::size_t>(total, counts.history_bytes);
        forgotten_.add_past(counts);
        channels_.erase(*it);
    }
    const bool room = total <= most || channels_.size() == 1; // one history bounds itself
    total_bytes_.store(room ? total : total - bytes, std::memory_order_relaxed);
    return room;
}

std::vector<std::pair<std::string, std::shared_ptr<Channel>>> Channels::all() const {
    const std::lock_guard lock(mutex_);
    return {channels_.begin(), channels_.end()};
}

std::vector<std::pair<std::string, ChannelCounts>> Channels::by_channel() const {
    std::vector<std::pair<std::string, ChannelCounts>> out;
    for (const auto& [name, channel] : all()) out.emplace_back(name, channel->counts());
    return out;
}

ChannelCounts Channels::counts() const {
    const std::lock_guard lock(mutex_);
    auto sum = forgotten_;
    for (const auto& [name, channel] : channels_) sum.add(channel->counts());
    return sum;
}

void Channels::end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    for (const auto& [name, channel] : channels_) channel->end();
}

void Channels::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (const auto& [name, channel] : channels_) channel->close();
}

} // namespace sse
