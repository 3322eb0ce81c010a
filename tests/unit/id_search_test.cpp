#include "playback/id_search.hpp"

#include "playback/id_index.hpp"
#include "recording/reader.hpp"
#include "recording/writer.hpp"
#include "unit/catch2.hpp"
#include "unit/recording_text.hpp"
#include "unit/temporary.hpp"

#include <fstream>

using namespace std::chrono_literals;

namespace {

/// A recording of over `IdSearch::large` bytes: event k has the id `id_of(k)` and t of k ms.
std::unique_ptr<TemporaryFile> large_recording(int events,
                                               const std::function<std::string(int)>& id_of) {
    auto file = std::make_unique<TemporaryFile>();
    const std::string data(sse::IdSearch::large / static_cast<std::size_t>(events), 'x');
    sse::RecordingWriter writer(file->path(), {});
    for (int i = 0; i < events; ++i) {
        const auto t = std::chrono::milliseconds(i);
        writer.comment(t, " between");
        writer.event(t, {"message", data, id_of(i)});
        writer.event(t, {"message", "no id", std::nullopt});
    }
    writer.finish();
    return file;
}

/// By this process so far, as Linux counts; 0 elsewhere.
long long bytes_read() {
    std::ifstream io("/proc/self/io");
    std::string name;
    long long bytes = 0;
    io >> name >> bytes; // rchar comes first
    return bytes;
}

/// Which event was found (its t in ms); -1: none. `steps`: how often the search paused.
long long find(const TemporaryFile& file, const std::string& id, int* steps = nullptr,
               std::uint64_t laps = 1) {
    sse::IdSearch search(file.path(), id, laps, {});
    int count = 0;
    while (!search.step(std::chrono::steady_clock::time_point::min())) ++count;
    if (steps != nullptr) *steps = count;
    return search.found() ? search.found()->place.t / 1ms : -1;
}

} // namespace

TEST_CASE("an id is found in a large recording whether or not ids are in order") {
    constexpr int events = 10'000;
    struct Row {
        const char* order;
        std::function<std::string(int)> id;
        bool halves;
    };
    const Row rows[] = {
        {"counters", [](int i) { return std::to_string(i + 95); }, true},
        {"times and counters",
         [](int i) {
             return "17000000000" + std::to_string(10 + i / 100) + "-" + std::to_string(i % 100);
         },
         true},
        {"the same one several times", [](int i) { return std::to_string(i / 3 * 3 + 2); }, true},
        {"scattered", [](int i) { return std::to_string((i * 7919LL) % 10'007); }, false},
        {"not plain",
         [](int i) { return "{\"\xC3\xA9\":" + std::to_string((i * 7919LL) % 10'007) + "}"; },
         false},
    };
    for (const auto& row : rows) {
        INFO(row.order);
        const auto file = large_recording(events, row.id);
        int worst = 0;
        for (const int i : {0, 1, 2, 5, 4'999, 5'003, 9'998, 9'999}) {
            INFO(i << " is " << row.id(i));
            int last = i; // of that id
            while (last + 1 < events && row.id(last + 1) == row.id(i)) ++last;
            int steps = 0;
            CHECK(find(*file, row.id(i), &steps) == last);
            worst = std::max(worst, steps);
        }
        CHECK((worst == 0) == row.halves);
        for (const char* missing : {"", "0x", "nope", "99999999999999999999"})
            CHECK(find(*file, missing) == -1);
    }
    const auto file = large_recording(events, rows[0].id);
    CHECK(find(*file, "100@7", nullptr, 9) == 5);
    CHECK(find(*file, "100@10", nullptr, 9) == -1);
}

TEST_CASE("where ids are rare the search gives the loop back all the same") {
    for (const bool any : {false, true}) {
        TemporaryFile file;
        sse::RecordingWriter writer(file.path(), {});
        const std::string data(1000, 'x');
        writer.event(0ms, {"message", data, "1"});
        for (int i = 0; i < 20'000; ++i) writer.event(0ms, {"message", data, std::nullopt});
        if (any) writer.event(1ms, {"message", data, "2"});
        writer.finish();
        sse::IdSearch search(file.path(), "2", 1, {});
        int steps = 0;
        for (bool done = false; !done; ++steps) {
            const auto before = bytes_read();
            done = search.step(std::chrono::steady_clock::time_point::min());
            CHECK(bytes_read() - before < 8'000'000);
        }
        CHECK(search.found().has_value() == any);
        CHECK(steps > 20);
    }
}

TEST_CASE("a reader goes on before a time, by halves") {
    const auto file = large_recording(5'000, [](int i) { return std::to_string(i); });
    sse::RecordingReader reader(file->path());
    for (const auto t : {0ms, 1ms, 2'500ms, 4'999ms, 6'000ms}) {
        INFO(t.count());
        int read = 0;
        reader.seek_before([&](const sse::Record& record) {
            ++read;
            return record.t >= t;
        });
        CHECK(read < 30);
        int skipped = 0;
        const auto* record = reader.next();
        for (; record != nullptr && record->t < t; record = reader.next()) ++skipped;
        CHECK(skipped < 150);
        if (t < 5s) {
            REQUIRE(record != nullptr);
            CHECK(record->t == t);
            CHECK(std::holds_alternative<sse::RecordedComment>(record->what)); // its first
        }
    }
    reader.rewind();
    reader.next();
    CHECK(reader.place().line == 2);
}

TEST_CASE("a bad line far into a recording is named by its byte where its number is not known") {
    std::string text = "{\"sse\":1}\n";
    while (text.size() < 1'000'000)
        text += "{\"t\":1,\"data\":\"" + std::string(100, 'x') + "\"}\n";
    const auto bad = text.size();
    const TemporaryFile file(text + "nonsense\n");
    sse::RecordingReader reader(file.path());
    reader.seek_before([](const sse::Record&) { return false; });
    CHECK(describe_rest(reader).find("error: " + file.path() + ": byte " + std::to_string(bad) +
                                     ": not a JSON object") != std::string::npos);
}

TEST_CASE("an index knows the ids that were played last") {
    sse::IdIndex index;
    const auto position = [](std::uint64_t n) { return sse::PlaybackPosition{{n, n, 0us, 0}, 2}; };
    index.add("a", position(1));
    index.add("a", position(2));
    REQUIRE(index.find("a"));
    CHECK(index.find("a")->place.offset == 2);
    CHECK(index.find("a")->lap == 2);
    for (std::size_t i = 0; i < sse::IdIndex::max_ids; ++i)
        index.add(std::to_string(i), position(i));
    CHECK_FALSE(index.find("a"));
    CHECK(index.find("0"));
    CHECK(index.find(std::to_string(sse::IdIndex::max_ids - 1)));
}
