// The least that a reader of a stream can do, as a yardstick: receives a response to its end and,
// by default, discards it. With --lines it finds the end of every line by memchr() and writes what
// follows "data: ", one write() for each receive: no parser, no IDs, no limits, and the chunked
// coding is not decoded (its heads are lines without data).
//
//   bare_read PORT [--lines]
#include "bench/loopback.hpp"

#include <cstring>
#include <string>
#include <string_view>
#include <unistd.h>

namespace {

constexpr std::string_view field = "data: ";

/// Appends the data of the complete lines of `text`; returns how many bytes those are.
std::size_t take_lines(std::string_view text, std::string& data) {
    std::size_t begin = 0;
    while (begin < text.size()) {
        const void* const found = std::memchr(text.data() + begin, '\n', text.size() - begin);
        if (found == nullptr) break;
        const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
        const auto line = text.substr(begin, end + 1 - begin);
        if (line.substr(0, field.size()) == field) data.append(line.substr(field.size()));
        begin = end + 1;
    }
    return begin;
}

void write_all(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
        if (written < 0) std::exit(1);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    const bool lines = argc > 2 && std::string_view(argv[2]) == "--lines";
    const int fd = bench::connect_to(std::atoi(argv[1]));
    bench::ask(fd);
    std::string buffer(std::size_t{1} << 17, '\0'), data;
    for (std::size_t held = 0;;) {
        if (held == buffer.size()) return 1; // no line of a bench is so long
        const auto got = ::recv(fd, buffer.data() + held, buffer.size() - held, 0);
        if (got < 0) return 1;
        if (got == 0) return 0;
        if (!lines) continue;
        held += static_cast<std::size_t>(got);
        data.clear();
        const auto taken = take_lines({buffer.data(), held}, data);
        write_all(data);
        held -= taken;
        std::memmove(buffer.data(), buffer.data() + taken, held);
    }
}
