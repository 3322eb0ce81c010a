// Connections of the benches' clients to a server on this machine.
#pragma once

#include <arpa/inet.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <string_view>
#include <sys/socket.h>

#ifndef MSG_NOSIGNAL // not on macOS: what is closed early ends a bench
#define MSG_NOSIGNAL 0
#endif

namespace bench {

/// Connects `fd`, or ends the process.
inline int connect_to(int port, int fd = ::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
        std::perror("connect");
        std::exit(1);
    }
    return fd;
}

/// Asks on `fd` for the stream.
inline void ask(int fd) {
    constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: localhost\r\n"
                                         "Accept: text/event-stream\r\n\r\n";
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) std::perror("send");
}

} // namespace bench
