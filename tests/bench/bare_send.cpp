// The physical limit of a fan-out: accepts CLIENTS connections, sends each a head, then every line
// of standard input, as one event in one chunk, to each by one send(). No history, no ids, no
// timeouts; a client that cannot take it all at once is an error.
//
//   bare_send CLIENTS        prints its port on stderr
#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <vector>

#ifndef MSG_NOSIGNAL // not on macOS: what is closed early ends a bench
#define MSG_NOSIGNAL 0
#endif

int main(int argc, char** argv) {
    const auto clients = static_cast<std::size_t>(argc > 1 ? std::atol(argv[1]) : 1);
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
        for (const int fd : fds) {
            const auto sent = ::send(fd, chunk.data(), chunk.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent != static_cast<ssize_t>(chunk.size())) std::exit(1);
        }
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
