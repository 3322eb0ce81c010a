// The parser beside a bare memchr() walk over the lines of the same bytes. Prints a line of JSON
// for each input, and leaves the inputs in DIRECTORY, for a peer to read.
//
//   parser DIRECTORY [MEGABYTES]     each input has that many; 2 if nothing is said, which stay in
//   a
//                                    processor's cache as what comes from a socket does
#include "protocol/parser.hpp"
#include "bench/inputs.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

namespace {

struct Counter : sse::Parser::Sink {
    void on_event(const sse::EventView& event) override { ++events, bytes += event.data.size(); }
    std::size_t events = 0, bytes = 0;
};

/// The least of some runs, in seconds: what the others have more was somebody else's.
template <typename Work>
double least(const Work& work) {
    double best = 1e9;
    for (int round = 0; round < 40; ++round) {
        const auto start = std::chrono::steady_clock::now();
        work();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        best = std::min(best, took.count());
    }
    return best;
}

volatile std::size_t lines_seen = 0;

void walk(std::string_view text) {
    std::size_t lines = 0;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (const void* found = std::memchr(at, '\n', static_cast<std::size_t>(end - at))) {
        at = static_cast<const char*>(found) + 1;
        ++lines;
    }
    lines_seen = lines;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: parser DIRECTORY [MEGABYTES]\n");
        return 2;
    }
    const std::string directory = argv[1];
    const auto total = static_cast<std::size_t>(argc > 2 ? std::atol(argv[2]) : 2) * 1'000'000;
    for (const std::size_t bytes : {60u, 200u, 2'000u, 20'000u}) {
        for (const std::size_t lines : {std::size_t{1}, bytes / 20}) {
            const auto events = total / (bytes + 20 + 6 * lines);
            const auto text = bench::stream_text(events, bytes, lines);
            const auto name = std::to_string(bytes) + "-" + std::to_string(lines);
            std::ofstream(directory + "/" + name, std::ios::binary) << text;
            const auto walked = least([&] { walk(text); });
            for (const std::size_t piece : {text.size(), std::size_t{1400}}) {
                std::size_t parsed = 0;
                const auto took = least([&] {
                    Counter counter;
                    sse::Parser parser(counter);
                    for (std::size_t at = 0; at < text.size(); at += piece)
                        parser.feed(std::string_view(text).substr(at, piece));
                    parser.finish();
                    parsed = counter.events;
                });
                if (parsed != events) return 1;
                std::printf("{\"input\":\"%s\",\"bytes\":%zu,\"lines\":%zu,\"piece\":%zu,"
                            "\"events\":%zu,\"size\":%zu,\"seconds\":%.6f,\"walk\":%.6f}\n",
                            name.c_str(), bytes, lines, piece == text.size() ? 0 : piece, events,
                            text.size(), took, walked);
                std::fflush(stdout);
            }
        }
    }
}
