// Streams that are sent together, with every way to send: the bytes, and what follows from them,
// are the same.
#include "net/socket.hpp"
#include "unit/catch2.hpp"
#include "unit/connection_rig.hpp"

namespace {

struct Crowd {
    Crowd(sse::SendIo io, std::size_t count)
        : rig(options(io)) {
        for (std::size_t i = 0; i < count; ++i) {
            clients.push_back(rig.connect());
            const auto head = rig.exchange(clients[i], test::request("GET /stream"));
            REQUIRE(head.starts_with("HTTP/1.1 200 "));
            scripts.push_back(rig.handler.script);
        }
    }
    static sse::ServerOptions options(sse::SendIo io) {
        sse::ServerOptions made;
        made.io = io;
        return made;
    }
    void give(std::string_view bytes) {
        for (auto& script : scripts) script->pending.append(bytes);
    }
    void wake_all() {
        rig.loop.sends.begin();
        for (auto& script : scripts) {
            if (!script->destroyed) script->wake();
        }
        rig.loop.sends.end();
    }
    test::ConnectionRig rig;
    std::vector<test::ConnectionRig::Client> clients;
    std::vector<std::shared_ptr<test::FeedScript>> scripts;
};

auto ways() { return GENERATE(sse::SendIo::send, sse::SendIo::automatic, sse::SendIo::uring); }

} // namespace

TEST_CASE("Streams that are sent together are sent all that there is, and all ends follow") {
    const auto way = ways();
    const auto count = GENERATE(std::size_t{1}, std::size_t{5}, sse::SendRing::most + 2);
    CAPTURE(static_cast<int>(way), count);
    sse::raise_descriptor_limit();
    Crowd crowd(way, count);
    for (int round = 0; round < 2; ++round) {
        crowd.give("5\r\nevent\r\n");
        crowd.wake_all();
        for (const auto& client : crowd.clients) CHECK(client.read() == "5\r\nevent\r\n");
    }
    CHECK(crowd.rig.loop.counts.bytes.get() > 2 * count * 10);
    for (auto& script : crowd.scripts) script->ended = true;
    crowd.give("4\r\nlast\r\n");
    crowd.wake_all();
    crowd.rig.run();
    for (const auto& client : crowd.clients) CHECK(client.read() == "4\r\nlast\r\n0\r\n\r\n|");
}

TEST_CASE("Of streams that are sent together, each that is cut, closed or slow is so alone") {
    const auto way = ways();
    CAPTURE(static_cast<int>(way));
    Crowd crowd(way, 6);
    const std::string large(8 << 20, 'x');
    crowd.scripts[1]->pending = large; // more than the socket takes
    crowd.scripts[2]->cut = sse::Feed::Cut::close;
    crowd.clients[3].fd = sse::Descriptor(); // closed by the client
    for (const std::size_t i : {0U, 2U, 3U, 5U}) crowd.scripts[i]->pending = "event";
    crowd.wake_all(); // the fourth has nothing
    CHECK(crowd.clients[0].read() == "event");
    CHECK(crowd.clients[2].read() == "|");
    CHECK(crowd.clients[4].read().empty());
    CHECK(crowd.clients[5].read() == "event");
    CHECK(crowd.rig.ended(sse::EndReason::client_closed) == 1);
    CHECK(crowd.rig.ended(sse::EndReason::aborted) == 1);
    CHECK(crowd.scripts[1]->pending.size() < large.size());

    crowd.scripts[1]->pending.append("end"); // it waits for its socket, and for nobody's wake
    crowd.wake_all();
    std::string all;
    while (all.size() < large.size() + 3) {
        const auto more = crowd.clients[1].read();
        REQUIRE((!more.empty() || all.empty()));
        all += more;
        crowd.rig.run();
    }
    CHECK(all == large + "end");
    crowd.scripts[0]->pending = "again";
    crowd.wake_all();
    CHECK(crowd.clients[0].read() == "again");
}

TEST_CASE("A server uses io_uring unless it is told not to, where it can") {
    const auto way = ways();
    const test::ConnectionRig rig(Crowd::options(way));
    const bool able = sse::SendRing::support().available;
    CHECK(rig.loop.sends.uses_ring() == (able && way != sse::SendIo::send));
}
