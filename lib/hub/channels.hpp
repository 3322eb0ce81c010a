// The channels of a server, by name.
#pragma once

#include "hub/channel.hpp"
#include "hub/counts.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

struct ChannelsOptions {
    /// Channels that publishers opened at one time; so many more may exist that are only read.
    std::size_t max_channels = 1'000;
    /// A channel without subscribers and publications for this long is removed with its history.
    std::chrono::milliseconds idle{600'000};
    /// Bytes of the histories of all channels together; never less than one channel may have.
    /// Beyond it the channels that nobody reads are removed, the longest unused first.
    std::size_t max_total_history_bytes = std::size_t{1} << 30;
    /// Bytes of a channel's name.
    std::size_t max_name_bytes = 1'024;
};

/// Creates channels on demand and removes idle ones. Thread-safe.
class Channels : public CountsSource {
public:
    using Clock = std::chrono::steady_clock;
    using Executor = LoopExecutor;

    /// `executor` is used from the first publication on, and must remain valid until the last.
    Channels(ChannelOptions channel, std::size_t loops, Executor executor,
             ChannelsOptions options = {});

    /// Every channel is one of `log`, which must outlive the last of them. Before the first is
    /// opened.
    void use_log(Log& log);

    /// Every channel calls `hooks`. Before the first is opened.
    void use_hooks(WakeHooks hooks) {
        hooks_ = std::make_shared<const WakeHooks>(std::move(hooks));
    }

    enum class Use { read, publish };
    /// The channel of that name, created if there is none. nullptr if the name is too long, or if
    /// there is no room: for a publisher, `max_channels` were opened to publish; for a reader,
    /// there are as many channels of any kind; and none of them is both unused and empty.
    std::shared_ptr<Channel> open(std::string_view name, Use use = Use::publish);
    /// The channel of that name, or nullptr.
    std::shared_ptr<Channel> find(std::string_view name) const;
    /// Removes the channels that have been idle, and returns their memory to the system. A channel
    /// that a caller holds is not idle.
    void forget_idle(Clock::time_point now);
    /// Called before `bytes` are published on a loop's thread. False if the histories of all
    /// channels together would pass their bound, and those that are read hold most of it.
    bool make_room(std::size_t bytes);
    /// All channels, sorted by name.
    std::vector<std::pair<std::string, std::shared_ptr<Channel>>> all() const;

    ChannelCounts counts() const override;
    std::vector<std::pair<std::string, ChannelCounts>> by_channel() const override;
    std::optional<LogCounts> log_counts() const override;
    /// Calls begin_loading() and on_full(action) on every channel, now and on those created until
    /// end_loading(). Before anything is published.
    void begin_loading(std::function<void()> on_full);
    void end_loading();
    /// Calls end() on every channel, now and on those created later.
    void end();
    /// Calls close() on every channel, now and on those created later.
    void close();

private:
    /// A channel, and whether it was opened to publish. Channels that were only opened to read
    /// count against each other, and take no place from those with a publisher.
    struct Entry {
        std::shared_ptr<Channel> channel;
        bool published = false;
        bool unused() const { return channel.use_count() == 1 && channel->counts().events == 0; }
    };
    bool has_room(Use use);
    std::shared_ptr<Channel> create(std::string_view name);
    std::size_t total_history_bytes() const;

    const ChannelOptions channel_;
    const std::size_t loops_;
    const Executor executor_;
    const ChannelsOptions options_;
    Log* log_ = nullptr;
    std::shared_ptr<const WakeHooks> hooks_;    ///< nullptr: none
    std::vector<std::unique_ptr<Pages>> pages_; ///< by loop, with a log
    mutable std::mutex mutex_;                  ///< guards what follows
    std::map<std::string, Entry, std::less<>> channels_;
    ChannelCounts forgotten_; ///< totals of the channels that were removed
    bool loading_ = false, ended_ = false, closed_ = false;
    std::function<void()> on_full_;
    /// Bytes of all histories at the last count, and those that make_room() has granted since.
    std::atomic<std::size_t> total_bytes_{0};
};

} // namespace sse
