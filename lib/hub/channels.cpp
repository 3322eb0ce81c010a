#include "hub/channels.hpp"

#include "base/free_memory.hpp"

#include <algorithm>
#include <utility>

namespace sse {

Channels::Channels(ChannelOptions channel, std::size_t loops, Executor executor,
                   ChannelsOptions options)
    : channel_(channel)
    , loops_(loops)
    , executor_(std::move(executor))
    , options_(options) {}

void Channels::use_log(Log& log) {
    log_ = &log;
    for (std::size_t loop = 0; loop < loops_; ++loop)
        pages_.push_back(std::make_unique<Pages>(loop));
}

std::shared_ptr<Channel> Channels::create(std::string_view name) {
    // A weak pointer: the channel must not own itself through its callback.
    const auto self = std::make_shared<std::weak_ptr<Channel>>();
    auto channel = std::make_shared<Channel>(channel_, loops_, [this, self](std::size_t loop) {
        if (auto alive = self->lock())
            executor_(loop, [alive, loop] { alive->shard(loop).drain_inbox(); });
    });
    *self = channel;
    channel->use_hooks(hooks_);
    if (log_) channel->use_log(*log_, name, pages_, executor_);
    channel->on_full(on_full_);
    if (loading_) channel->begin_loading();
    if (ended_) channel->end();
    if (closed_) channel->close();
    return channel;
}

std::shared_ptr<Channel> Channels::find(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const auto found = channels_.find(name);
    return found == channels_.end() ? nullptr : found->second.channel;
}

std::shared_ptr<Channel> Channels::open(std::string_view name, Use use) {
    const std::lock_guard lock(mutex_);
    const bool publishes = use == Use::publish;
    auto found = channels_.find(name);
    if (found == channels_.end()) {
        if (name.size() > options_.max_name_bytes || !has_room(use)) return nullptr;
        found = channels_.emplace(name, Entry{create(name), publishes}).first;
    } else if (publishes && !found->second.published) {
        const auto channel = found->second.channel; // held, so that it is not removed to make room
        if (!has_room(use)) return nullptr;
        found->second.published = true;
    }
    found->second.channel->touch(Clock::now());
    return found->second.channel;
}

bool Channels::has_room(Use use) {
    const auto fits = [&] {
        if (use == Use::read) return channels_.size() < options_.max_channels;
        const auto published = std::count_if(channels_.begin(), channels_.end(),
                                             [](const auto& it) { return it.second.published; });
        return static_cast<std::size_t>(published) < options_.max_channels;
    };
    if (fits()) return true;
    // A channel without events that nobody holds has nothing to lose: it makes room.
    std::erase_if(channels_, [](const auto& it) { return it.second.unused(); });
    return fits();
}

void Channels::forget_idle(Clock::time_point now) {
    {
        const std::lock_guard lock(mutex_);
        // A use count of one: no subscriber, no publisher, no batch in flight.
        const auto removed = std::erase_if(channels_, [&](const auto& it) {
            const auto& channel = it.second.channel;
            const bool idle = channel.use_count() == 1 && channel->touched() + options_.idle <= now;
            if (idle) forgotten_.add_past(channel->counts());
            return idle;
        });
        total_bytes_.store(total_history_bytes(), std::memory_order_relaxed);
        if (removed == 0) return;
    }
    release_free_memory();
}

std::size_t Channels::total_history_bytes() const {
    std::size_t bytes = 0;
    for (const auto& [name, entry] : channels_) bytes += entry.channel->counts().history_bytes;
    return bytes;
}

bool Channels::make_room(std::size_t bytes) {
    const auto most = std::max(options_.max_total_history_bytes, channel_.history.max_bytes);
    if (total_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= most) return true;
    const std::lock_guard lock(mutex_);
    auto total = total_history_bytes() + bytes; // histories have let go of events since
    std::vector<decltype(channels_)::iterator> unused;
    for (auto it = channels_.begin(); total > most && it != channels_.end(); ++it) {
        if (it->second.channel.use_count() == 1) unused.push_back(it);
    }
    std::sort(unused.begin(), unused.end(), [](const auto& a, const auto& b) {
        return a->second.channel->touched() < b->second.channel->touched();
    });
    for (auto it = unused.begin(); total > most && it != unused.end(); ++it) {
        const auto counts = (*it)->second.channel->counts();
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
    std::vector<std::pair<std::string, std::shared_ptr<Channel>>> out;
    for (const auto& [name, entry] : channels_) out.emplace_back(name, entry.channel);
    return out;
}

std::optional<LogCounts> Channels::log_counts() const {
    return log_ ? std::optional(log_->counts()) : std::nullopt;
}

std::vector<std::pair<std::string, ChannelCounts>> Channels::by_channel() const {
    std::vector<std::pair<std::string, ChannelCounts>> out;
    for (const auto& [name, channel] : all()) out.emplace_back(name, channel->counts());
    return out;
}

ChannelCounts Channels::counts() const {
    const std::lock_guard lock(mutex_);
    auto sum = forgotten_;
    for (const auto& [name, entry] : channels_) sum.add(entry.channel->counts());
    return sum;
}

void Channels::begin_loading(std::function<void()> on_full) {
    const std::lock_guard lock(mutex_);
    loading_ = true;
    on_full_ = std::move(on_full);
    for (const auto& [name, entry] : channels_) {
        entry.channel->on_full(on_full_);
        entry.channel->begin_loading();
    }
}

void Channels::end_loading() {
    const std::lock_guard lock(mutex_);
    loading_ = false;
    for (const auto& [name, entry] : channels_) entry.channel->end_loading();
}

void Channels::end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    for (const auto& [name, entry] : channels_) entry.channel->end();
}

void Channels::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (const auto& [name, entry] : channels_) entry.channel->close();
}

} // namespace sse
