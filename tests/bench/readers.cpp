// A load client: opens many streams at once, reads them all, and checks that each was given the
// events whose data are 1, 2, 3 ... in order. Prints one line of figures, as JSON. Its CPU is its
// own, so the server's can be read from the server's process.
//
//   readers PORT CLIENTS [last=N] [stalled=N] [slow=N] [leave=SECONDS] [timed=N] [tell=FD]
//
// last: the data of the last event that each must have been given. The first `stalled` of them read
// nothing after their request, and the next `slow` 1 KiB a second, until the others are at their
// end; then they read what there is for them. A slow one leaves after `leave` seconds if that is
// given. What these slow clients had is told apart: how much, and how much they were told they
// missed.
//
// Where data is `N T`, T is taken for the microseconds of the monotonic clock at which it was
// written, and it is told how late they came; `timed=N`: only the first N events count there.
// `tell=FD`: for each of these, a byte is written to FD once all have it.
#include "bench/loopback.hpp"
#include "bench/ready_set.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t now_us() {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch())
            .count());
}

/// How late events came, in microseconds: counted in classes an eighth wide.
class Latencies {
public:
    void add(std::uint64_t us) {
        ++counts_[place(us)];
        ++count_;
        max_ = std::max(max_, us);
    }
    /// The upper end of the class that it is in.
    std::uint64_t quantile(double share) const {
        const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(count_));
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i)
            if ((below += counts_[i]) > rank) return std::min(end(i), max_);
        return max_;
    }
    std::uint64_t max() const { return max_; }

private:
    static std::size_t place(std::uint64_t us) {
        if (us < 16) return us;
        const auto log = static_cast<std::size_t>(std::bit_width(us)) - 4; // us >> log is 8 to 15
        return 8 * log + (us >> log);
    }
    static std::uint64_t end(std::size_t place) {
        if (place < 16) return place;
        const auto log = place / 8 - 1;
        return (((place % 8 + 8) + 1) << log) - 1;
    }
    std::array<std::uint64_t, 512> counts_{};
    std::uint64_t count_ = 0, max_ = 0;
};

/// Finds the `data: N` lines in a chunked stream however it is cut, and the comments that tell of
/// events missed; everything else it reads over.
class Reader {
public:
    /// Events up to the number `timed` are added to `latencies`.
    Reader(Latencies& latencies, std::uint64_t timed)
        : latencies_(&latencies)
        , timed_(timed) {}
    void feed(std::string_view bytes) {
        for (const char c : bytes) {
            if (c != '\n') {
                if (size_ + 1 < sizeof line_) line_[size_++] = c;
                continue;
            }
            line_[size_] = 0;
            take({line_, std::exchange(size_, 0)});
        }
    }
    std::uint64_t last = 0, events = 0, missed = 0;
    int status = 0;
    bool in_order = true, ended = false;

private:
    void take(std::string_view line) {
        constexpr std::string_view data = "data:", missing = ": missed ";
        if (line.starts_with(data)) {
            char* rest = line_ + data.size();
            if (std::strtoull(rest, &rest, 10) != ++last) in_order = false;
            ++events;
            if (const auto written = std::strtoull(rest, nullptr, 10);
                written != 0 && last <= timed_)
                latencies_->add(now_us() - written);
        } else if (line.starts_with(missing)) {
            const auto count = std::strtoull(line_ + missing.size(), nullptr, 10);
            last += count;
            missed += count;
        } else if (line == "0\r") {
            ended = true;
        } else if (line.starts_with("HTTP/1.1 ")) {
            status = std::atoi(line_ + 9);
        }
    }
    Latencies* latencies_;
    std::uint64_t timed_;
    char line_[48] = {};
    std::size_t size_ = 0;
};

int open_stream(int port, std::size_t number, bool slow) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    if (slow) { // or the two ends hold 2 MB of it: loopback has large segments
        const int window = 1024, segment = 536;
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
        ::setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    }
    sockaddr_in from{};
    from.sin_family = AF_INET;
    // Several source addresses: one has too few ports for a large number of readers.
    from.sin_addr.s_addr = htonl(0x7F000002u + static_cast<unsigned>(number / 10000));
#ifdef IP_BIND_ADDRESS_NO_PORT
    const int one = 1; // a port that is free to this server, whatever else it is in use for
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
#endif
    ::bind(fd, reinterpret_cast<sockaddr*>(&from), sizeof from);
    bench::connect_to(port, fd);
    bench::ask(fd);
    return fd;
}

struct Arguments {
    int port = 0;
    std::size_t clients = 0, stalled = 0, slow = 0;
    std::uint64_t last = 0, timed = ~0ull;
    int leave = 0, tell = -1;
};

Arguments read_arguments(int argc, char** argv) {
    Arguments a;
    a.port = std::atoi(argv[1]);
    a.clients = static_cast<std::size_t>(std::atol(argv[2]));
    for (int i = 3; i < argc; ++i) {
        const std::string_view given = argv[i];
        const auto value = std::strtoull(argv[i] + given.find('=') + 1, nullptr, 10);
        if (given.starts_with("last=")) a.last = value;
        else if (given.starts_with("stalled=")) a.stalled = value;
        else if (given.starts_with("slow=")) a.slow = value;
        else if (given.starts_with("timed=")) a.timed = value;
        else if (given.starts_with("tell=")) a.tell = static_cast<int>(value);
        else if (given.starts_with("leave=")) a.leave = static_cast<int>(value);
        else std::exit(2);
    }
    return a;
}

/// All the streams, and who reads them how.
class Streams {
public:
    explicit Streams(const Arguments& a)
        : a_(a)
        , slow_clients_(a.stalled + a.slow)
        , readers_(a.clients, Reader(latencies_, a.timed))
        , fds_(a.clients)
        , buffer_(256 * 1024) {
        for (std::size_t i = 0; i < a.clients; ++i) {
            fds_[i] = open_stream(a.port, i, i < slow_clients_);
            if (i < slow_clients_) readers_[i] = Reader(latencies_, 0); // they are late on purpose
            if (i >= slow_clients_) watch(i);
        }
    }

    /// False if nothing came for a minute.
    bool run() {
        const auto start = start_ = Clock::now();
        auto next_sip = start + std::chrono::seconds(1);
        auto received = start;
        while (open_ > 0) {
            const auto& numbers = ready_.wait(200);
            for (const auto number : numbers) receive(number, buffer_.size());
            const auto now = Clock::now();
            if (!numbers.empty()) received = now;
            if (now - received > std::chrono::minutes(1)) return false;
            if (now >= next_sip) {
                next_sip = now + std::chrono::seconds(1);
                sip(now - start);
            }
        }
        return true;
    }

    static double seconds(std::uint64_t us) { return static_cast<double>(us) / 1e6; }
    /// What the slow clients have missed reading until now.
    void drain() {
        for (std::size_t i = 0; i < slow_clients_; ++i)
            if (fds_[i] >= 0) watch(i);
        run();
    }

    void print(double connecting, double took) const {
        std::uint64_t events = 0;
        std::size_t wrong = 0, cut = 0;
        for (std::size_t i = slow_clients_; i < a_.clients; ++i) {
            const auto& r = readers_[i];
            events += r.events;
            if (!r.in_order || r.missed > 0 || (a_.last != 0 && r.last != a_.last)) ++wrong;
            if (!r.ended) ++cut;
        }
        std::printf("{\"clients\":%zu,\"events\":%llu,\"bytes\":%llu,\"seconds\":%.3f,"
                    "\"connect_seconds\":%.3f,\"open_seconds\":%.3f,\"wrong\":%zu,\"cut\":%zu,"
                    "\"p50_seconds\":%.6f,\"p99_seconds\":%.6f,\"latest_seconds\":%.6f,"
                    "\"slow_clients\":[",
                    a_.clients, static_cast<unsigned long long>(events),
                    static_cast<unsigned long long>(bytes_), took, connecting,
                    connecting + opened_.count(), wrong, cut, seconds(latencies_.quantile(0.5)),
                    seconds(latencies_.quantile(0.99)), seconds(latencies_.max()));
        for (std::size_t i = 0; i < slow_clients_; ++i) {
            const auto& r = readers_[i];
            std::printf("%s{\"events\":%llu,\"missed\":%llu,\"last\":%llu,\"in_order\":%s,"
                        "\"ended\":%s}",
                        i > 0 ? "," : "", static_cast<unsigned long long>(r.events),
                        static_cast<unsigned long long>(r.missed),
                        static_cast<unsigned long long>(r.last), r.in_order ? "true" : "false",
                        r.ended ? "true" : "false");
        }
        std::printf("]}\n");
    }
    bool good() const {
        return std::all_of(readers_.begin() + static_cast<std::ptrdiff_t>(slow_clients_),
                           readers_.end(), [&](const Reader& r) {
                               return r.in_order && r.missed == 0 && r.ended &&
                                      (a_.last == 0 || r.last == a_.last);
                           });
    }

private:
    void watch(std::size_t number) {
        ready_.add(fds_[number], number);
        ++open_;
    }
    /// False if the stream is at its end.
    bool receive(std::size_t number, std::size_t most) {
        const auto got = ::recv(fds_[number], buffer_.data(), most, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
        if (got > 0) {
            bytes_ += static_cast<std::uint64_t>(got);
            if (readers_[number].status == 0 && ++answered_ == a_.clients - slow_clients_)
                opened_ = Clock::now() - start_;
            const auto before = readers_[number].events;
            readers_[number].feed({buffer_.data(), static_cast<std::size_t>(got)});
            tell(readers_[number].events - before);
            if (readers_[number].in_order) return true;
        }
        ::close(std::exchange(fds_[number], -1));
        --open_;
        return false;
    }
    /// `more` events have come.
    void tell(std::uint64_t more) {
        if (a_.tell < 0 || told_ == a_.timed) return;
        events_ += more;
        for (; told_ < a_.timed && events_ >= (told_ + 1) * (a_.clients - slow_clients_); ++told_)
            if (::write(a_.tell, "+", 1) != 1) std::exit(1);
    }
    /// The slow ones take their 1 KiB.
    void sip(Clock::duration since_start) {
        for (std::size_t i = a_.stalled; i < slow_clients_; ++i) {
            if (fds_[i] < 0) continue;
            ++open_; // which receive() counts down if that was its end
            if (a_.leave > 0 && since_start >= std::chrono::seconds(a_.leave)) {
                ::close(std::exchange(fds_[i], -1));
                --open_;
            } else if (receive(i, 1024)) {
                --open_;
            }
        }
    }

    const Arguments a_;
    const std::size_t slow_clients_;
    Latencies latencies_;
    std::vector<Reader> readers_;
    std::vector<int> fds_; ///< -1: at its end
    std::vector<char> buffer_;
    ReadySet ready_;
    std::size_t open_ = 0; ///< watched, and not at their end
    std::uint64_t bytes_ = 0;
    std::uint64_t events_ = 0, told_ = 0; ///< while somebody is to be told
    std::size_t answered_ = 0;            ///< of those that are not slow
    Clock::time_point start_;
    std::chrono::duration<double> opened_{}; ///< when the last of them had its first byte
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: readers PORT CLIENTS [last=N] [stalled=N] [slow=N] "
                             "[leave=SECONDS] [timed=N] [tell=FD]\n");
        return 2;
    }
    const auto arguments = read_arguments(argc, argv);
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);

    const auto start = Clock::now();
    Streams streams(arguments);
    const auto connected = Clock::now();
    if (!streams.run()) {
        std::fprintf(stderr, "readers: streams silent for a minute\n");
        return 1;
    }
    const std::chrono::duration<double> took = Clock::now() - connected,
                                        connecting = connected - start;
    streams.drain();
    streams.print(connecting.count(), took.count());
    return streams.good() ? 0 : 1;
}
