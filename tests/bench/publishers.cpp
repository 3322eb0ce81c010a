// A load of publishers: POSTs 200-byte bodies over a few connections that are kept alive, each with
// so many requests on their way, and counts the answers. Prints one line of figures, as JSON. Its
// CPU is its own, so the server's can be read from the server's process.
//
//   publishers PORT CONNECTIONS COUNT [DEPTH]
//
// COUNT: publishes in all. DEPTH: requests on their way on each connection; 1 waits for each
// answer.
#include "bench/loopback.hpp"
#include "bench/ready_set.hpp"

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

/// One connection: sends a request for each answer that comes, while there are some to send.
struct Publisher {
    int fd = -1;
    std::size_t waiting = 0; ///< answers that have not come
    std::string sending, rest;
    std::size_t sent = 0;
};

int open_connection(int port) {
    const int fd = bench::connect_to(port);
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/// Takes the whole answers off the front of `rest`: how many were 201, and how many were not.
void take_answers(std::string& rest, std::size_t& created, std::size_t& others) {
    std::size_t at = 0;
    for (;;) {
        const auto end = rest.find("\r\n\r\n", at);
        if (end == rest.npos) break;
        const std::string_view head = std::string_view(rest).substr(at, end - at);
        const auto length = head.find("Content-Length: ");
        const auto body =
            length == head.npos ? 0 : std::strtoul(head.data() + length + 16, nullptr, 10);
        if (end + 4 + body > rest.size()) break;
        ++(head.starts_with("HTTP/1.1 201 ") ? created : others);
        at = end + 4 + body;
    }
    rest.erase(0, at);
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: publishers PORT CONNECTIONS COUNT [DEPTH]\n");
        return 2;
    }
    const int port = std::atoi(argv[1]);
    const auto count = static_cast<std::size_t>(std::atol(argv[3]));
    const auto depth = argc > 4 ? static_cast<std::size_t>(std::atol(argv[4])) : 1;
    const std::string body(200, 'x');
    const auto request = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                         "Content-Length: 200\r\n\r\n" +
                         body;

    ReadySet ready;
    std::vector<Publisher> publishers(static_cast<std::size_t>(std::atol(argv[2])));
    std::size_t asked = 0, created = 0, others = 0;
    const auto fill = [&](Publisher& p) {
        for (; p.waiting < depth && asked < count; ++p.waiting, ++asked) p.sending += request;
        while (p.sent < p.sending.size()) {
            const auto sent = ::send(p.fd, p.sending.data() + p.sent, p.sending.size() - p.sent,
                                     MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent <= 0) return; // answers will come, and then it goes on
            p.sent += static_cast<std::size_t>(sent);
        }
        p.sending.clear();
        p.sent = 0;
    };
    const auto start = Clock::now();
    for (std::size_t i = 0; i < publishers.size(); ++i) {
        publishers[i].fd = open_connection(port);
        ready.add(publishers[i].fd, i);
        fill(publishers[i]);
    }
    std::vector<char> buffer(256 * 1024);
    while (created + others < count) {
        const auto& numbers = ready.wait(30'000);
        if (numbers.empty()) {
            std::fprintf(stderr, "publishers: no answer for 30 s\n");
            return 1;
        }
        for (const auto number : numbers) {
            auto& p = publishers[number];
            const auto got = ::recv(p.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (got < 0 && errno == EAGAIN) continue;
            if (got <= 0) {
                std::fprintf(stderr, "publishers: a connection was closed\n");
                return 1;
            }
            p.rest.append(buffer.data(), static_cast<std::size_t>(got));
            const auto before = created + others;
            take_answers(p.rest, created, others);
            p.waiting -= created + others - before;
            fill(p);
        }
    }
    const std::chrono::duration<double> took = Clock::now() - start;
    std::printf("{\"created\":%zu,\"others\":%zu,\"seconds\":%.3f,\"a_second\":%.0f}\n", created,
                others, took.count(), static_cast<double>(created) / took.count());
    return others == 0 ? 0 : 1;
}
