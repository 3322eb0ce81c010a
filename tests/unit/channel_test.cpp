#include "hub/channel.hpp"
#include "hub/pages.hpp"
#include "unit/catch2.hpp"
#include "unit/recording_sink.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <fmt/format.h>
#include <mutex>
#include <thread>

using namespace std::chrono_literals;

namespace {

/// A channel and the loops' side of it: take() is called on this thread, as each loop is woken.
struct Hub {
    Hub(sse::ChannelOptions options, std::size_t loops = 1)
        : channel(options, loops, [this](std::size_t loop) {
            const std::lock_guard lock(mutex);
            woken.push_back(loop);
            change.notify_all();
        }) {}

    /// Until no loop has been woken; true if one was.
    bool settle() {
        bool any = false;
        for (auto loop = next(0s); loop; loop = next(0s)) {
            channel.shard(*loop).drain_inbox();
            any = true;
        }
        return any;
    }
    /// The same, but first waits for one.
    bool wait_and_settle() {
        const auto loop = next(240s); // else nothing comes
        if (loop) channel.shard(*loop).drain_inbox();
        return settle() || loop;
    }
    std::optional<std::size_t> next(std::chrono::seconds timeout) {
        std::unique_lock lock(mutex);
        if (!change.wait_for(lock, timeout, [&] { return !woken.empty(); })) return std::nullopt;
        const auto loop = woken.front();
        woken.pop_front();
        return loop;
    }
    /// Publishes the data `from` to `to`, each in a batch of its own; its id is its data.
    void publish(int from, int to) {
        for (int i = from; i <= to; ++i) {
            sse::Batch batch;
            const auto text = std::to_string(i);
            batch.add({"message", text, std::string_view(text)});
            REQUIRE(channel.publish(std::move(batch)));
        }
    }

    std::mutex mutex;
    std::condition_variable change;
    std::deque<std::size_t> woken;
    sse::Channel channel;
};

/// A subscriber's socket: takes as many bytes as it is told to.
struct Reader {
    Reader(Hub& hub, std::size_t loop = 0, std::string_view last_id = "",
           sse::Framing how = sse::Framing::chunked)
        : Reader(hub.channel.shard(loop), last_id, how) {}
    explicit Reader(sse::Shard& shard, std::string_view last_id = "",
                    sse::Framing how = sse::Framing::chunked)
        : subscriber(shard, how, last_id)
        , framing(how) {}

    /// Takes at most `bytes`; returns how many there were.
    std::size_t read(std::size_t bytes = std::string::npos, std::size_t width = 8) {
        const auto before = wire.size();
        while (bytes > 0) {
            std::vector<std::string_view> views(width);
            const auto count = subscriber.gather(views);
            std::size_t taken = 0;
            for (std::size_t i = 0; i < count && bytes > 0; ++i) {
                const auto piece = views[i].substr(0, bytes);
                wire.append(piece);
                taken += piece.size();
                bytes -= piece.size();
            }
            if (taken == 0) break;
            subscriber.consume(taken);
        }
        return wire.size() - before;
    }
    /// All events that were read, as RecordingSink writes them: `message(1)#1message(2)#2`.
    std::string received() const {
        test::RecordingSink sink;
        sse::Parser parser(sink);
        if (framing == sse::Framing::close_delimited) {
            parser.feed(wire);
            return sink.text;
        }
        sse::ChunkedDecoder decoder;
        std::string_view rest = wire;
        while (!rest.empty()) parser.feed(decoder.next(rest)); // throws if the framing is broken
        return sink.text;
    }

    sse::Subscriber subscriber;
    sse::Framing framing;
    std::string wire;
};

std::string events(int from, int to) {
    std::string text;
    for (int i = from; i <= to; ++i) text += fmt::format("message({0})#{0}", i);
    return text;
}

sse::ChannelOptions keeping(std::size_t max_events, sse::Overflow overflow = sse::Overflow::block) {
    sse::ChannelOptions options;
    options.history.max_events = max_events;
    options.overflow = overflow;
    return options;
}

const sse::Framing framings[] = {sse::Framing::chunked, sse::Framing::close_delimited};

} // namespace

TEST_CASE("A subscriber begins where it asks to") {
    struct Row {
        const char* what;
        sse::Start start;
        std::string last_id;
        std::string events;
        bool gap;
    };
    using At = sse::Start::At;
    const Row rows[] = {
        {"at the oldest", {}, "", events(3, 6), false},
        {"at the newest", {At::newest}, "", "", false},
        {"at the last two", {At::last, 2}, "", events(5, 6), false},
        {"at more than there are", {At::last, 20}, "", events(3, 6), false},
        {"after an id", {}, "4", events(5, 6), false},
        {"after the last id", {}, "6", "", false},
        {"after an id that is gone", {}, "2", events(3, 6), true},
        {"after an id that never was", {}, "x", events(3, 6), true},
        {"an id counts more than the start", {At::newest}, "3", events(4, 6), false},
        {"a gap as well", {At::newest}, "x", events(3, 6), true},
    };
    for (const auto& row : rows) {
        for (const auto framing : framings) {
            INFO(row.what);
            auto options = keeping(4, sse::Overflow::drop);
            options.start = row.start;
            Hub hub(options);
            hub.publish(1, 6);
            hub.settle();
            Reader reader(hub, 0, row.last_id, framing);
            CHECK(reader.subscriber.gap() == row.gap);
            reader.read();
            CHECK(reader.received() == row.events);
        }
    }
}

TEST_CASE("block: the input does not wait for what nobody here asks for") {
    Hub hub(keeping(4));
    hub.publish(1, 6);
    hub.settle();
    CHECK(hub.channel.shard(0).history().end() == 4); // nobody has had the first
    Reader reader(hub, 0, "4");
    hub.settle();
    reader.read();
    hub.settle();
    reader.read();
    CHECK(reader.received() == events(5, 6));
}

TEST_CASE("block: where clients start at the end, the input goes on without any") {
    auto options = keeping(4);
    for (const auto& start :
         {sse::Start{sse::Start::At::newest, 0}, sse::Start{sse::Start::At::last, 2}}) {
        options.start = start;
        Hub hub(options, 2);
        hub.publish(1, 20);
        hub.settle();
        for (std::size_t loop : {0U, 1U}) CHECK(hub.channel.shard(loop).history().end() == 20);
        {
            Reader reader(hub, 0, "");
            reader.read();
            CHECK(reader.received() == events(21 - static_cast<int>(start.count), 20));
            hub.publish(21, 30); // now it waits for this client
            hub.settle();
            CHECK(hub.channel.shard(0).history().end() == 24);
        }
        hub.settle(); // and no longer
        for (std::size_t loop : {0U, 1U}) CHECK(hub.channel.shard(loop).history().end() == 30);
    }
}

TEST_CASE("A last event ID is looked for in what is being loaded") {
    struct Row {
        const char* what;
        std::string last_id;
        std::string events;
        bool gap;
    };
    for (const auto& row :
         {Row{"far ahead", "28", events(29, 30), false}, Row{"the last one", "30", "", false},
          Row{"not in it", "x",
              ": gap: the last event ID is not in the history; the stream starts at the oldest "
              "event;" +
                  events(27, 30),
              true}}) {
        CAPTURE(row.what);
        Hub hub(keeping(4), 2);
        int full = 0;
        hub.channel.on_full([&] { ++full; });
        hub.channel.begin_loading();
        hub.publish(1, 30);
        hub.settle();
        CHECK(hub.channel.shard(0).history().end() == 4);
        CHECK(full > 0);
        Reader reader(hub, 1, row.last_id);
        hub.settle();
        CHECK(reader.subscriber.seeking() == row.gap); // it may still come
        hub.channel.end_loading();
        hub.settle();
        CHECK_FALSE(reader.subscriber.seeking());
        CHECK(reader.subscriber.gap() == row.gap);
        reader.read();
        CHECK(reader.received() == row.events);
    }
}

TEST_CASE("A client that holds the others up is charged with the time, and disconnected") {
    auto options = keeping(4);
    options.max_hold_up = 1'000ms;
    Hub hub(options);
    Reader slow(hub, 0, ""), fast(hub, 0, "");
    auto& shard = hub.channel.shard(0);
    auto now = sse::Shard::Clock::now();
    const auto pass = [&](int ticks) {
        for (int i = 0; i < ticks; ++i) shard.tick(now += 100ms);
    };
    shard.tick(now);
    hub.publish(1, 4);
    hub.settle();
    fast.read();
    pass(100); // nothing waits
    CHECK_FALSE(slow.subscriber.overrun());
    hub.publish(5, 8);
    hub.settle();
    pass(9);
    slow.read(); // in time; the charge remains
    hub.settle();
    CHECK_FALSE(slow.subscriber.overrun());
    fast.read();
    hub.publish(9, 12);
    hub.settle();
    pass(3);
    CHECK(slow.subscriber.overrun());
    CHECK_FALSE(fast.subscriber.overrun());
}

TEST_CASE("A client is not charged where nobody waits for it") {
    auto options = keeping(4);
    options.max_hold_up = 1'000ms;
    Hub hub(options);
    Reader one(hub, 0, ""), other(hub, 0, "");
    auto now = sse::Shard::Clock::now();
    hub.publish(1, 8);
    hub.settle();
    for (int i = 0; i < 100; ++i) hub.channel.shard(0).tick(now += 100ms); // both are behind
    CHECK_FALSE((one.subscriber.overrun() || other.subscriber.overrun()));
}

TEST_CASE("The place before the first event has an ID") {
    auto options = keeping(4);
    options.start = {sse::Start::At::newest, 0};
    Hub hub(options);
    std::string id;
    {
        Reader reader(hub, 0, "");
        id = reader.subscriber.position_id();
        CHECK(id == hub.channel.start_id());
    }
    hub.publish(1, 3);
    hub.settle();
    {
        Reader reader(hub, 0, id);
        CHECK_FALSE(reader.subscriber.gap());
        reader.read();
        CHECK(reader.received() == events(1, 3));
        CHECK(reader.subscriber.position_id() == "3");
    }
    hub.publish(4, 9);
    hub.settle();
    Reader reader(hub, 0, id);
    CHECK(reader.subscriber.gap()); // the first events are gone
}

TEST_CASE("A loss is told by an event, too, where one is asked for") {
    for (const auto framing : framings) {
        auto options = keeping(4, sse::Overflow::drop);
        options.gap_event = "gap";
        Hub hub(options);
        hub.publish(1, 4);
        hub.settle();
        Reader reader(hub, 0, "", framing);
        reader.read(5); // the first event is under way
        hub.publish(5, 10);
        hub.settle();
        reader.read();
        // it has no id, so that who resumes goes on where it was
        CHECK(reader.received() ==
              "message(1)#1: missed 5 events;gap({\"missed\":5})" + events(7, 10));
    }
}

TEST_CASE("Every reader gets every event in order, however its socket takes them") {
    for (const auto framing : framings) {
        for (const std::size_t bytes : {1U, 2U, 3U, 7U, 50U, 10'000U}) {
            Hub hub(keeping(1000));
            Reader reader(hub, 0, "", framing);
            reader.subscriber.prepend("retry: 5\n\n");
            for (int i = 1; i < 40; i += 3) {
                hub.publish(i, i + 2);
                hub.settle();
                reader.read(bytes);
            }
            while (reader.read(bytes) > 0) {
            }
            CHECK(reader.received() == "retry=5;" + events(1, 39));
        }
    }
}

TEST_CASE("block: the publisher waits, and nothing is lost however small the history") {
    for (const std::size_t max_events : {1U, 2U, 5U, 100U}) {
        for (const std::size_t loops : {1U, 3U}) {
            auto options = keeping(max_events);
            options.max_in_flight = 64;
            Hub hub(options, loops);
            Reader slow(hub), fast(hub, loops - 1, "", sse::Framing::close_delimited);
            std::thread publisher([&] {
                sse::Publisher to(hub.channel);
                for (int i = 1; i <= 500; ++i) {
                    const auto text = std::to_string(i);
                    to.add({"message", text, std::string_view(text)});
                    if (i % 3 == 0) to.flush();
                }
                to.flush();
                hub.channel.end();
            });
            bool alive = true;
            while (alive && !(slow.subscriber.ended() && fast.subscriber.ended())) {
                hub.settle();
                const auto moved = slow.read(9) + fast.read();
                if (moved == 0) alive = hub.wait_and_settle();
                CHECK(hub.channel.shard(0).history().end() -
                          hub.channel.shard(0).history().begin() <=
                      std::max<std::size_t>(max_events, 1));
            }
            if (!alive) hub.channel.close();
            publisher.join();
            INFO(max_events << " events, " << loops << " loops");
            REQUIRE(alive);
            CHECK(slow.received() == events(1, 500));
            CHECK(fast.received() == events(1, 500));
            CHECK(slow.subscriber.missed() == 0);
        }
    }
}

TEST_CASE("block: with nobody there, what has never been had stays") {
    Hub hub(keeping(3));
    hub.publish(1, 5);
    hub.settle();
    CHECK(hub.channel.shard(0).history().end() == 3);
    {
        Reader reader(hub);
        reader.read();
        hub.settle();
        reader.read();
        CHECK(reader.received() == events(1, 5));
    }
    hub.publish(6, 9); // what somebody has had may go
    hub.settle();
    CHECK(hub.channel.shard(0).history().begin() == 5);
    CHECK(hub.channel.shard(0).history().end() == 8);
}

TEST_CASE("block: a reader that leaves no longer holds the others up") {
    Hub hub(keeping(3));
    Reader fast(hub);
    {
        Reader stalled(hub);
        hub.publish(1, 8);
        hub.settle();
        fast.read();
        hub.settle();
        CHECK(fast.received() == events(1, 3));
    }
    while (hub.settle()) fast.read();
    CHECK(fast.received() == events(1, 8));
}

TEST_CASE("block: what one loop's readers have had makes room in the others") {
    Hub hub(keeping(4), 2);
    Reader reader(hub, 0);
    hub.publish(1, 20);
    hub.channel.shard(1)
        .drain_inbox(); // it has no reader, and looks before anybody has had anything
    while (hub.settle()) reader.read();
    CHECK(reader.received() == events(1, 20));
    CHECK(hub.channel.shard(1).history().end() == 20);
}

TEST_CASE("A reader that comes to a loop that is behind resumes all the same") {
    Hub hub(keeping(4), 2);
    Reader ahead(hub, 0), stalled(hub, 1);
    hub.publish(1, 10);
    while (hub.settle()) ahead.read();
    REQUIRE(ahead.received() == events(1, 10));
    REQUIRE(hub.channel.shard(1).history().end() == 4);
    Reader back(hub, 1, "7"); // it has had 7 on loop 0
    CHECK_FALSE(back.subscriber.gap());
    CHECK(back.read() == 0);
    while (hub.settle() || stalled.read() > 0) back.read();
    back.read();
    CHECK(back.received() == events(8, 10));
    CHECK(stalled.received() == events(1, 10));
}

TEST_CASE("No reader has an event before every loop can resume after it") {
    std::thread loop_0;
    std::atomic<bool> had{false};
    bool early = false;
    sse::Channel channel({}, 2, [&](std::size_t loop) { // on the publisher's thread, before loop 1
        if (loop != 0 || loop_0.joinable()) return;
        loop_0 = std::thread([&] { channel.shard(0).drain_inbox(); });
        const auto deadline = std::chrono::steady_clock::now() + 100ms;
        while (!had && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
        early = had;
    });
    sse::Subscriber reader(channel.shard(0), sse::Framing::chunked, "");
    reader.on_wake([&] { had = true; });
    sse::Batch batch;
    batch.add({"message", "x", "7"});
    REQUIRE(channel.publish(std::move(batch)));
    loop_0.join();
    CHECK(had);
    CHECK_FALSE(early);
    CHECK(channel.shard(1).find("7"));
}

TEST_CASE("drop: the slow client skips ahead, is told so, and never gets half of an event") {
    for (const auto framing : framings) {
        for (std::size_t before = 0; before < 70; ++before) {     // where it stalls
            for (const std::size_t step : {1U, 5U, 30U, 1000U}) { // how it goes on
                Hub hub(keeping(4, sse::Overflow::drop));
                Reader reader(hub, 0, "", framing);
                hub.publish(1, 4);
                hub.settle();
                reader.read(before);
                hub.publish(5, 7);
                hub.settle();
                reader.read(step);
                hub.publish(8, 12);
                hub.settle();
                while (reader.read(step) > 0) {
                }
                INFO("stalled after " << before << " bytes, then took " << step);
                const auto received = reader.received();
                CHECK_THAT(received, ContainsSubstring(events(9, 12)));
                // Of 1 to 12 it has each once and in order, or was told that it has not.
                std::uint64_t had = 0, told = 0;
                for (std::size_t at = 0; (at = received.find("message(", at)) != received.npos;
                     ++at)
                    ++had;
                for (std::size_t at = 0; (at = received.find(": missed ", at)) != received.npos;
                     ++at) {
                    told += std::stoull(received.substr(at + 9));
                }
                CHECK(had + told == 12);
                CHECK(reader.subscriber.missed() == told);
                int last = 0;
                for (std::size_t at = 0; (at = received.find("message(", at)) != received.npos;
                     ++at) {
                    const int now = std::stoi(received.substr(at + 8));
                    CHECK(now > last);
                    last = now;
                }
            }
        }
    }
}

TEST_CASE("disconnect: the slow client is told to go, and only it") {
    Hub hub(keeping(4, sse::Overflow::disconnect));
    Reader fast(hub), slow(hub);
    bool woken = false;
    slow.subscriber.on_wake([&] { woken = true; });
    hub.publish(1, 4);
    hub.settle();
    fast.read();
    slow.read(10);
    CHECK_FALSE(slow.subscriber.overrun());
    woken = false;
    hub.publish(5, 8);
    hub.settle();
    CHECK(slow.subscriber.overrun());
    CHECK(woken);
    CHECK_FALSE(fast.subscriber.overrun());
    fast.read();
    CHECK(fast.received() == events(1, 8));
}

TEST_CASE("The end is reached once everything was had, by readers that come late as well") {
    Hub hub(keeping(10));
    Reader early(hub);
    hub.publish(1, 3);
    hub.channel.end();
    hub.settle();
    CHECK_FALSE(early.subscriber.ended());
    early.read(20);
    CHECK_FALSE(early.subscriber.ended());
    early.read();
    CHECK(early.subscriber.ended());
    Reader late(hub);
    CHECK_FALSE(late.subscriber.ended());
    late.read();
    CHECK(late.subscriber.ended());
    CHECK(late.received() == events(1, 3));
    Reader done(hub, 0, "3");
    CHECK(done.subscriber.ended());
}

TEST_CASE("Events of several publishers come whole, each publisher's in its order") {
    auto options = keeping(7);
    options.max_in_flight = 500;
    Hub hub(options, 2);
    Reader one(hub, 0), two(hub, 1, "", sse::Framing::close_delimited);
    std::vector<std::thread> publishers;
    std::atomic<int> left{4};
    for (int p = 0; p < 4; ++p) {
        publishers.emplace_back([&, p] {
            sse::Publisher to(hub.channel);
            for (int i = 0; i < 200; ++i) {
                const auto data = fmt::format("{}:{};", p, i);
                to.add({"message", data, std::nullopt});
                if (i % (p + 1) == 0) to.flush();
            }
            to.flush();
            if (--left == 0) hub.channel.end();
        });
    }
    bool alive = true;
    while (alive && !(one.subscriber.ended() && two.subscriber.ended())) {
        hub.settle();
        if (one.read(100) + two.read() == 0) alive = hub.wait_and_settle();
    }
    if (!alive) hub.channel.close();
    for (auto& thread : publishers) thread.join();
    REQUIRE(alive);
    for (const auto* reader : {&one, &two}) {
        const auto received = reader->received();
        for (int p = 0; p < 4; ++p) {
            std::size_t at = 0;
            for (int i = 0; i < 200; ++i) {
                at = received.find(fmt::format("({}:{};)", p, i), at);
                REQUIRE(at != received.npos);
            }
        }
        CHECK(std::count(received.begin(), received.end(), ';') == 800);
    }
}

TEST_CASE("A publisher's batches are small beside the history, by events and by bytes") {
    for (const std::size_t max_bytes : {4'000U, 40'000U, 64'000'000U}) {
        for (const std::size_t max_events : {1U, 40U, 100'000U}) {
            sse::ChannelOptions options;
            options.history = {max_events, max_bytes};
            options.max_in_flight = 1 << 30;
            options.overflow = sse::Overflow::drop;
            Hub hub(options);
            sse::Publisher to(hub.channel);
            for (int i = 0; i < 2000; ++i) to.add({"message", "x", std::nullopt});
            to.flush();
            hub.settle();
            const auto& history = hub.channel.shard(0).history();
            INFO(max_events << " events, " << max_bytes << " bytes");
            CHECK(history.end() == 2000);
            CHECK(history.bytes() <= max_bytes);
            CHECK(history.end() - history.begin() >=
                  std::min<std::size_t>({2000, max_events, max_bytes / 400}));
        }
    }
}

TEST_CASE("A closed channel lets its publisher go") {
    auto options = keeping(1);
    options.max_in_flight = 10;
    Hub hub(options);
    std::thread publisher([&] {
        sse::Publisher to(hub.channel);
        for (int i = 0; i < 100; ++i) {
            to.add({"message", "x", std::nullopt});
            to.flush();
        }
        CHECK(to.closed());
        CHECK_FALSE(to.flush());
    });
    hub.wait_and_settle();
    hub.channel.close();
    publisher.join();
    CHECK_FALSE(hub.channel.publish([] {
        sse::Batch batch;
        batch.add_comment("x");
        return batch;
    }()));
}

TEST_CASE("A channel that has ended lets its publishers go, and takes nothing more") {
    auto options = keeping(1);
    options.max_in_flight = 10;
    Hub hub(options);
    std::atomic<int> left{4};
    std::vector<std::thread> publishers;
    for (int p = 0; p < 4; ++p) {
        publishers.emplace_back([&] {
            sse::Publisher to(hub.channel);
            for (int i = 0; i < 500 && !to.closed(); ++i) {
                to.add({"message", "x", std::nullopt});
                to.flush();
            }
            --left;
        });
    }
    hub.wait_and_settle(); // nobody reads: they wait for room, or soon will
    hub.channel.end();
    Reader reader(hub);
    const auto& history = hub.channel.shard(0).history();
    std::uint64_t end = 0;
    for (bool more = true; more || left > 0;) {
        more = hub.settle() || reader.read() > 0;
        if (end == 0 && reader.subscriber.ended()) end = history.end();
    }
    for (auto& thread : publishers) thread.join();
    CHECK(end > 0);
    CHECK(history.end() == end);
    sse::Batch late;
    late.add_comment("late");
    CHECK_FALSE(hub.channel.publish(std::move(late)));
}

TEST_CASE("A reader resumes after an id with blanks around it, which a header does not keep") {
    for (const auto* id : {" b", "b\t", "\t b  "}) {
        INFO('"' << id << '"');
        Hub hub(keeping(10));
        sse::Publisher to(hub.channel);
        to.add({"message", "1", "a"});
        to.add({"message", "2", id});
        to.add({"message", "3", "c"});
        to.flush();
        Reader early(hub, 0, "b"); // not admitted yet
        CHECK_FALSE(early.subscriber.gap());
        hub.settle();
        Reader reader(hub, 0, "b");
        CHECK_FALSE(reader.subscriber.gap());
        reader.read();
        CHECK(reader.received() == "message(3)#c");
        Reader whole(hub);
        whole.read();
        CHECK(whole.received() == std::string("message(1)#amessage(2)#") + id + "message(3)#c");
    }
}

TEST_CASE("Ids are kept, and given where there is none") {
    Hub hub(keeping(10));
    sse::Publisher to(hub.channel);
    to.add({"message", "a", "mine"});
    to.add({"message", "b", std::nullopt});
    to.add({"message", "c", ""});
    to.add_comment("d");
    to.flush();
    hub.settle();
    auto& history = hub.channel.shard(0).history();
    CHECK(history.block(0) == "data: a\nid: mine\n\n");
    for (const std::uint64_t i : {1U, 2U}) {
        const std::string block(history.block(i));
        CHECK(block.find('-') != block.npos);
        CHECK(block.find("\nid: 1") != block.npos);
    }
    CHECK(history.block(3) == ":d\n\n");
}

TEST_CASE("who takes what there is loses nothing, however much came before its loop's turn") {
    for (const auto overflow :
         {sse::Overflow::block, sse::Overflow::drop, sse::Overflow::disconnect}) {
        Hub hub(keeping(4, overflow));
        Reader reader(hub), stalled(hub);
        reader.subscriber.on_wake([&] { reader.read(); });
        if (overflow == sse::Overflow::block) stalled.subscriber.on_wake([&] { stalled.read(); });
        hub.publish(1, 30); // all of it before the loop takes any
        hub.settle();
        CHECK(reader.received() == events(1, 30));
        CHECK(reader.subscriber.missed() == 0);
        CHECK_FALSE(reader.subscriber.overrun());
        CHECK((stalled.subscriber.missed() > 0) == (overflow != sse::Overflow::block));
    }
}

namespace {

/// A log that holds batches of one channel, and answers at once.
struct FixedLog final : sse::Log, sse::ChannelLog, std::enable_shared_from_this<FixedLog> {
    Opened open(std::string_view, const sse::HistoryOptions&,
                std::weak_ptr<sse::LogSink>) override {
        return {shared_from_this(), sse::LogTail{}};
    }
    sse::LogCounts counts() const override { return {}; }
    bool append(sse::Draft&) override { return false; }
    void read(std::uint64_t from,
              std::function<void(std::shared_ptr<sse::History>)> done) override {
        const auto held = std::find_if(batches.begin(), batches.end(), [&](const auto& batch) {
            return from < batch->first + batch->size();
        });
        const auto page = std::make_shared<sse::History>(
            sse::HistoryOptions{}, held == batches.end() ? from : (*held)->first);
        if (held != batches.end()) page->append(*held);
        done(page);
    }
    void locate(std::string, std::function<void(sse::LogPosition)> done) override { done({}); }
    std::uint64_t begin() const override { return 0; }

    std::vector<std::shared_ptr<const sse::Batch>> batches;
};

std::shared_ptr<sse::Batch> numbered(std::uint64_t first,
                                     std::initializer_list<const char*> texts) {
    auto batch = std::make_shared<sse::Batch>();
    for (const std::string_view text : texts) batch->add({"message", text, text});
    batch->first = first;
    return batch;
}

} // namespace

TEST_CASE("Events that the log has replaced by others are followed by those, after a gap") {
    sse::ChannelOptions options;
    options.gap_event = "gap";
    const auto log = std::make_shared<FixedLog>();
    const auto channel = std::make_shared<sse::Channel>(options, 1, [](std::size_t) {});
    std::vector<std::unique_ptr<sse::Pages>> pages;
    pages.push_back(std::make_unique<sse::Pages>(0));
    std::deque<std::function<void()>> actions;
    channel->use_log(*log, "/", pages, [&](std::size_t, std::function<void()> action) {
        actions.push_back(std::move(action));
    });
    auto& shard = channel->shard(0);
    Reader whole(shard), half(shard), at_the_place(shard);
    const auto arrive = [&](const std::shared_ptr<const sse::Batch>& batch) {
        channel->arrived(batch, 0);
        shard.drain_inbox();
    };
    const auto before = numbered(0, {"1", "2"});
    arrive(before);
    at_the_place.read();
    arrive(numbered(2, {"lost 3", "lost 4"}));
    whole.read();
    half.read(at_the_place.wire.size() + 20); // within "lost 3"

    log->batches = {before, numbered(2, {"3", "4", "5", "6"})};
    const auto next = numbered(sse::unknown_loss + 6, {"7"});
    next->lost_from = 2;
    arrive(next);
    for (bool more = true; more;) {
        more = !actions.empty();
        for (auto& action : std::exchange(actions, {})) action();
        more = whole.read() + at_the_place.read() > 0 || more;
    }
    const std::string gap = ": gap: the store has lost events;gap({\"missed\":null})";
    const std::string others = "message(3)#3message(4)#4message(5)#5message(6)#6";
    CHECK(at_the_place.received() == "message(1)#1message(2)#2" + others + gap + "message(7)#7");
    CHECK(whole.received() ==
          "message(1)#1message(2)#2message(lost 3)#lost 3message(lost 4)#lost 4" + gap + others +
              gap + "message(7)#7");
    CHECK(half.subscriber.overrun());
    CHECK_FALSE(whole.subscriber.overrun());
}
