#include "input/file_follower.hpp"

#include "unit/catch2.hpp"
#include "unit/temporary.hpp"

#include <cerrno>
#include <fstream>
#include <sys/stat.h>

namespace {

struct Sink : sse::ByteSource::Sink {
    std::string text; ///< `|` for a break
    std::string notes;
    std::function<void()> after_bytes = [] {};
    void on_bytes(std::string_view bytes) override {
        text.append(bytes);
        after_bytes();
    }
    void on_break() override { text.push_back('|'); }
    void on_note(const std::string& note) override { notes.append(note).append("\n"); }
};

void append(const std::string& path, std::string_view text) {
    std::ofstream(path, std::ios::app) << text;
}

/// Options whose n-th read, counted from 1, fails with ESTALE after `before` was called.
sse::FollowOptions stale_at(int n, std::function<void()> before) {
    sse::FollowOptions options;
    options.read = [n, before = std::move(before), calls = 0](int fd, void* to, std::size_t size,
                                                              off_t offset) mutable -> ssize_t {
        if (++calls != n) return ::pread(fd, to, size, offset);
        before();
        errno = ESTALE;
        return -1;
    };
    return options;
}

} // namespace

TEST_CASE("a followed file whose handle has become stale is opened again, where it was read to") {
    const TemporaryFile file("one\n");
    sse::FileFollower follower(stale_at(2, [&] { append(file.path(), "two\n"); }));
    Sink sink;
    sink.after_bytes = [&] {
        if (sink.text.size() >= 8) follower.stop();
    };
    follower.add(file.path(), sink);
    follower.run();
    CHECK(sink.text == "one\ntwo\n");
    CHECK(sink.notes.empty());
}

TEST_CASE("a place is found again by its inode and the bytes before it") {
    const TemporaryFile file("one\ntwo\n");
    struct stat status {};
    REQUIRE(::stat(file.path().c_str(), &status) == 0);
    struct Row {
        const char* what;
        std::uint64_t inode_more, offset;
        const char *before, *text, *notes;
    };
    const Row rows[] = {
        {"there", 0, 4, "one\n", "two\n", ""},
        {"at its end", 0, 8, "one\ntwo\n", "", ""},
        {"at its start", 0, 0, "", "one\ntwo\n", ""},
        {"another inode", 1, 4, "one\n", "one\ntwo\n", "is not the file that was read before"},
        {"other bytes", 0, 4, "uno\n", "one\ntwo\n", "is not the file that was read before"},
        {"shorter", 0, 9, "one\ntwo\n!", "one\ntwo\n", "is not the file that was read before"},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        sse::FollowOptions options;
        options.place = [&](const std::string&) {
            const auto place = sse::ReadPlace::after(
                {status.st_dev, status.st_ino + row.inode_more, row.offset}, row.before);
            const auto read = sse::ReadPlace::parse(place.text());
            REQUIRE(read);
            return read;
        };
        sse::FileFollower follower(options);
        Sink sink;
        follower.add(file.path(), sink);
        follower.run([&] { follower.stop(); });
        CHECK(sink.text == row.text);
        CHECK(sink.notes.find(row.notes) != sink.notes.npos);
        CHECK(sink.notes.empty() == (row.notes[0] == '\0'));
    }
    for (const auto* const text :
         {"", "1 2 3", "1 2 3 4 5 6", "1 2 3 257 5", "a b c d e", "1 2 3 4 -5"})
        CHECK_FALSE(sse::ReadPlace::parse(text));
}

TEST_CASE("a stale file that another one has replaced is read as a rotated one") {
    const TemporaryFile file("one\n");
    const auto replace = [&] {
        append(file.path() + ".new", "new\n");
        std::rename((file.path() + ".new").c_str(), file.path().c_str());
    };
    sse::FileFollower follower(stale_at(2, replace));
    Sink sink;
    sink.after_bytes = [&] {
        if (sink.text.size() >= 9) follower.stop();
    };
    follower.add(file.path(), sink);
    follower.run();
    CHECK(sink.text == "one\n|new\n");
    CHECK(sink.notes == file.path() + " was replaced; reading the new one\n");
}

TEST_CASE("followed files have turns: one that grows while it is read keeps no other waiting") {
    const TemporaryFile endless("x"), other("y");
    sse::FollowOptions options;
    options.turn_bytes = 10;
    sse::FileFollower follower(options);
    Sink first, second;
    first.after_bytes = [&] { append(endless.path(), "x"); };
    second.after_bytes = [&] { follower.stop(); };
    follower.add(endless.path(), first);
    follower.add(other.path(), second);
    follower.run();
    CHECK(second.text == "y");
    CHECK(first.text == std::string(10, 'x'));
}

TEST_CASE("a file is followed without notifications, too, and when it appears later") {
    const TemporaryFile file;
    std::remove(file.path().c_str());
    for (const bool notify : {true, false}) {
        sse::FollowOptions options;
        options.watch.notify = notify;
        options.watch.interval = std::chrono::milliseconds(1);
        sse::FileFollower follower(options);
        struct Appearing : Sink {
            std::string path;
            void on_note(const std::string& note) override {
                Sink::on_note(note);
                append(path, "a\n");
            }
        } sink;
        sink.path = file.path();
        sink.after_bytes = [&] { follower.stop(); };
        follower.add(file.path(), sink);
        follower.run();
        CHECK(sink.text == "a\n");
        CHECK(sink.notes == "waiting for " + file.path() + " to appear\n");
        std::remove(file.path().c_str());
    }
}
