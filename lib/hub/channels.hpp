// The channels of a server, by name. Not a router: a name is whatever the caller makes of a path.
#pragma once

#include "hub/activity.hpp"
#include "hub/channel.hpp"

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
    /// Channels at a time: each name that a client asks for costs a history.
    std::size_t max_channels = 1'000;
    /// One that nobody reads and nobody has published to for so long is forgotten, with its
    /// history.
    std::chrono::milliseconds idle{600'000};
    /// Bytes of a name.
    std::size_t max_name_bytes = 1'024;
};

/// Any thread.
class Channels : public Activity {
public:
    using Clock = std::chrono::steady_clock;
    /// See Channel: must have `channel->shard(loop).take()` called on that loop's thread soon.
    using Wake = std::function<void(const std::shared_ptr<Channel>& channel, std::size_t loop)>;

    Channels(ChannelOptions channel, std::size_t loops, Wake wake, ChannelsOptions options = {});

    /// The channel of that name, made if there is none; nullptr if there are too many, or the name
    /// is too long. One that nobody has and nothing was published to makes room for another.
    std::shared_ptr<Channel> open(std::string_view name);
    /// The same, nullptr if there is none.
    std::shared_ptr<Channel> find(std::string_view name) const;
    /// Forgets those that have been idle; `open` ones that callers hold live on without their name.
    void forget_idle(Clock::time_point now);
    /// All there are now, in the order of their names.
    std::vector<std::pair<std::string, std::shared_ptr<Channel>>> all() const;

    ChannelCounts counts() const override;
    std::vector<std::pair<std::string, ChannelCounts>> each() const override;
    /// Nothing will be published any more, to any of them, or to one made later.
    void end();
    /// Lets waiting publishers go, and refuses what they had.
    void close();

private:
    std::shared_ptr<Channel> make();

    const ChannelOptions channel_;
    const std::size_t loops_;
    const Wake wake_;
    const ChannelsOptions options_;
    mutable std::mutex mutex_; ///< guards what follows
    std::map<std::string, std::shared_ptr<Channel>, std::less<>> channels_;
    ChannelCounts forgotten_; ///< what happened in those that are no more
    bool ended_ = false, closed_ = false;
};

} // namespace sse
