#include "check/format_scan.hpp"
#include "check/measures.hpp"
#include "check/remedies.hpp"
#include "check/time_stamp.hpp"
#include "unit/catch2.hpp"
#include "unit/check_rig.hpp"

#include <cmath>
#include <utility>
#include <vector>

using namespace check_rig;

namespace {

/// What `change` does to a good stream, as the verdict of `id`.
template <class Change>
std::string changed(const char* id, Change change) {
    auto seen = good();
    change(seen);
    return verdict(seen, id);
}

void set(Exchange& seen, const char* name, const char* value) {
    for (auto& field : seen.fields) {
        if (field.name == name) field.value = value;
    }
    if (seen.field(name) != value) seen.fields.push_back({name, value});
}

sse::checks::FormatNotes scan(std::string_view text, std::size_t piece = 1'000) {
    sse::checks::FormatNotes notes;
    sse::checks::FormatScan scan(notes);
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
        scan.feed(text.substr(0, piece));
    scan.finish();
    return notes;
}

} // namespace

TEST_CASE("compression that holds events back") {
    const auto id = "compression-holds";
    CHECK(verdict(good(), id) == "ok");
    CHECK(changed(id, [](auto& seen) { seen.of(Probe::compressed).events.clear(); }) == "error");
    CHECK(changed(id, [](auto& seen) { seen.of(Probe::compressed).events.resize(5); }) == "error");
    // Events 2 to 20 arrive each half second; those since 8.1s are too young when it ends at 9.6s.
    for (const std::size_t left : {15U, 12U, 11U}) { // of the other 15, a quarter may be missing
        CHECK(changed(id, [&](auto& seen) {
                  seen.of(Probe::compressed).events.resize(left);
                  seen.of(Probe::compressed).ended = 9.59;
              }) == (left == 11 ? "error" : "ok"));
    }
    CHECK(changed(id, [](auto& seen) {
              auto& it = seen.of(Probe::compressed);
              it = Exchange();
              it.started = 0.2, it.ended = 12, it.ending = Ending::silent;
          }) == "error");
    CHECK(changed(id, [](auto& seen) {
              auto& it = seen.of(Probe::compressed);
              it = Exchange();
              it.started = 0.2, it.ended = 4, it.ending = Ending::silent;
              seen.of(Probe::main).head = 2; // it is no quicker without
          }) == "?");
    CHECK(changed(id, [](auto& seen) { seen.of(Probe::compressed) = Exchange(); }) == "?");
    // A stream of its own for each connection, whose events are others.
    CHECK(changed(id, [](auto& seen) {
              for (auto& event : seen.of(Probe::compressed).events) event.hash += 100;
          }) == "ok");
}

TEST_CASE("compression that is one event behind") {
    const auto id = "compression-one-behind";
    const auto behind = [](double by) {
        return [by](Observations& seen) {
            auto& it = seen.of(Probe::compressed);
            set(it, "Content-Encoding", "gzip");
            for (auto& event : it.events) event.at += by;
        };
    };
    CHECK(changed(id, behind(0)) == "ok");
    for (const auto& [by, expected] :
         {std::pair{0.43, "ok"}, std::pair{0.45, "error"}, std::pair{0.5, "error"},
          std::pair{0.55, "error"}, std::pair{0.57, "ok"}})
        CHECK(changed(id, behind(by)) == expected);
    // 18 events of which the next one is known
    for (const std::size_t prompt : {5U, 6U}) {
        CHECK(changed(id, [&](auto& seen) {
                  behind(0.5)(seen);
                  auto& events = seen.of(Probe::compressed).events;
                  for (std::size_t i = 0; i < prompt; ++i) events[i].at -= 0.5;
              }) == (prompt == 5 ? "error" : "ok"));
    }
    // A stream of its own for each connection, begun one event later.
    CHECK(changed(id, [&](auto& seen) {
              behind(0.5)(seen);
              seen.of(Probe::compressed).connected = 0.501;
          }) == "ok");
    CHECK(verdict(good(), id) == "-");
    // A delay of 0.2s looks the same where events are as far apart: only longer gaps count.
    for (const double every : {0.29, 0.31}) {
        auto seen = good();
        auto &main = seen.of(Probe::main), &it = seen.of(Probe::compressed);
        set(it, "Content-Encoding", "gzip");
        for (auto* each : {&main, &it}) {
            each->events.clear();
            add_events(*each, 20, each == &main ? 0.1 : 0.1 + every, every);
        }
        CHECK(verdict(seen, id) == (every < 0.3 ? "?" : "error"));
    }
}

TEST_CASE("the head of a response") {
    const auto main = [](auto change) {
        return [change](Observations& seen) { change(seen.of(Probe::main)); };
    };
    const auto status = [&](int value) { return main([value](auto& it) { it.status = value; }); };
    const auto field = [&](const char* name, const char* value) {
        return main([=](auto& it) { set(it, name, value); });
    };
    CHECK(changed("status", status(404)) == "error");
    CHECK(changed("status", status(204)) == "error");
    CHECK(changed("content-type", field("Content-Type", "application/json")) == "error");
    CHECK(changed("content-type", field("Content-Type", "Text/Event-Stream; charset=utf-8")) ==
          "ok");
    CHECK(changed("charset", field("Content-Type", "text/event-stream; charset=latin-1")) ==
          "warn");
    CHECK(changed("charset", field("Content-Type", "text/event-stream; charset=UTF-8")) == "ok");
    CHECK(changed("html", main([](auto& it) { it.body_start = " <!doctype html>"; })) == "error");
    CHECK(changed("html", main([](auto& it) { it.body_start = "data: <b>"; })) == "ok");
    CHECK(changed("cache-control", field("Cache-Control", "max-age=60")) == "warn");
    CHECK(changed("cache-control", field("Cache-Control", "No-Cache, max-age=0")) == "ok");
    CHECK(changed("cached", field("Age", "12")) == "error");
    CHECK(changed("cached", field("Age", "0")) == "ok");
    CHECK(changed("cached", field("X-Cache", "HIT from squid")) == "error");
    CHECK(changed("cached", field("X-Cache", "MISS from squid")) == "ok");
    CHECK(changed("cached", field("X-Varnish", "3 2")) == "error");
    CHECK(changed("cached", field("X-Varnish", "3")) == "ok");
    CHECK(changed("framing", main([](auto& it) { it.framing = sse::BodyFraming::close; })) ==
          "warn");
    CHECK(changed("content-length",
                  main([](auto& it) { it.framing = sse::BodyFraming::length; })) == "error");
    CHECK(changed("accept-differs", [](auto& seen) { seen.of(Probe::any_type).status = 406; }) ==
          "warn");
    CHECK(changed("accept-differs", [](auto& seen) {
              set(seen.of(Probe::any_type), "Content-Type", "text/html");
          }) == "warn");
    CHECK(verdict(good(), "accept-differs") == "ok");
}

TEST_CASE("how a stream ends") {
    const auto ended = [](Ending ending, double idle) {
        return [=](Observations& seen) {
            auto& main = seen.of(Probe::main);
            main.ending = ending;
            main.ended = main.pieces.back().at + idle;
        };
    };
    CHECK(changed("cut", ended(Ending::complete, 0)) == "ok");
    CHECK(changed("cut", ended(Ending::closed, 0)) == "ok");
    CHECK(changed("cut", ended(Ending::cut, 0)) == "error");
    CHECK(changed("cut", ended(Ending::reset, 0)) == "error");
    CHECK(changed("cut", [&](auto& seen) {
              ended(Ending::closed, 0)(seen);
              seen.of(Probe::main).format.unfinished_event = true;
          }) == "error");
    auto seen = good();
    ended(Ending::cut, 60.2)(seen);
    const auto evidence = sse::checks::find_check("cut")->judge(seen).evidence;
    CHECK(evidence.back().find("nginx") != std::string::npos);
    for (const double limit : {30, 50, 55, 60, 100, 230, 350}) {
        for (const double off : {-0.6, -0.4, 0.4, 0.6}) {
            seen = good();
            ended(Ending::reset, limit + off)(seen);
            const auto lines = sse::checks::find_check("cut")->judge(seen).evidence.size();
            CHECK(lines == (std::abs(off) < 0.5 ? 2U : 1U));
        }
    }
    CHECK(changed("keepalive", ended(Ending::stopped, 29.9)) == "ok");
    CHECK(changed("keepalive", ended(Ending::stopped, 31)) == "note");
    CHECK(changed("keepalive", [&](auto& it) {
              ended(Ending::stopped, 31)(it);
              it.long_watch = true;
          }) == "warn");
    CHECK(changed("keepalive", ended(Ending::stopped, 1)) == "?");
    CHECK(changed("keepalive", [](auto& it) { it.of(Probe::main).comments = {1, 2}; }) == "ok");
}

TEST_CASE("the clocks of server and client") {
    const auto age = [](double seconds, double latency) {
        return [=](Observations& seen) {
            auto& main = seen.of(Probe::main);
            main = stream(0, latency);
            set(main, "Date", "Fri, 15 Jan 2027 08:00:00 GMT");
            main.wall_at_head = 1'800'000'000 + seconds;
        };
    };
    for (const auto& [seconds, expected] : {std::pair{4.9, "ok"}, std::pair{5.1, "note"},
                                            std::pair{-4.9, "ok"}, std::pair{-5.1, "note"}})
        CHECK(changed("clock", age(seconds, 0.01)) == expected);
    CHECK(changed("clock", age(5.1, 0.99)) == "note");
    CHECK(changed("clock", age(5.1, 1.01)) == "-");
}

TEST_CASE("a second connection") {
    const auto blocked = [](bool cookie, bool others) {
        return [=](Observations& seen) {
            auto& second = seen.of(Probe::second);
            second = Exchange();
            second.ending = Ending::silent;
            second.ended = 3;
            second.sent_cookie = cookie;
            if (others) return;
            seen.of(Probe::compressed) = seen.of(Probe::any_type) = second;
        };
    };
    CHECK(verdict(good(), "one-at-a-time") == "ok");
    CHECK(changed("one-at-a-time", blocked(false, false)) == "error");
    CHECK(changed("one-at-a-time", blocked(true, false)) == "error");
    CHECK(changed("one-at-a-time", blocked(false, true)) == "?");
    CHECK(changed("session-lock", blocked(true, true)) == "error");
    CHECK(changed("session-lock", blocked(true, false)) == "?");
    CHECK(changed("session-lock", blocked(false, false)) == "-");
    for (const double head : {0.99, 1.01}) { // it was blocked for 3s; the first may take a third
        CHECK(changed("one-at-a-time", [&](auto& seen) {
                  blocked(false, false)(seen);
                  seen.of(Probe::main).head = 0.001 + head;
              }) == (head < 1 ? "error" : "?"));
    }
}

TEST_CASE("resuming") {
    const auto first = [](const char* id, std::uint64_t text, double started = 2.2) {
        return [=](Observations& seen) {
            auto& resumed = seen.of(Probe::resumed);
            resumed = stream(started);
            if (text != 0) add_event(resumed, started + 0.1, id, text);
        };
    };
    struct Row {
        const char *id, *ignored, *restart, *gap, *inclusive;
        std::uint64_t text;
    };
    // The request has ID 2; 1 to 5 were there when it was made.
    for (const auto& row : {
             Row{"3", "ok", "ok", "ok", "ok", 3},
             Row{"2", "ok", "ok", "ok", "warn", 2},
             Row{"1", "ok", "error", "ok", "ok", 1},
             Row{"4", "ok", "ok", "error", "ok", 4},
             Row{"5", "warn", "ok", "ok", "ok", 5}, // the newest: no history
             Row{"6", "warn", "ok", "ok", "ok", 6},
             Row{"99", "warn", "ok", "ok", "ok", 99},
             Row{"", "warn", "ok", "ok", "ok", 0},
         }) {
        INFO(row.id);
        CHECK(changed("resume-ignored", first(row.id, row.text)) == row.ignored);
        CHECK(changed("resume-restart", first(row.id, row.text)) == row.restart);
        CHECK(changed("resume-gap", first(row.id, row.text)) == row.gap);
        CHECK(changed("resume-inclusive", first(row.id, row.text)) == row.inclusive);
    }
    CHECK(changed("resume-status", [](auto& seen) { seen.of(Probe::resumed).status = 500; }) ==
          "error");
    CHECK(verdict(good(), "resume-status") == "ok");
    CHECK(changed("resume-ignored", [](auto& seen) {
              seen.of(Probe::resumed) = Exchange();
              seen.resumed_after.reset();
          }) == "?");
}

TEST_CASE("IDs") {
    const auto ids = [](auto change) {
        return [change](Observations& seen) {
            for (auto& event : seen.of(Probe::main).events) change(event);
        };
    };
    const auto without = ids([](auto& event) { event.id.reset(); });
    CHECK(changed("no-ids", without) == "warn");
    CHECK(changed("some-ids", without) == "-");
    CHECK(changed("some-ids", ids([](auto& event) {
                      if (event.hash % 2 == 0) event.id.reset();
                  })) == "note");
    CHECK(changed("ids-repeat", ids([](auto& event) { event.id = "1"; })) == "error");
    CHECK(verdict(good(), "ids-repeat") == "ok");
    CHECK(changed("ids-differ", ids([](auto& event) { event.hash += 50; })) == "error");
    CHECK(verdict(good(), "ids-differ") == "ok");
    const auto again = [](const char* id) {
        return [=](Observations& seen) {
            seen.of(Probe::main).ending = Ending::complete;
            auto& it = seen.of(Probe::again);
            it = stream(10);
            add_event(it, 10.1, id, 1);
        };
    };
    CHECK(changed("ends-and-repeats", again("1")) == "error");
    CHECK(changed("ends-and-repeats", again("21")) == "ok");
    CHECK(changed("ends-and-repeats", [&](auto& seen) {
              again("1")(seen);
              seen.of(Probe::again).status = 204;
          }) == "ok");
    CHECK(changed("ends-and-repeats", [&](auto& seen) {
              again("1")(seen);
              seen.of(Probe::main).events.back().says_done = true;
          }) == "warn");
}

TEST_CASE("pages of other origins, and TLS") {
    const auto allowing = [](const char* origin, bool credentials) {
        return [=](Observations& seen) {
            seen.origin = "https://app.example";
            seen.credentials = credentials;
            if (*origin) set(seen.of(Probe::main), "Access-Control-Allow-Origin", origin);
        };
    };
    CHECK(verdict(good(), "cors") == "?");
    CHECK(changed("cors", allowing("", false)) == "error");
    CHECK(changed("cors", allowing("*", false)) == "ok");
    CHECK(changed("cors", allowing("*", true)) == "error");
    CHECK(changed("cors", allowing("https://app.example", false)) == "ok");
    CHECK(changed("cors", allowing("https://app.example", true)) == "error");
    CHECK(changed("cors", allowing("https://other.example", false)) == "error");
    CHECK(changed("cors-preflight", [&](auto& seen) {
              allowing("*", false)(seen);
              seen.of(Probe::preflight) = stream(0.4);
          }) == "note");

    const auto tls = [](sse::checks::TlsSeen it) {
        return [it](Observations& seen) { seen.tls = it; };
    };
    CHECK(changed("tls-certificate", tls({"it has expired", {}, {}, ""})) == "error");
    CHECK(changed("tls-certificate", tls({"", 90, "h2", ""})) == "ok");
    CHECK(changed("tls-expiry", tls({"", 13.9, "h2", ""})) == "warn");
    CHECK(changed("tls-expiry", tls({"", 14.1, "h2", ""})) == "ok");
    CHECK(changed("http1-only", tls({"", 15, "h2", ""})) == "ok");
    CHECK(changed("http1-only", tls({"", 15, "http/1.1", ""})) == "warn");
    CHECK(verdict(good(), "http1-only") == "-");
}

TEST_CASE("the lines of a stream, however they are cut") {
    for (const std::size_t piece : {1U, 2U, 7U, 1'000U}) {
        INFO("pieces of " << piece);
        const auto notes = scan("\xef\xbb\xbf"
                                "data: 1\r\nfoo: 1\r\n\r\nData: 2\rdata : 3\n\nevent: x\n\n",
                                piece);
        REQUIRE(notes.unknown_fields.size() == 1);
        CHECK(notes.unknown_fields[0].number == 2);
        REQUIRE(notes.misspelt_fields.size() == 2);
        CHECK(notes.misspelt_fields[1].number == 5);
        REQUIRE(notes.without_data.size() == 1);
        CHECK(notes.without_data[0].text == "event: x");
        CHECK(notes.byte_order_marks.size() == 1);
    }
    using namespace std::string_view_literals;
    const auto notes = scan("id: a\0b\ndata: data: 1\n\nretry: soon\ndata: \xff\n\n"
                            "retry: 20\n\n: ok\nid: 7\n\ndata: last"sv,
                            3);
    CHECK(notes.nul_ids.size() == 1);
    CHECK(notes.doubled.size() == 1);
    CHECK(notes.bad_retries.size() == 1);
    CHECK(notes.invalid_utf8.size() == 1);
    CHECK(notes.retry_ms == 20U);
    CHECK(notes.without_data.empty());
    CHECK(notes.unfinished_event);
    CHECK_FALSE(scan("data: 1\n\n").unfinished_event);
}

TEST_CASE("what the lines say of the stream") {
    const auto notes = [](sse::checks::FormatNotes it) {
        return [it](Observations& seen) { seen.of(Probe::main).format = it; };
    };
    CHECK(changed("fields", notes(scan("foo: 1\n"))) == "warn");
    CHECK(changed("fields", notes(scan("Data: 1\n"))) == "error");
    CHECK(changed("fields", notes(scan("data: 1\n"))) == "ok");
    CHECK(changed("retry", notes(scan("retry: x\n"))) == "error");
    CHECK(changed("retry", notes(scan("retry: 499\n"))) == "warn");
    CHECK(changed("retry", notes(scan("retry: 500\n"))) == "ok");
    CHECK(changed("retry", notes(scan("data: 1\n"))) == "note");
    CHECK(changed("no-data", notes(scan("event: x\n\n"))) == "warn");
    CHECK(changed("double", notes(scan("data: data: x\n\n"))) == "error");
    CHECK(changed("utf-8", notes(scan("data: \xff\n\n"))) == "error");
    CHECK(changed("bom", notes(scan("\xef\xbb\xbf"
                                    "data: 1\n\n"))) == "note");
    CHECK(changed("bom", notes(scan("data: 1\n\n\xef\xbb\xbf"
                                    "data: 1\n\n"))) == "error");
    CHECK(changed("big", notes(scan("data: " + std::string(1'048'570, 'x') + "\n\n"))) == "ok");
    CHECK(changed("big", notes(scan("data: " + std::string(1'048'571, 'x') + "\n\n"))) == "note");
    CHECK(changed("no-blank-line", [](auto& seen) {
              auto& main = seen.of(Probe::main);
              main.events.clear();
              main.format = scan("data: 1\ndata: 2\n");
          }) == "error");
    CHECK(verdict(good(), "no-blank-line") == "ok");
}

TEST_CASE("times in IDs and data") {
    using sse::checks::find_time;
    constexpr double now = 1'800'000'000;
    CHECK(find_time("1800000000500-0", now) == now + 0.5);
    CHECK(find_time(R"({"t":"2027-01-15T08:00:00.250Z"})", now) == now + 0.25);
    CHECK(find_time(R"({"t":1800000001.25})", now) == now + 1.25);
    CHECK(find_time("1800000000", now) == now);
    CHECK(find_time("2027-01-15T08:00:00Z", now) == now);
    CHECK(find_time("2027-01-15T03:00:00-05:00", now) == now);
    CHECK_FALSE(find_time("1500000000500-0", now)); // years ago
    CHECK_FALSE(find_time("event 12345", now));
}

TEST_CASE("remedies are those of the servers that the response names") {
    auto seen = good();
    CHECK(sse::checks::servers_in(seen).empty());
    const auto* held = sse::checks::find_check("held-back");
    const auto all = sse::checks::remedies_for(*held, {});
    set(seen.of(Probe::main), "Server", "nginx/1.22.1");
    const auto servers = sse::checks::servers_in(seen);
    REQUIRE(servers == std::vector<std::string>{"nginx"});
    const auto own = sse::checks::remedies_for(*held, servers);
    CHECK(own.size() < all.size());
    CHECK(own.back().starts_with("nginx: proxy_buffering off"));
    CHECK(sse::checks::remedies_for(*held, {"unheard-of"}) == all);
    CHECK(sse::checks::remedies_for(*sse::checks::find_check("retry"), servers).size() == 1);
}
