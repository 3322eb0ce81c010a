// The physical limit of a fan-out: accepts CLIENTS connections, sends each a head, then every line
// of standard input, as one event in one chunk, to each by one send(), or to all by as few
// submissions to io_uring as possible. No history, no ids, no timeouts; a client that cannot take
// it all at once is an error.
//
//   bare_send CLIENTS [--io-uring]        prints its port on stderr
#include <algorithm>
#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#ifdef SSE_URING
#include <liburing.h>
#endif
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <vector>

#ifndef MSG_NOSIGNAL // not on macOS: what is closed early ends a bench
#define MSG_NOSIGNAL 0
#endif

namespace {

void send_each(const std::vector<int>& fds, const std::string& chunk) {
    for (const int fd : fds) {
        const auto sent = ::send(fd, chunk.data(), chunk.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent != static_cast<ssize_t>(chunk.size())) std::exit(1);
    }
}

#ifdef SSE_URING
/// Sends what send_each() sends. A send that fails, or takes a part only, leaves a completion.
class Ring {
public:
    Ring() {
        constexpr unsigned flags =
            IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
        if (::io_uring_queue_init(most, &ring_, flags) != 0) std::exit(1);
    }
    void send_each(const std::vector<int>& fds, const std::string& chunk) {
        for (std::size_t next = 0; next < fds.size();) {
            const auto end = std::min(fds.size(), next + most);
            const auto count = static_cast<int>(end - next);
            for (; next < end; ++next) {
                auto* const entry = ::io_uring_get_sqe(&ring_);
                ::io_uring_prep_send(entry, fds[next], chunk.data(), chunk.size(),
                                     MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL);
                ::io_uring_sqe_set_flags(entry, IOSQE_CQE_SKIP_SUCCESS);
            }
            if (::io_uring_submit(&ring_) != count || ::io_uring_cq_ready(&ring_) != 0)
                std::exit(1);
        }
    }

private:
    static constexpr unsigned most = 1024;
    io_uring ring_{};
};
#else
struct Ring {
    Ring() { std::exit(1); }
    void send_each(const std::vector<int>&, const std::string&) {}
};
#endif

} // namespace

int main(int argc, char** argv) {
    const auto clients = static_cast<std::size_t>(argc > 1 ? std::atol(argv[1]) : 1);
    std::optional<Ring> ring;
    if (argc > 2 && argv[2] == std::string_view("--io-uring")) ring.emplace();
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);

    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&name), size) != 0 ||
        ::listen(listener, 4096) != 0)
        return 1;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&name), &size);
    std::fprintf(stderr, "port %d\n", ntohs(name.sin_port));

    std::vector<int> fds;
    std::vector<char> request(4096);
    constexpr std::string_view head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                      "Transfer-Encoding: chunked\r\n\r\n";
    const int one = 1;
    while (fds.size() < clients) {
        const int fd = ::accept(listener, nullptr, nullptr);
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (::recv(fd, request.data(), request.size(), 0) <= 0) return 1;
        if (::send(fd, head.data(), head.size(), MSG_NOSIGNAL) < 0) return 1;
        fds.push_back(fd);
    }
    const auto send_all = [&](const std::string& chunk) {
        if (ring) ring->send_each(fds, chunk);
        else send_each(fds, chunk);
    };
    std::ios::sync_with_stdio(false);
    std::string line, block, chunk;
    for (std::size_t id = 0; std::getline(std::cin, line); ++id) {
        block = "id: 1795332563138-" + std::to_string(id) + "\ndata: " + line + "\n\n";
        char size_line[16];
        std::snprintf(size_line, sizeof size_line, "%zx\r\n", block.size());
        chunk = size_line + block + "\r\n";
        send_all(chunk);
    }
    send_all("0\r\n\r\n");
}
