#include "cmd/tail/delivered_ids.hpp"

#include "base/output_file.hpp"
#include "unit/catch2.hpp"
#include "unit/temporary.hpp"
#include <filesystem>
#include <unistd.h>

TEST_CASE("an ID is saved once its text is written and its command has ended") {
    const TemporaryFile file;
    cmd::DeliveredIds ids(cmd::LastIdFile(file.path()), [] {});
    const auto a = ids.add_stream("a"), b = ids.add_stream("b");
    const auto saved = [&](const char* url) {
        return cmd::LastIdFile(file.path()).last_event_id(url);
    };
    ids.add(a, "1", 10, 0);
    ids.add(a, "2", 20, 0);
    ids.on_written(19);
    CHECK(saved("a") == "1");
    ids.add(b, "7", 20, 1); // behind a command
    ids.add(a, "3", 20, 1);
    ids.add(a, "4", 20, 1); // no output of its own
    ids.on_written(20);
    CHECK((saved("a") == "2" && saved("b") == ""));
    ids.on_ended(1);
    CHECK((saved("a") == "4" && saved("b") == "7"));
    ids.add(a, "5", 30, 2);
    ids.on_ended(2);
    CHECK(saved("a") == "4"); // its text is not written
    ids.on_written(25);
    ids.on_ended(1); // an earlier number from another thread changes nothing
    CHECK(saved("a") == "4");
    ids.on_written(30);
    CHECK(saved("a") == "5");
    CHECK(ids.last_event_id("a") == "5");
}

TEST_CASE("an ID that cannot be saved after a command is a failure later") {
    int failures = 0;
    cmd::DeliveredIds ids(cmd::LastIdFile("/no/such/folder/state"), [&] { ++failures; });
    ids.add(ids.add_stream("a"), "1", 0, 1);
    ids.on_ended(1);
    ids.on_ended(1);
    CHECK(failures == 1);
    CHECK_THROWS_WITH(ids.on_written(0), ContainsSubstring("cannot write /no/such/folder/state"));
}

TEST_CASE("a file is replaced as a whole, through a link of one's own") {
    const TemporaryFile file("old");
    const auto folder = std::filesystem::path(file.path() + ".d");
    std::filesystem::create_directory(folder);
    const auto path = (folder / "file").string(), link = (folder / "link").string();
    sse::replace_file(path, "one");
    std::filesystem::create_symlink("file", link);
    std::filesystem::permissions(path, std::filesystem::perms::owner_read |
                                           std::filesystem::perms::owner_write);
    sse::replace_file(link, "two");
    std::string text;
    std::getline(std::ifstream(path), text);
    CHECK(text == "two");
    CHECK(std::filesystem::is_symlink(link));
    CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::group_read) ==
          std::filesystem::perms::none);
    std::filesystem::create_directory(folder / "taken");
    CHECK_THROWS_AS(sse::replace_file((folder / "taken").string(), "x"), std::system_error);
    CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 3); // nothing is left
    std::filesystem::remove_all(folder);
}
