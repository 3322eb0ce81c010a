// A load client: opens many streams at once, reads them all, and checks that each was given the
// events whose data are 1, 2, 3 ... in order. Prints one line of figures. Its CPU is its own, so
// the server's can be read from the server's process.
//
//   readers PORT CLIENTS [LAST] [STALLED]
//
// LAST: the data of the last event that each must have been given (0: do not check). STALLED: so
// many of them never read a byte after their request.
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

/// Finds the `data: N` lines in a chunked stream however it is cut; everything else it reads over.
class Reader {
public:
    bool feed(std::string_view bytes) {
        for (const char c : bytes) {
            if (c != '\n') {
                if (size_ + 1 < sizeof line_) line_[size_++] = c;
                continue;
            }
            const std::string_view line(line_, size_);
            line_[std::exchange(size_, 0)] = 0;
            if (line.starts_with("data: ") && std::strtoull(line_ + 6, nullptr, 10) != ++last)
                return false;
            if (line == "0\r") ended = true;
            if (line.starts_with("HTTP/1.1 ")) status = std::atoi(line_ + 9);
        }
        return true;
    }
    std::uint64_t last = 0;
    int status = 0;
    bool ended = false;

private:
    char line_[32] = {};
    std::size_t size_ = 0;
};

int connect_to(int port, std::size_t number) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    // Several source addresses: one has too few ports for a large number of readers.
    from.sin_addr.s_addr = htonl(0x7F000002u + static_cast<unsigned>(number / 20000));
    ::bind(fd, reinterpret_cast<sockaddr*>(&from), sizeof from);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
        std::perror("connect");
        std::exit(1);
    }
    constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) std::perror("send");
    return fd;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: readers PORT CLIENTS [LAST] [STALLED]\n");
        return 2;
    }
    const int port = std::atoi(argv[1]);
    const auto clients = static_cast<std::size_t>(std::atol(argv[2]));
    const auto must_end_at = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0;
    const auto stalled = argc > 4 ? static_cast<std::size_t>(std::atol(argv[4])) : 0;

    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);

    const int epoll = ::epoll_create1(0);
    std::vector<Reader> readers(clients);
    std::vector<int> fds(clients);
    const auto start = Clock::now();
    for (std::size_t i = 0; i < clients; ++i) {
        fds[i] = connect_to(port, i);
        if (i < stalled) continue;
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = i;
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event);
    }
    const auto connected = Clock::now();

    std::size_t open = clients - stalled, wrong = 0, cut = 0;
    std::uint64_t bytes = 0, events = 0;
    std::vector<char> buffer(256 * 1024);
    std::vector<epoll_event> ready(1024);
    while (open > 0) {
        const int count = ::epoll_wait(epoll, ready.data(), static_cast<int>(ready.size()), 60'000);
        if (count == 0) {
            std::fprintf(stderr, "readers: %zu streams silent for 60 s\n", open);
            return 1;
        }
        for (int i = 0; i < count; ++i) {
            const auto number = ready[static_cast<std::size_t>(i)].data.u64;
            auto& reader = readers[number];
            const auto got = ::recv(fds[number], buffer.data(), buffer.size(), 0);
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            bool closed = got <= 0;
            if (got > 0) {
                bytes += static_cast<std::uint64_t>(got);
                if (!reader.feed({buffer.data(), static_cast<std::size_t>(got)})) {
                    reader.last = ~std::uint64_t{0};
                    closed = true;
                }
            } else if (!reader.ended) {
                ++cut;
            }
            if (!closed) continue;
            const bool in_order = reader.last != ~std::uint64_t{0};
            if (in_order) events += reader.last;
            if (!in_order || (must_end_at != 0 && reader.last != must_end_at)) ++wrong;
            ::close(fds[number]);
            --open;
        }
    }
    const std::chrono::duration<double> took = Clock::now() - connected,
                                        connecting = connected - start;
    std::printf(
        "{\"clients\":%zu,\"events\":%llu,\"bytes\":%llu,\"seconds\":%.3f,\"connect_seconds\":%.3f,"
        "\"wrong\":%zu,\"cut\":%zu}\n",
        clients, static_cast<unsigned long long>(events), static_cast<unsigned long long>(bytes),
        took.count(), connecting.count(), wrong, cut);
    return wrong + cut == 0 ? 0 : 1;
}
