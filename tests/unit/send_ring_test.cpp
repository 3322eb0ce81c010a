#include "net/send_ring.hpp"

#include "base/descriptor.hpp"
#include "base/posix.hpp"
#include "unit/catch2.hpp"

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace {

struct Pair {
    Pair() {
        int made[2];
        if (!sse::make_socket_pair(made, true)) throw std::runtime_error("no socket pair");
        ours = sse::Descriptor(made[0]);
        peer = sse::Descriptor(made[1]);
    }
    std::string read() const {
        std::string all;
        std::array<char, 65536> buffer;
        for (;;) {
            const auto got = ::recv(peer.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (got <= 0) return all;
            all.append(buffer.data(), static_cast<std::size_t>(got));
        }
    }
    sse::Descriptor ours, peer;
};

std::unique_ptr<sse::SendRing> ring(std::size_t fewest = 1) {
    if (!sse::SendRing::support().available) {
        CHECK_FALSE(sse::SendRing::support().reason.empty());
        CHECK(sse::SendRing::open(1) == nullptr);
    }
    return sse::SendRing::open(fewest);
}

} // namespace

TEST_CASE("What a ring sends arrives at each socket whole, however many there are") {
    const auto sends = ring();
    if (!sends) return;
    sse::raise_descriptor_limit();
    const std::size_t count = 2 * sse::SendRing::most + 3;
    const std::vector<Pair> pairs(count);
    for (int round = 0; round < 3; ++round) {
        std::vector<std::string> texts;
        std::vector<sse::SendRing::Item> items;
        for (std::size_t i = 0; i < count; ++i)
            texts.push_back("event " + std::to_string(i) + std::string(i, 'x'));
        for (std::size_t i = 0; i < count; ++i) items.push_back({pairs[i].ours.get(), texts[i]});
        sends->send(items);
        for (std::size_t i = 0; i < count; ++i) {
            CHECK(items[i].sent.bytes == texts[i].size());
            CHECK((!items[i].sent.again && !items[i].sent.closed));
            CHECK(pairs[i].read() == texts[i]);
        }
    }
}

TEST_CASE("A ring tells which socket took a part, which none, and which is closed") {
    const auto sends = ring();
    if (!sends) return;
    const Pair good, small, full, gone;
    const int room = 1;
    const std::string large(1 << 20, 'x'), text = "event";
    for (const auto* pair : {&small, &full})
        ::setsockopt(pair->ours.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    while (!sse::send_some(full.ours.get(), std::array<std::string_view, 1>{large}).again) {
    }
    ::shutdown(gone.ours.get(), SHUT_RDWR);
    std::array<sse::SendRing::Item, 5> items{sse::SendRing::Item{good.ours.get(), text},
                                             {small.ours.get(), large},
                                             {full.ours.get(), text},
                                             {gone.ours.get(), text},
                                             {-1, text}};
    sends->send(items);
    CHECK(items[0].sent.bytes == text.size());
    CHECK(items[1].sent.bytes > 0);
    CHECK(items[1].sent.bytes < large.size());
    CHECK(small.read().size() == items[1].sent.bytes);
    CHECK((items[2].sent.bytes == 0 && items[2].sent.again));
    CHECK((items[3].sent.closed && items[3].sent.error == EPIPE));
    CHECK((items[4].sent.closed && items[4].sent.error == EBADF));
}

TEST_CASE("Fewer items than a ring is worth are sent one by one, with the same results") {
    const auto sends = ring(4);
    if (!sends) return;
    const Pair pair, gone;
    ::shutdown(gone.ours.get(), SHUT_RDWR);
    std::array<sse::SendRing::Item, 2> items{sse::SendRing::Item{pair.ours.get(), "event"},
                                             {gone.ours.get(), "event"}};
    sends->send(items);
    CHECK(items[0].sent.bytes == 5);
    CHECK((items[1].sent.closed && items[1].sent.error == EPIPE));
    CHECK(pair.read() == "event");
}
