#include "net/socket_watch.hpp"

#include "base/descriptor.hpp"
#include "base/posix.hpp"
#include "unit/catch2.hpp"

#include <array>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <functional>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

using namespace sse;

namespace {

struct Pair {
    Descriptor ours, peer;

    Pair() {
        int ends[2];
        REQUIRE(make_socket_pair(ends, true));
        ours = Descriptor(ends[0]);
        peer = Descriptor(ends[1]);
    }
};

struct Watched final : SocketWatch::Owner {
    Watched(SocketWatch& its_watch, int its_fd)
        : watch(its_watch)
        , fd(its_fd) {}
    ~Watched() { want({}); }

    void want(Readiness wanted) {
        REQUIRE(watch.change(fd, *this, std::exchange(now, wanted), wanted));
    }
    void on_ready(Readiness ready) override {
        ++calls;
        last = ready;
        if (then) then();
    }

    SocketWatch& watch;
    int fd;
    Readiness now, last;
    int calls = 0;
    std::function<void()> then;
};

/// What the loop has to do now.
void run(asio::io_context& loop) {
    loop.restart();
    for (int turn = 0; turn < 8; ++turn) loop.poll_one();
}

constexpr Readiness to_read{true, false}, to_write{false, true};

} // namespace

TEST_CASE("a socket watch calls the owner while the socket is what it is watched for") {
    asio::io_context loop;
    SocketWatch watch(loop);
    Pair pair;
    Watched one(watch, pair.ours.get());

    one.want(to_read);
    run(loop);
    CHECK(one.calls == 0);

    REQUIRE(::write(pair.peer.get(), "x", 1) == 1);
    run(loop);
    CHECK(one.calls > 1); // it is not read
    CHECK(one.last.readable);
    CHECK_FALSE(one.last.writable);

    one.want(to_write);
    one.calls = 0;
    run(loop);
    CHECK(one.calls > 0);
    CHECK(one.last.writable);
    CHECK_FALSE(one.last.readable);

    one.want({});
    one.calls = 0;
    run(loop);
    CHECK(one.calls == 0);

    one.want(to_read);
    run(loop);
    CHECK(one.calls > 0);
}

TEST_CASE("a socket whose peer has gone is ready, but only if it is watched") {
    asio::io_context loop;
    SocketWatch watch(loop);
    Pair pair;
    Watched one(watch, pair.ours.get());
    one.want(to_read);
    one.want({});
    pair.peer = Descriptor();
    run(loop);
    CHECK(one.calls == 0);

    one.then = [&] { one.want({}); };
    one.want(to_read);
    run(loop);
    CHECK(one.calls == 1);
    CHECK(one.last.readable);
    one.want(to_write);
    run(loop);
    CHECK(one.calls == 2);
    CHECK(one.last.writable);
}

TEST_CASE("a watch that another owner ends in the same turn calls nobody") {
    asio::io_context loop;
    SocketWatch watch(loop);
    std::array<Pair, 3> pairs;
    std::array<std::unique_ptr<Watched>, 3> owners;
    int called = 0;
    for (std::size_t i = 0; i < owners.size(); ++i) {
        owners[i] = std::make_unique<Watched>(watch, pairs[i].ours.get());
        // The first one that is called destroys all others.
        owners[i]->then = [&owners, &called, i] {
            ++called;
            for (std::size_t other = 0; other < owners.size(); ++other) {
                if (other != i) owners[other].reset();
            }
            owners[i]->want({});
        };
        owners[i]->want(to_read);
        REQUIRE(::write(pairs[i].peer.get(), "x", 1) == 1);
    }
    run(loop);
    CHECK(called == 1);
}

TEST_CASE("watched sockets leave the loop turns for everything else") {
    asio::io_context loop;
    SocketWatch watch(loop);
    Pair pair;
    Watched one(watch, pair.ours.get());
    one.want(to_write); // all the time
    bool posted = false;
    run(loop);
    asio::post(loop, [&] { posted = true; });
    run(loop);
    CHECK(posted);
    CHECK(one.calls > 1);
}
