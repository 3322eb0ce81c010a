#include "base/posix.hpp"

#include "base/descriptor.hpp"
#include "unit/catch2.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

bool is_closed_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }
bool is_nonblocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

} // namespace

TEST_CASE("every descriptor is closed on exec, and blocks only where asked to") {
    for (const bool nonblocking : {true, false}) {
        int ends[2];
        REQUIRE(sse::make_pipe(ends, nonblocking));
        const sse::Descriptor read(ends[0]), write(ends[1]);
        REQUIRE(sse::make_socket_pair(ends, nonblocking));
        const sse::Descriptor left(ends[0]), right(ends[1]);
        const sse::Descriptor socket(sse::make_socket(AF_INET, SOCK_STREAM, nonblocking));
        for (const auto* fd : {&read, &write, &left, &right, &socket}) {
            REQUIRE(fd->get() >= 0);
            CHECK(is_closed_on_exec(fd->get()));
            CHECK(is_nonblocking(fd->get()) == nonblocking);
        }
    }
}

TEST_CASE("an accepted connection does not block, even if its listening socket does") {
    const sse::Descriptor listening(sse::make_socket(AF_INET, SOCK_STREAM, false));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const name = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listening.get(), name, size) == 0);
    REQUIRE(::listen(listening.get(), 1) == 0);
    REQUIRE(::getsockname(listening.get(), name, &size) == 0);
    const sse::Descriptor client(sse::make_socket(AF_INET, SOCK_STREAM, false));
    REQUIRE(::connect(client.get(), name, size) == 0);
    const sse::Descriptor server(sse::accept_socket(listening.get()));
    REQUIRE(server.get() >= 0);
    CHECK(is_closed_on_exec(server.get()));
    CHECK(is_nonblocking(server.get()));
}

TEST_CASE("a placeholder has nothing to read, and can be closed") {
    const sse::Descriptor placeholder(sse::make_placeholder());
    REQUIRE(placeholder.get() >= 0);
    CHECK(is_closed_on_exec(placeholder.get()));
    char byte = 0;
    CHECK(::read(placeholder.get(), &byte, 1) < 0);
}

TEST_CASE("numbers are read as std::from_chars() reads them") {
    struct Row {
        const char* text;
        double value;
        std::size_t taken; ///< 0: not a number
    };
    const Row rows[] = {
        {"0", 0, 1},       {"12", 12, 2},     {"-2.5", -2.5, 4}, {".5", 0.5, 2}, {"5.", 5, 2},
        {"1e3", 1000, 3},  {"1E-2", 0.01, 4}, {"1e", 1, 1},      {"1e+", 1, 1},  {"2x", 2, 1},
        {"1.5.5", 1.5, 3}, {"0x10", 0, 1},    {"", 0, 0},        {"-", 0, 0},    {".", 0, 0},
        {"+1", 0, 0},      {" 1", 0, 0},      {"e5", 0, 0},      {"1,5", 1, 1},  {"0.1", 0.1, 3},
        {"1e5000", -1, 6}, {"-.e1", 0, 0},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        const std::string text = row.text;
        double value = -1;
        const auto [stop, error] = sse::parse_double(text.data(), text.data() + text.size(), value);
        CHECK(static_cast<std::size_t>(stop - text.data()) == row.taken);
        CHECK((error == std::errc()) == (row.taken > 0 && row.value >= -2.5 && text != "1e5000"));
        if (error == std::errc()) CHECK(value == row.value);
    }
}
