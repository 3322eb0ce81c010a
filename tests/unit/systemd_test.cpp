#include "base/error.hpp"
#include "net/systemd.hpp"
#include "unit/catch2.hpp"

#include <string>
#include <unistd.h>

TEST_CASE("what is not for this process is left alone") {
    const auto own = std::to_string(::getpid());
    CHECK(sse::adopt_passed_sockets({}, false).empty());
    CHECK(sse::adopt_passed_sockets({"1", nullptr, nullptr}, false).empty());
    CHECK(sse::adopt_passed_sockets({"1", "1", nullptr}, false).empty());
    CHECK(sse::adopt_passed_sockets({"1", "", nullptr}, false).empty());
    CHECK(sse::adopt_passed_sockets({"1", (own + "x").c_str(), nullptr}, false).empty());
    CHECK(sse::adopt_passed_sockets({"0", own.c_str(), nullptr}, false).empty());
}

TEST_CASE("a number of sockets that is none is refused") {
    const auto own = std::to_string(::getpid());
    for (const auto* count : {"", "x", "-1", "1 ", "99999", "4294967297"}) {
        INFO(count);
        CHECK_THROWS_WITH(sse::adopt_passed_sockets({count, own.c_str(), nullptr}, false),
                          std::string("LISTEN_FDS is not a number of sockets: ") + count);
    }
}

TEST_CASE("a manager that cannot be told is no failure") {
    CHECK(!sse::notify(nullptr, "READY=1"));
    CHECK(!sse::notify("", "READY=1"));
    CHECK(!sse::notify("relative", "READY=1"));
    CHECK(!sse::notify("/no/such/socket", "READY=1"));
    CHECK(!sse::notify(("@" + std::string(200, 'x')).c_str(), "READY=1"));
}
