#include "playback/playback.hpp"

#include "recording/gzip.hpp"
#include "recording/record_parser.hpp"
#include "unit/catch2.hpp"
#include "unit/recording_text.hpp"
#include "unit/temporary.hpp"

#include <algorithm>
#include <map>
#include <utility>

using namespace std::chrono_literals;
using Clock = sse::Playback::Clock;

namespace {

const Clock::time_point start{100s};

std::string recording(std::initializer_list<const char*> lines) {
    std::string text = "{\"sse\":1}\n";
    for (const auto* line : lines) text.append(line).append("\n");
    return text;
}

/// When each of `times` is due after the start, in milliseconds.
std::string dues(const sse::PlaybackTiming& options, std::chrono::microseconds base,
                 std::initializer_list<std::chrono::microseconds> times) {
    sse::PlaybackClock clock(options, base);
    clock.start(start);
    std::string out;
    for (const auto t : times) {
        const auto after =
            std::chrono::duration_cast<std::chrono::milliseconds>(clock.due(t) - start);
        out += (out.empty() ? "" : " ") + std::to_string(after.count());
    }
    return out;
}

} // namespace

TEST_CASE("a record is due at start + t / speed") {
    sse::PlaybackTiming options;
    CHECK(dues(options, 0s, {0s, 500ms, 2s}) == "0 500 2000");
    CHECK(dues(options, 2s, {2s, 3s}) == "0 1000");
    options.speed = 4;
    CHECK(dues(options, 0s, {0s, 2s, 10s}) == "0 500 2500");
    options.speed = 0.5;
    CHECK(dues(options, 1s, {2s}) == "2000");
    options.wait = false;
    CHECK(dues(options, 0s, {1s, 1000h}) == "0 0");
}

TEST_CASE("a pause over max_gap is cut to it, as it is played, and what follows comes earlier") {
    sse::PlaybackTiming options;
    options.max_gap = 1s;
    CHECK(dues(options, 0s, {500ms, 10s, 11s, 11500ms, 100s}) == "500 1500 2500 3000 4000");
    CHECK(dues(options, 5s, {9s, 9500ms}) == "1000 1500");
    options.speed = 2;
    CHECK(dues(options, 0s, {2s, 5s}) == "1000 2000");
    options.max_gap = 0s;
    CHECK(dues(options, 0s, {2s, 5s}) == "0 0");
}

TEST_CASE("no time of a recording is too far to be counted") {
    sse::PlaybackTiming options;
    options.speed = 1e-6;
    sse::PlaybackClock clock(options, 0s);
    clock.start(start);
    CHECK(clock.due(sse::RecordParser::max_t) > start + 24h * 365 * 100);
}

TEST_CASE("no error adds up over a million records") {
    sse::PlaybackTiming options;
    options.speed = 3;
    sse::PlaybackClock clock(options, 0s);
    clock.start(start);
    Clock::time_point last;
    for (int i = 1; i <= 1'000'000; ++i) last = clock.due(i * 1000us);
    const auto error = last - start - std::chrono::nanoseconds(333'333'333'333);
    CHECK(std::chrono::abs(error) < 1us);
}

TEST_CASE("a playing gives each record in order, on a clock that starts when first asked") {
    const TemporaryFile file(recording({R"({"t":1,"data":"a"})", R"({"t":3,"data":"b"})"}));
    sse::Playback playback(file.path(), {});
    REQUIRE(playback.peek() != nullptr);
    CHECK(playback.due(start) == start + 1s);
    CHECK(playback.due(start + 7s) == start + 1s);
    CHECK(describe(*playback.peek()) == "1.000000 message(a)");
    playback.advance();
    CHECK(describe(*playback.peek()) == "3.000000 message(b)");
    CHECK(playback.due(start + 9s) == start + 3s);
    playback.advance();
    CHECK(playback.peek() == nullptr);
}

TEST_CASE(
    "an id is searched to its last occurrence, and the playing goes on after it with its gap") {
    const TemporaryFile file(
        recording({R"({"t":1,"id":"a","data":"1"})", R"({"t":2,"id":"b","data":"2"})",
                   R"({"t":3,"id":"a","data":"3"})", R"({"t":5,"data":"4"})", R"({"t":6,"id":"c"})",
                   R"({"t":7,"data":"5"})"}));
    struct Row {
        const char *id, *next;
        std::chrono::seconds due;
    };
    const Row rows[] = {{"a", "5.000000 message(4)", 2s},
                        {"b", "3.000000 message(3)#a", 1s},
                        {"c", "7.000000 message(5)", 1s}};
    for (const auto& row : rows) {
        INFO(row.id);
        sse::IdSearch search(file.path(), row.id, 1, {});
        REQUIRE(search.step(Clock::time_point::max()));
        REQUIRE(search.found());
        sse::Playback playback(file.path(), {}, search.found());
        REQUIRE(playback.peek() != nullptr);
        CHECK(describe(*playback.peek()) == row.next);
        CHECK(playback.due(start) == start + row.due);
    }
    sse::IdSearch search(file.path(), "d", 1, {});
    CHECK(search.step(Clock::time_point::max()));
    CHECK_FALSE(search.found());
}

TEST_CASE("a lap that sends nothing is the last") {
    struct Row {
        const char* what;
        std::string lines;
        std::uint64_t laps;
        const char* played; ///< of what is sent, at most four
    };
    const Row rows[] = {
        {"no record", "", 0, "!"},
        {"only a close", "{\"t\":0,\"close\":\"eof\"}\n", 0, "!"},
        {"only a late close", "{\"t\":9,\"close\":\"eof\"}\n", 3, "!"},
        {"an empty read", "{\"t\":0,\"bytes\":\"\"}\n", 0, "!"},
        {"only what is left out", "{\"t\":1,\"data\":\"x\"}\n{\"t\":2,\"comment\":\"\"}\n", 0, "!"},
        {"the same, once", "{\"t\":1,\"data\":\"x\"}\n", 1, ""},
        {"something of it", "{\"t\":0,\"close\":\"eof\"}\n{\"t\":0,\"data\":\"y\"}\n", 0, "yyyy"},
        {"an id alone", "{\"t\":0,\"id\":\"1\"}\n", 2, "##"},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        const TemporaryFile file("{\"sse\":1}\n" + row.lines);
        sse::PlaybackOptions options;
        options.laps = row.laps;
        options.comments = false;
        options.wanted = [](const sse::EventView& event) { return event.data == "y"; };
        sse::Playback playback(file.path(), options);
        std::string played;
        try {
            for (; played.size() < 4 && playback.peek() != nullptr; playback.advance()) {
                const auto& what = playback.peek()->what;
                if (const auto* event = std::get_if<sse::EventView>(&what)) played += event->data;
                else if (std::holds_alternative<sse::RecordedId>(what)) played += "#";
            }
        } catch (const sse::Error& e) {
            CHECK(e.what() ==
                  file.path() + ": no record would be sent, so it cannot be played in a loop");
            played += "!";
        }
        CHECK(played == row.played);
    }
}

TEST_CASE("looking for the next record stops when its time is over, and goes on") {
    std::string recorded = "{\"sse\":1}\n", text;
    for (int i = 0; i < 1000; ++i) {
        const auto id = std::to_string(i * 7919 % 1000); // in no order
        recorded += "{\"t\":1,\"id\":\"no " + id + "\",\"data\":\"x\"}\n";
        text += "id: no " + id + "\ndata: x\n\n";
    }
    recorded += "{\"t\":2,\"id\":\"the last\",\"data\":\"y\"}\n";
    text += "data: y\nid: the last\n\n";
    const TemporaryFile recording_file(recorded), text_file(text);
    const sse::PlaybackPosition in_second_lap{{0, 1, 0s, 0}, 2};
    struct Row {
        const char* what;
        const TemporaryFile& file;
        std::function<void(sse::PlaybackOptions&)> set;
        std::optional<sse::PlaybackPosition> after;
        const char* id;
        int looks; ///< one for each 256 lines that are read
    };
    const Row rows[] = {
        {"what is wanted",
         recording_file,
         [](auto& it) { it.wanted = [](const auto& event) { return event.data == "y"; }; },
         {},
         "the last",
         3},
        {"the first of a part",
         recording_file,
         [](auto& it) {
             it.from = sse::PlaybackPoint{0s, "no 81"};
         },
         {},
         "the last",
         3},
        {"the last of a part",
         recording_file,
         [](auto& it) {
             it.to = sse::PlaybackPoint{0s, "the last"};
         },
         {},
         "no 0",
         3},
        {"how long a lap is", text_file, [](auto&) {}, in_second_lap, "no 919@2", 11},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        sse::PlaybackOptions options;
        options.laps = 2;
        row.set(options);
        sse::Playback playback(row.file.path(), options, row.after);
        int looks = 0;
        const sse::Record* record = nullptr;
        for (; (record = playback.peek(Clock::time_point::min())) == nullptr; ++looks)
            REQUIRE(playback.searching());
        CHECK_FALSE(playback.searching());
        CHECK(looks == row.looks);
        CHECK(sse::id_of(*record) == row.id);
    }
}

TEST_CASE(
    "to go on in a gzipped recording gives the loop back, and ends where it does in a plain one") {
    std::string text = "{\"sse\":1}\n", gzipped;
    for (int i = 0; i < 1000; ++i)
        text += "{\"t\":" + std::to_string(i) + ",\"id\":\"" + std::to_string(i) +
                "\",\"data\":\"\"}\n";
    sse::Gzip gzip;
    gzip.add(text, gzipped);
    gzip.finish(gzipped);
    const TemporaryFile plain(text), packed(gzipped);
    sse::PlaybackOptions options;
    options.laps = 2;
    options.from = sse::PlaybackPoint{0s, "899"};
    options.to = sse::PlaybackPoint{0s, "989"};
    std::map<const TemporaryFile*, int> looks;
    for (const auto* file : {&plain, &packed}) {
        for (const char* after : {"950", "950@2"}) {
            sse::IdSearch search(file->path(), after, 2, {});
            REQUIRE(search.step(Clock::time_point::max()));
            sse::Playback playback(file->path(), options, search.found());
            for (; playback.peek(Clock::time_point::min()) == nullptr; ++looks[file])
                REQUIRE(playback.searching());
            std::string ids;
            for (; playback.peek() != nullptr; playback.advance())
                ids += std::string(*sse::id_of(*playback.peek())) + " ";
            const bool second = std::string_view(after).ends_with("@2");
            CHECK(ids.starts_with(second ? "951@2 952@2 " : "951 952 "));
            CHECK(ids.ends_with("988@2 989@2 "));
            CHECK(std::count(ids.begin(), ids.end(), ' ') == (second ? 39 : 39 + 90));
        }
    }
    CHECK(looks[&packed] >= looks[&plain] + 6);
}

TEST_CASE("a lap is as long as what is played") {
    const TemporaryFile file(
        recording({R"({"t":1,"id":"a","data":"1"})", R"({"t":3,"id":"b","data":"2"})",
                   R"({"t":7,"close":"eof"})"}));
    using Point = std::optional<sse::PlaybackPoint>;
    struct Row {
        Point from, to;
        std::chrono::seconds length;
    };
    const Row rows[] = {{{}, {}, 7s},
                        {Point({2s, {}}), {}, 5s},
                        {Point({2s, {}}), Point({4s, {}}), 1s},
                        {Point({0s, "a"}), Point({0s, "b"}), 2s},
                        {Point({8s, {}}), {}, 0s}};
    for (const auto& row : rows) {
        sse::PlaybackOptions options;
        options.from = row.from;
        options.to = row.to;
        CHECK(sse::Playback(file.path(), options).length() == row.length);
    }
}

TEST_CASE("a long search stops when its time is over, and goes on") {
    std::string text = "{\"sse\":1}\n";
    for (int i = 0; i < 1000; ++i)
        text += "{\"t\":1,\"id\":\"no " + std::to_string(i) + "\",\"data\":\"\"}\n";
    const TemporaryFile file(text);
    sse::IdSearch search(file.path(), "no 999", 1, {});
    int steps = 1;
    while (!search.step(Clock::time_point::min())) ++steps;
    CHECK(steps == 4);
    REQUIRE(search.found());
    CHECK(search.found()->place.line == 1001);
}

TEST_CASE("each kind of record has its form on the wire") {
    struct Row {
        sse::Record record;
        const char* wire;
    };
    const Row rows[] = {
        {{0s, sse::EventView{"add", "a\nb", "7"}}, "event: add\ndata: a\ndata: b\nid: 7\n\n"},
        {{0s, sse::RecordedId{"7"}}, "id: 7\n\n"},
        {{0s, sse::RecordedId{""}}, "id: \n\n"},
        {{0s, sse::RecordedComment{" ping"}}, ": ping\n\n"},
        {{0s, sse::RecordedRetry{3s}}, "retry: 3000\n\n"},
        {{0s, sse::RecordedOpen{}}, ""},
        {{0s, sse::RecordedClose{"eof", ""}}, ""},
        {{0s, sse::RecordedBytes{"dat\xff"}}, "dat\xff"},
    };
    for (const auto& row : rows) {
        std::string wire;
        sse::append_record(row.record, sse::StreamFormat::event_stream, wire);
        CHECK(wire == row.wire);
    }
}

TEST_CASE("JSON formats carry the data of events alone, each in one line") {
    std::string out;
    const auto add = [&](sse::StreamFormat format, const sse::Record& record) {
        sse::append_record(record, format, out);
        CHECK(sse::sends_bytes(record, format) == !out.empty());
        return std::exchange(out, "");
    };
    using sse::StreamFormat;
    const sse::Record event{0s, sse::EventView{"add", "{\"a\":\r\n1}", "7"}};
    CHECK(add(StreamFormat::json_lines, event) == "{\"a\":  1}\n");
    CHECK(add(StreamFormat::json_seq, event) == "\x1e{\"a\":  1}\n");
    for (const auto format : {StreamFormat::json_lines, StreamFormat::json_seq}) {
        CHECK(add(format, {0s, sse::RecordedBytes{"{\n"}}) == "{\n");
        CHECK(add(format, {0s, sse::RecordedComment{""}}).empty());
        CHECK(add(format, {0s, sse::RecordedId{"1"}}).empty());
        CHECK(add(format, {0s, sse::RecordedRetry{1s}}).empty());
    }
}

TEST_CASE("a clock whose times are at the extremes neither overflows nor goes back") {
    constexpr auto far = std::chrono::microseconds(std::chrono::hours(24 * 365 * 100'000LL));
    for (const double speed : {1e-6, 1.0, 1e9}) {
        for (const bool limited : {false, true}) {
            for (const bool fixed : {false, true}) {
                sse::PlaybackTiming timing;
                timing.speed = speed;
                timing.jitter = timing.coalesce = 24h * 36'500;
                if (limited) timing.max_gap = 1s;
                if (fixed) timing.interval = 24h * 36'500;
                sse::PlaybackClock clock(timing, 0us);
                clock.start(start);
                auto last = start;
                for (const auto t : {0us, sse::RecordParser::max_t + 0us, far / 2, far}) {
                    const auto due = clock.due(t);
                    CHECK(due >= last);
                    last = due;
                }
            }
        }
    }
    sse::PlaybackTiming slow; // each pause is cut, however long it would be
    slow.speed = 1e-6;
    slow.max_gap = 1s;
    CHECK(dues(slow, 0s,
               {std::chrono::hours(1), std::chrono::hours(9000), sse::RecordParser::max_t}) ==
          "1000 2000 3000");
}

TEST_CASE("a reader that finds no record stops when its time is over, and goes on") {
    const std::string blank(100'000, '\n');
    const std::string texts[] = {
        "{\"sse\":1}\n" + blank + "{\"t\":1,\"data\":\"a\"}\n",
        "data: a\n" + blank.substr(1),
        "data: a\n" + std::string(400'000, 'x') + "\n" + blank,
        "\x1e" + blank + "a",
    };
    for (const auto& text : texts) {
        const auto gz = [&] {
            std::string out;
            sse::Gzip gzip;
            gzip.add(text, out);
            gzip.finish(out);
            return out;
        }();
        for (const auto& bytes : {text, gz}) {
            const TemporaryFile file(bytes);
            const auto reader = sse::open_recording(file.path());
            int pauses = 0, records = 0;
            for (;;) {
                sse::TimeBudget over(Clock::time_point::min());
                const auto* record = reader->next(over);
                if (record != nullptr) ++records;
                else if (!reader->paused()) break;
                else ++pauses;
            }
            CHECK(records == 1);
            CHECK(pauses >= 1);
        }
    }
}
