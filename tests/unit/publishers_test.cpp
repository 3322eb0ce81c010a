#include "hub/publishers.hpp"

#include "unit/catch2.hpp"

namespace {

/// The data of what is in the history of a channel, in its order.
std::string held(sse::Channels& channels, const char* name) {
    const auto channel = channels.find(name);
    if (!channel) return "none";
    channel->shard(0).drain_inbox();
    const auto& history = channel->shard(0).history();
    std::string all;
    for (auto at = history.begin(); at < history.end(); ++at)
        all.append(history.id(at)).append(" ");
    return all;
}

} // namespace

TEST_CASE("Events are in the order of their source, however their channel is named") {
    struct Row {
        const char* main;
        std::vector<const char*> names; ///< of the first event's channel, and so on
        const char *of_main, *of_other;
    };
    const Row rows[] = {
        {"/", {"", "/", ""}, "0 1 2 ", "none"},
        {"/a", {"", "a", "", "/a", ""}, "0 1 2 3 4 ", "none"},
        {"/", {"", "other", "/", "/other", ""}, "0 2 4 ", "1 3 "},
    };
    for (const auto& row : rows) {
        sse::Channels channels({}, 1, [](std::size_t, const auto&) {});
        sse::Publishers publishers(channels, row.main);
        int id = 0;
        for (const auto* name : row.names) {
            publishers.select(name);
            publishers.current().add({"message", "x", std::to_string(id++)});
        }
        publishers.flush();
        CHECK(held(channels, row.main) == row.of_main);
        CHECK(held(channels, "/other") == row.of_other);
    }
}
