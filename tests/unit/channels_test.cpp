#include "hub/channels.hpp"
#include "unit/catch2.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

/// Channels and their one loop, which runs when it is told to.
struct Hub {
    Hub(sse::ChannelOptions channel, sse::ChannelsOptions options)
        : channels(
              channel, 1,
              [this](std::size_t, std::function<void()> action) {
                  actions.push_back(std::move(action));
              },
              options) {}
    void publish(const std::string& name, std::size_t bytes) {
        const auto channel = channels.open(name);
        REQUIRE(channels.make_room(bytes));
        sse::Batch batch;
        const std::string data(bytes, 'x');
        batch.add({"message", data, std::nullopt});
        REQUIRE(channel->publish(std::move(batch)));
        run();
    }
    void run() {
        for (const auto& action : std::exchange(actions, {})) action();
    }

    std::vector<std::function<void()>> actions;
    sse::Channels channels;
};

} // namespace

TEST_CASE("the histories of all channels have one bound: the longest unused channel goes first") {
    sse::ChannelOptions channel;
    channel.history.max_bytes = 10'000;
    sse::ChannelsOptions options;
    options.max_total_history_bytes = 30'000;
    Hub hub(channel, options);
    const auto held = hub.channels.open("/held"); // as a subscriber holds it
    hub.publish("/held", 9'000);
    hub.publish("/old", 9'000);
    hub.publish("/new", 9'000);
    CHECK(hub.channels.make_room(1'000));
    CHECK(hub.channels.find("/old"));
    CHECK(hub.channels.make_room(9'000));
    CHECK(!hub.channels.find("/old"));
    CHECK(hub.channels.find("/new"));
    CHECK(hub.channels.find("/held"));
    hub.publish("/more", 9'000);
    const auto also = hub.channels.open("/new"), more = hub.channels.open("/more");
    CHECK(!hub.channels.make_room(9'000)); // all are read
    CHECK(!hub.channels.make_room(9'000));
    CHECK(hub.channels.make_room(1'000));
    CHECK(hub.channels.counts().events == 4); // the totals keep what was removed
}

TEST_CASE("one channel may have its own history, however small the bound of all") {
    sse::ChannelOptions channel;
    channel.history.max_bytes = 10'000;
    sse::ChannelsOptions options;
    options.max_total_history_bytes = 1;
    Hub hub(channel, options);
    for (int i = 0; i < 20; ++i) {
        hub.publish("/", 900);
    }
}
