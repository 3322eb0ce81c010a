// A client that measures how late a replay is: opens some streams, one after the other so that
// their clocks differ, reads them all to their end, and takes the time of each event as it comes.
// Prints one line of figures, as JSON, in microseconds.
//
//   replay_timing PORT CLIENTS SPEED
//
// The data of each event is its time in the recording, in microseconds. Nobody but the server knows
// when a client's clock began; the event that came soonest after its time is taken to have been on
// time, and the others are late by what they lag behind it.
#include "bench/loopback.hpp"
#include "bench/ready_set.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

double now_us() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

struct Stream {
    int fd = -1;
    std::string line;
    std::vector<double> offsets; ///< of each event: when it came, less when it was due

    void feed(std::string_view bytes, double came, double speed) {
        constexpr std::string_view data = "data: ";
        for (const char c : bytes) {
            if (c != '\n') {
                line.push_back(c);
                continue;
            }
            if (line.starts_with(data))
                offsets.push_back(came - std::strtod(line.c_str() + data.size(), nullptr) / speed);
            line.clear();
        }
    }
};

int open_stream(int port) {
    const int fd = bench::connect_to(port);
    bench::ask(fd);
    return fd;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const int port = std::atoi(argv[1]);
    const auto clients = static_cast<std::size_t>(std::atol(argv[2]));
    const double speed = std::atof(argv[3]);
    constexpr double apart_us = 7'310; // no multiple of anything else here

    ReadySet ready;
    std::vector<Stream> streams(clients);
    std::size_t open = 0, done = 0;
    std::vector<char> buffer(64 * 1024);
    const double begun = now_us();
    while (done < clients) {
        while (open < clients && now_us() - begun >= static_cast<double>(open) * apart_us) {
            streams[open].fd = open_stream(port);
            ready.add(streams[open].fd, open);
            ++open;
        }
        for (const auto number : ready.wait(open < clients ? 1 : -1)) {
            auto& stream = streams[number];
            const auto size = ::recv(stream.fd, buffer.data(), buffer.size(), 0);
            const double came = now_us();
            if (size > 0) {
                stream.feed({buffer.data(), static_cast<std::size_t>(size)}, came, speed);
                continue;
            }
            ::close(stream.fd);
            ++done;
        }
    }

    std::vector<double> late;
    for (const auto& stream : streams) {
        if (stream.offsets.empty()) continue;
        const double first = *std::min_element(stream.offsets.begin(), stream.offsets.end());
        for (const double offset : stream.offsets) late.push_back(offset - first);
    }
    std::sort(late.begin(), late.end());
    if (late.empty()) return 1;
    const auto at = [&](double share) {
        return late[static_cast<std::size_t>(share * static_cast<double>(late.size() - 1))];
    };
    std::printf("{\"events\": %zu, \"p50\": %.0f, \"p99\": %.0f, \"p99.9\": %.0f, \"max\": %.0f}\n",
                late.size(), at(0.5), at(0.99), at(0.999), late.back());
}
