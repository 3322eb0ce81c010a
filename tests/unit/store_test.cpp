#include "base/error.hpp"
#include "base/unix_time.hpp"
#include "store/crc32c.hpp"
#include "store/segment_file.hpp"
#include "unit/store_rig.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <thread>

using namespace std::chrono_literals;
using test::event;

namespace {

const std::string first_segment = "/" + sse::segment_name(1);

/// `count` events with the data 0, 1, 2 ... and generated ids, each in a batch of its own.
void append_events(test::Store& store, int from, int to, std::size_t padding = 0) {
    for (int i = from; i < to; ++i) {
        const auto data = fmt::format("{}{}", i, std::string(padding, ' '));
        REQUIRE(store.store(event(data, fmt::format("{}-0", 1000 + i))).stored);
    }
}

sse::StoreOptions quick() {
    sse::StoreOptions options;
    options.sync = {sse::StoreSync::When::never, {}};
    options.retry_after = 5ms;
    return options;
}

std::string number_in(const std::string& block) {
    const auto at = block.find("data: ") + 6;
    return block.substr(at, block.find_first_of(" \n", at) - at);
}

} // namespace

TEST_CASE("CRC-32C is that of RFC 3720, with and without the instruction") {
    CHECK(sse::crc32c(0, "123456789") == 0xE306'9283);
    CHECK(sse::crc32c(0, std::string(32, '\0')) == 0x8A91'36AA);
    CHECK(sse::crc32c(0, std::string(32, '\xFF')) == 0x62A8'AB43);
    const std::string text = "The quick brown fox jumps over the lazy dog, and so on";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        const auto head = text.substr(0, cut), rest = text.substr(cut);
        CHECK(sse::crc32c(sse::crc32c(0, head), rest) == sse::crc32c(0, text));
        CHECK(sse::crc32c_portable(0, head) == sse::crc32c(0, head));
    }
}

TEST_CASE("A batch is restored from its bytes, and from no others") {
    sse::Batch batch;
    batch.add({"message", "one", "1-0"}, true);
    batch.add({"message", "two", "x"});
    batch.add_comment("c");
    batch.seal();
    const auto restored = sse::Batch::restore(batch.index_bytes(), batch.chunk_bytes());
    REQUIRE(restored);
    REQUIRE(restored->size() == 3);
    CHECK(restored->id(0) == "1-0");
    CHECK(restored->generated(0));
    CHECK(restored->id(1) == "x");
    CHECK_FALSE(restored->generated(1));
    CHECK(restored->chunks_from(0) == batch.chunks_from(0));
    const std::string index(batch.index_bytes()), chunks(batch.chunk_bytes());
    for (std::size_t cut = 0; cut < index.size(); ++cut)
        CHECK_FALSE(sse::Batch::restore(index.substr(0, cut), chunks));
    for (std::size_t cut = 0; cut < chunks.size(); ++cut)
        CHECK_FALSE(sse::Batch::restore(index, chunks.substr(0, cut)));
}

TEST_CASE("Generated ids are made to increase, and others are left") {
    struct Row {
        const char* what;
        std::vector<std::string> ids; ///< one that begins with g is generated
        sse::EventId last;
        std::vector<std::string> after;
    };
    const Row rows[] = {
        {"in order", {"g5-0", "g5-1"}, {4, 9}, {"5-0", "5-1"}},
        {"the clock was set back", {"g5-0", "g6-0"}, {7, 3}, {"7-4", "7-5"}},
        {"the first one only", {"g5-0", "g6-0"}, {5, 7}, {"5-8", "6-0"}},
        {"equal to the last", {"g5-0"}, {5, 0}, {"5-1"}},
        {"given ids between", {"g5-0", "5-0", "g5-0"}, {5, 0}, {"5-1", "5-0", "5-2"}},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        sse::Batch batch;
        for (const auto& id : row.ids) {
            const bool generated = id.starts_with('g');
            batch.add({"message", "data", std::string_view(id).substr(generated ? 1 : 0)},
                      generated);
        }
        const auto last = batch.renumber(row.last);
        std::vector<std::string> after;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            after.emplace_back(batch.id(i));
            CHECK(batch.block(i) == fmt::format("data: data\nid: {}\n\n", after.back()));
        }
        CHECK(after == row.after);
        CHECK(last >= row.last);
    }
}

TEST_CASE("A store goes on where it ended, however often it is opened") {
    const test::TemporaryDirectory directory;
    for (int round = 0; round < 4; ++round) {
        test::Store store(directory.path(), quick());
        CHECK(store.sink->ids().size() == static_cast<std::size_t>(round * 5));
        append_events(store, round * 5, round * 5 + 5);
        CHECK(store.all() == store.sink->blocks());
    }
    test::Store store(directory.path(), quick(), "/", {7, 1 << 20});
    CHECK(store.sink->blocks().size() == 7); // the newest, as many as memory holds
    CHECK(number_in(store.sink->blocks().back()) == "19");
    CHECK(store.all().size() == 20);
}

TEST_CASE("A store that is closed leaves no file for the next start to read as a whole") {
    const test::TemporaryDirectory directory;
    {
        auto options = quick();
        options.segment_bytes = 4'000;
        test::Store store(directory.path(), options);
        append_events(store, 0, 20, 900);
    }
    std::map<std::string, int> files; // by extension
    for (const auto& file : std::filesystem::directory_iterator(directory.path()))
        ++files[file.path().extension().string()];
    CHECK(files[".events"] > 3);
    CHECK(files[".index"] == files[".events"] - 1); // the newest is not complete
}

TEST_CASE("A second process cannot use a store") {
    const test::TemporaryDirectory directory;
    const test::Store store(directory.path(), quick());
    CHECK_THROWS_AS(sse::DiskLog(std::make_unique<sse::StoreFiles>(directory.path()), quick()),
                    sse::Error);
}

TEST_CASE("Channels of one store do not mix") {
    const test::TemporaryDirectory directory;
    {
        test::Store a(directory.path(), quick(), "/a");
        const auto sink = std::make_shared<test::Sink>();
        const auto b = a.log.open("/b", {}, sink);
        sink->opened(*b.tail);
        for (int i = 0; i < 100; ++i) {
            REQUIRE(a.append(event(fmt::format("a{}", i))));
            sse::Draft draft;
            draft.batch = event(fmt::format("b{}", i));
            REQUIRE(b.channel->append(draft));
        }
        sink->wait([](const auto& it) { return it.ids().size() == 100; });
    }
    test::Store b(directory.path(), quick(), "/b");
    REQUIRE(b.all().size() == 100);
    for (const auto& block : b.all()) CHECK(block.starts_with("data: b"));
    CHECK(b.log.segments().channels() == std::vector<std::string>{"/a", "/b"});
}

TEST_CASE("A place is found by its id") {
    const test::TemporaryDirectory directory;
    auto options = quick();
    options.segment_bytes = 1'000; // several segments
    {
        test::Store store(directory.path(), options);
        for (int i = 0; i < 50; ++i) {
            REQUIRE(store.store(event("own", fmt::format("{}-5", 100 + 2 * i))).stored);
            REQUIRE(store.store(event("given", "", fmt::format("g{}", i))).stored);
        }
        REQUIRE(store.store(event("like ours", "", "120-5")).stored); // and older than it seems
    }
    struct Row {
        const char* what;
        std::string id;
        std::optional<std::uint64_t> next;
        bool gap;
    };
    const Row rows[] = {
        {"the first", "100-5", 1, false},
        {"one in the middle", "150-5", 51, false},
        {"the last generated", "198-5", 99, false},
        {"given by the input", "g0", 2, false},
        {"given, the last", "g49", 100, false},
        {"before the first", "99-0", 0, true},
        {"between two", "151-0", 52, true},
        {"behind the last: the store has lost it", "999-0", 101, true},
        {"unknown", "h1", std::nullopt, true},
        {"nearly one of ours", "150-", std::nullopt, true},
        {"a start before the first event", "5-start", 0, false},
        {"a start that was not of this store", "99999999999999-start", std::nullopt, true},
    };
    for (const bool with_indexes : {false, true}) {
        if (!with_indexes) { // they are made again
            for (const auto& file : std::filesystem::directory_iterator(directory.path())) {
                if (file.path().extension() == ".index") std::filesystem::remove(file.path());
            }
        }
        test::Store store(directory.path(), options);
        for (const auto& row : rows) {
            INFO(row.what);
            const auto at = store.locate(row.id);
            CHECK(at.next == row.next);
            CHECK(at.gap == row.gap);
        }
    }
}

TEST_CASE("A page holds the event asked for, and is bounded") {
    const test::TemporaryDirectory directory;
    auto options = quick();
    options.segment_bytes = 300'000;
    options.page_bytes = 50'000;
    test::Store store(directory.path(), options, "/", {10, 1 << 20});
    append_events(store, 0, 1'000, 1'000);
    for (const std::uint64_t from : {0U, 1U, 499U, 998U, 999U}) {
        const auto page = store.page(from);
        CHECK(page->begin() <= from);
        CHECK(page->end() > from);
        CHECK(number_in(std::string(page->block(from))) == std::to_string(from));
        CHECK(page->bytes() < 50'000 + 64 * 1024 + 2'000);
    }
    CHECK(store.page(1'000)->begin() == store.page(1'000)->end());
    const auto all = store.all();
    REQUIRE(all.size() == 1'000);
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(number_in(all[i]) == std::to_string(i));
}

TEST_CASE("A torn end is cut, wherever it is torn") {
    const test::TemporaryDirectory directory;
    std::vector<std::size_t> ends; // of the file, behind each event
    const auto path = directory.path() + first_segment;
    {
        test::Store store(directory.path(), quick());
        ends.push_back(std::filesystem::file_size(path));
        for (int i = 0; i < 4; ++i) {
            append_events(store, i, i + 1);
            ends.push_back(std::filesystem::file_size(path));
        }
    }
    const auto whole = test::read_file(path);
    for (std::size_t cut = ends[2]; cut < whole.size(); ++cut) {
        for (const auto rest : {0, 1, 2}) { // nothing, zeros, garbage behind the cut
            INFO("cut at " << cut << ", rest " << rest);
            auto bytes = whole.substr(0, cut);
            if (rest == 1) bytes.resize(whole.size() + 100, '\0');
            if (rest == 2) bytes.resize(whole.size() + 100, 's');
            test::write_file(path, bytes);
            const auto expected = static_cast<std::size_t>(
                std::count_if(ends.begin() + 1, ends.end(), [&](auto end) { return end <= cut; }));
            test::Store store(directory.path(), quick());
            CHECK(store.all().size() == expected);
            CHECK(store.log.notes().size() == (bytes.size() == ends[expected] ? 0 : 1));
            append_events(store, 50, 51);
            CHECK(store.all().size() == expected + 1);
        }
    }
}

TEST_CASE("A damaged byte costs its record, and never gives wrong content") {
    const test::TemporaryDirectory directory;
    const auto path = directory.path() + first_segment;
    std::vector<std::string> original;
    {
        test::Store store(directory.path(), quick());
        append_events(store, 0, 4);
        original = store.all();
    }
    const auto whole = test::read_file(path);
    for (std::size_t at = sizeof(sse::SegmentHead); at < whole.size(); ++at) {
        INFO("byte " << at);
        auto bytes = whole;
        bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
        test::write_file(path, bytes);
        sse::StoreFiles files(directory.path());
        const sse::StoreOptions options;
        sse::Segments segments(files, options);
        sse::StoreReading reading(segments, 1'000'000);
        std::vector<std::string> found;
        std::uint64_t missed = 0;
        for (std::uint64_t next = 0;;) {
            const auto page = reading.page(segments.channel("/"), next);
            if (page->begin() == page->end()) break;
            missed += page->begin() - next;
            for (auto i = page->begin(); i < page->end(); ++i) found.emplace_back(page->block(i));
            next = page->end();
        }
        CHECK(found.size() == 3);
        CHECK(missed <= 1); // the last record is cut, and not missed
        CHECK(std::includes(original.begin(), original.end(), found.begin(), found.end()));
    }
}

TEST_CASE("A damaged record of an older segment is skipped, and told of") {
    const test::TemporaryDirectory directory;
    auto options = quick();
    options.segment_bytes = 500;
    {
        test::Store store(directory.path(), options);
        append_events(store, 0, 20);
    }
    const auto path = directory.path() + first_segment;
    auto bytes = test::read_file(path);
    bytes[bytes.find("data: 1\n")] ^= 1;
    test::write_file(path, bytes);
    test::Store store(directory.path(), options);
    const auto all = store.all();
    CHECK(all.size() == 19);
    CHECK(number_in(all[1]) == "2");
    CHECK(store.log.segments().damaged() > 0);
    CHECK(store.locate("1001-0").gap); // its client goes on with the next one
    CHECK(store.locate("1001-0").next == 2);
}

TEST_CASE("The oldest segments go, beyond an age, a size or a number") {
    struct Row {
        const char* what;
        sse::Retention retain;
        std::uint64_t now_in_ms; ///< ms from now
        std::size_t least, most; ///< events left
    };
    const Row rows[] = {
        {"no limit", {}, 1'000'000, 600, 600},
        {"bytes", {0ms, 1'000'000, 0}, 0, 200, 490},
        {"events", {0ms, 0, 300}, 0, 300, 400},
        {"age, not yet", {1h, 0, 0}, 0, 600, 600},
        {"age", {1s, 0, 0}, 1'000'000, 0, 100},
        {"whichever first", {1h, 1'000'000, 300}, 0, 200, 400},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        const test::TemporaryDirectory directory;
        auto options = quick();
        options.segment_bytes = 100'000;
        options.retain = row.retain;
        test::Store store(directory.path(), options, "/", {10, 1 << 20});
        append_events(store, 0, 600, 2'000);
        auto& segments = const_cast<sse::Segments&>(store.log.segments());
        segments.expire(sse::unix_ms() + row.now_in_ms);
        const auto left = store.all();
        CHECK(left.size() >= row.least);
        CHECK(left.size() <= row.most);
        if (!left.empty()) CHECK(number_in(left.back()) == "599");
        std::uintmax_t on_disk = 0;
        for (const auto& file : std::filesystem::directory_iterator(directory.path()))
            on_disk += file.file_size();
        CHECK(on_disk <= store.log.segments().size().bytes + 100'000); // given back
    }
}

TEST_CASE("The places of sources survive a restart, and the segments they were written to") {
    const test::TemporaryDirectory directory;
    auto options = quick();
    options.segment_bytes = 1'000;
    options.retain.events = 10;
    {
        test::Store store(directory.path(), options);
        sse::Draft draft;
        draft.batch = event("x");
        draft.source = "app.log";
        draft.place = "12 34";
        REQUIRE(store.channel->append(draft));
        append_events(store, 0, 100);
        const_cast<sse::Segments&>(store.log.segments()).expire(0);
        CHECK(store.channel->begin() > 0);
    }
    const test::Store store(directory.path(), options);
    CHECK(store.log.place("app.log") == "12 34");
    CHECK_FALSE(store.log.place("other.log"));
}

TEST_CASE("A draft with the key of a recent one is a copy, in whichever segment that is") {
    const test::TemporaryDirectory directory;
    auto options = quick();
    options.segment_bytes = 1'000;
    const auto begun = [&](test::Store& store, bool copies) {
        for (int i = 0; i < 30; ++i) {
            INFO(i);
            const auto receipt = store.store(event("x"), fmt::format("key {}", i));
            CHECK(receipt.stored);
            CHECK(receipt.duplicate == copies);
            CHECK(std::count(receipt.ids.begin(), receipt.ids.end(), '\n') == 1);
        }
    };
    std::string first;
    {
        test::Store store(directory.path(), options);
        begun(store, false);
        first = store.store(event("y"), "key 0").ids;
        auto& segments = const_cast<sse::Segments&>(store.log.segments());
        for (int i = 0; i < 5; ++i) segments.write_index(false); // and the others have none
    }
    {
        test::Store store(directory.path(), options);
        begun(store, true);
        CHECK(store.store(event("y"), "key 0").ids == first);
        CHECK(store.all().size() == 30);
        CHECK(store.log.writer().copies() == 31);
        CHECK(store.store(event("other"), "key 30").stored);
    }
    options.key_age = 0ms;
    const auto stored_at = sse::unix_ms();
    while (sse::unix_ms() <= stored_at) std::this_thread::yield();
    test::Store store(directory.path(), options);
    CHECK_FALSE(store.store(event("y"), "key 0").duplicate);
}

TEST_CASE("A key is free again if its draft could not be written") {
    const test::TemporaryDirectory directory;
    test::Faults disk;
    test::Store store(std::make_unique<test::FaultyFiles>(directory.path(), disk), quick());
    CHECK(store.store(event("before"), "old").stored);
    disk.free_bytes = 0;
    CHECK_FALSE(store.store(event("x"), "key").stored);
    CHECK_FALSE(store.append(event("refused at once"))); // and told when it may try again
    disk.free_bytes = 1 << 30;
    store.sink->wait([](const auto& it) { return it.writables() > 0; });
    CHECK_FALSE(store.store(event("x"), "key").duplicate);
    CHECK(store.store(event("x"), "key").duplicate);
    CHECK(store.store(event("x"), "old").duplicate);
    CHECK(store.all().size() == 2);
}

TEST_CASE("Keys are forgotten after a time, and are bounded in number") {
    const auto key = [](std::uint64_t number, std::uint64_t time) {
        return sse::StoredKey{{number, 0}, time, number, 1};
    };
    sse::RecentKeys keys(100ms, 3);
    CHECK(keys.add(key(1, 1000), 1000));
    CHECK(keys.add(key(2, 1050), 1050));
    CHECK(keys.find({1, 0}, 1100) != nullptr);
    CHECK(keys.find({1, 0}, 1101) == nullptr);
    REQUIRE(keys.find({2, 0}, 1150) != nullptr);
    CHECK(keys.find({2, 0}, 1150)->first == 2);
    CHECK(keys.add(key(3, 1150), 1150));
    CHECK(keys.add(key(4, 1150), 1150));
    CHECK_FALSE(keys.add(key(5, 1150), 1150));
    keys.remove({3, 0});
    CHECK(keys.add(key(3, 1200), 1200));
    CHECK(keys.find({3, 0}, 1251) != nullptr); // not forgotten with what was removed
    CHECK(keys.add(key(6, 1000), 1251));       // too old
    CHECK(keys.find({6, 0}, 1251) == nullptr);
    CHECK(sse::key_hash("/a", "b") != sse::key_hash("/", "ab"));
}

TEST_CASE("A full disk refuses what somebody waits for, keeps the rest, and recovers") {
    const test::TemporaryDirectory directory;
    test::Faults disk;
    std::vector<std::string> notes;
    std::mutex mutex;
    auto options = quick();
    options.on_note = [&](const std::string& text) {
        const std::lock_guard lock(mutex);
        notes.push_back(text);
    };
    test::Store store(std::make_unique<test::FaultyFiles>(directory.path(), disk), options);
    append_events(store, 0, 3);
    disk.free_bytes = 0;
    REQUIRE(store.append(event("waits", "2000-0"))); // of an input: it is not lost
    CHECK_FALSE(store.store(event("refused")).stored);
    store.sink->wait([](const auto&) { return true; });
    while (store.log.health().ok()) std::this_thread::yield();
    CHECK_FALSE(store.append(event("refused at once")));
    CHECK(store.all().size() == 3); // reading goes on
    disk.free_bytes = 1 << 30;
    store.sink->wait([](const auto& it) { return it.ids().size() == 4 && it.writables() > 0; });
    append_events(store, 4, 5);
    REQUIRE(store.all().size() == 5);
    CHECK(number_in(store.all()[3]) == "waits");
    const std::lock_guard lock(mutex);
    REQUIRE(notes.size() == 2);
    CHECK(notes[0].find("No space left on device") != notes[0].npos);
    CHECK(notes[1] == "the store can be written again");
}

TEST_CASE("A slow disk delays answers, and neither delivery nor reading") {
    const test::TemporaryDirectory directory;
    test::Faults disk;
    auto options = quick();
    options.sync = {sse::StoreSync::When::always, {}};
    test::Store store(std::make_unique<test::FaultyFiles>(directory.path(), disk), options);
    {
        const std::lock_guard lock(disk.mutex);
        disk.syncs_wait = true;
    }
    const auto receipt = std::make_shared<test::Given<sse::Receipt>>();
    sse::Draft draft;
    draft.batch = event("slow");
    draft.done = [receipt](const sse::Receipt& given) { receipt->give(given); };
    REQUIRE(store.channel->append(draft));
    store.sink->wait([](const auto& it) { return it.ids().size() == 1; });
    {
        std::unique_lock lock(disk.mutex);
        disk.change.wait(lock, [&] { return disk.syncs_waiting > 0; });
    }
    REQUIRE(store.append(event("and the next")));
    store.sink->wait([](const auto& it) { return it.ids().size() == 2; });
    CHECK(store.all().size() == 2);
    CHECK_FALSE(receipt->given());
    {
        const std::lock_guard lock(disk.mutex);
        disk.syncs_wait = false;
        disk.change.notify_all();
    }
    CHECK(receipt->wait().stored);
}

TEST_CASE("A sync that fails is no answer, and is tried again") {
    const test::TemporaryDirectory directory;
    test::Faults disk;
    auto options = quick();
    options.sync = {sse::StoreSync::When::always, {}};
    test::Store store(std::make_unique<test::FaultyFiles>(directory.path(), disk), options);
    disk.sync_fails = true;
    const auto receipt = store.store(event("x"));
    CHECK_FALSE(receipt.stored);
    CHECK(receipt.error.find("cannot sync") != receipt.error.npos);
    CHECK(store.log.health().error().find("cannot sync") != std::string::npos);
    CHECK_FALSE(store.append(event("refused")));
    disk.sync_fails = false;
    store.sink->wait([](const auto& it) { return it.writables() > 0; });
    CHECK(store.store(event("y")).stored);
}

TEST_CASE("Drafts of many threads keep their order, and each is stored once") {
    const test::TemporaryDirectory directory;
    {
        test::Store store(directory.path(), quick());
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&store, t] {
                for (int i = 0; i < 500; ++i) {
                    const auto data = fmt::format("{}.{}", t, i);
                    while (!store.append(event(data, fmt::format("{}-{}", 100 + i, t))))
                        std::this_thread::yield();
                }
            });
        }
        for (auto& thread : threads) thread.join();
        store.sink->wait([](const auto& it) { return it.ids().size() == 2'000; });
    }
    test::Store store(directory.path(), quick());
    sse::EventId last;
    for (const auto& id : store.sink->ids()) { // the same ids, and in order
        const auto own = sse::parse_event_id(id);
        REQUIRE(own);
        CHECK(*own > last);
        last = *own;
    }
    std::vector<int> next(4, 0);
    for (const auto& block : store.all()) {
        const auto text = number_in(block);
        CHECK(std::stoi(text.substr(2)) == next.at(static_cast<std::size_t>(text[0] - '0'))++);
    }
    CHECK(next == std::vector<int>(4, 500));
}
