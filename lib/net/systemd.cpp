#include "net/systemd.hpp"

#include "base/error.hpp"
#include "base/posix.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace sse {

namespace {

constexpr int first_passed = 3;
/// More than any unit passes: a larger number is a mistake.
constexpr int max_passed = 1024;

int number(const char* text) {
    const std::string_view given = text ? text : "";
    int value = -1;
    const auto parsed = std::from_chars(given.data(), given.data() + given.size(), value);
    return parsed.ec == std::errc() && parsed.ptr == given.data() + given.size() ? value : -1;
}

std::string_view name_at(std::string_view names, int index) {
    for (; index > 0; --index) {
        const auto colon = names.find(':');
        if (colon == names.npos) return {};
        names.remove_prefix(colon + 1);
    }
    return names.substr(0, names.find(':'));
}

} // namespace

std::vector<ListeningSocket> adopt_passed_sockets(const PassedSockets& passed, bool for_admin) {
    std::vector<ListeningSocket> sockets;
    if (!passed.count || number(passed.pid) != static_cast<int>(::getpid())) return sockets;
    const int count = number(passed.count);
    if (count < 0 || count > max_passed) {
        throw Error(Errc::invalid_argument,
                    fmt::format("LISTEN_FDS is not a number of sockets: {}", passed.count));
    }
    for (int i = 0; i < count; ++i) {
        const bool is_admin = name_at(passed.names ? passed.names : "", i) == "admin";
        if (is_admin == for_admin) sockets.push_back(adopt_listening_socket(first_passed + i));
    }
    return sockets;
}

bool notify(const char* path, std::string_view state) {
    if (!path || (path[0] != '/' && path[0] != '@')) return false;
    const std::string_view given = path;
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (given.size() >= sizeof name.sun_path) return false;
    std::copy(given.begin(), given.end(), name.sun_path);
    if (given[0] == '@') name.sun_path[0] = 0;
    // Without a NUL: an abstract name is all the bytes that are given.
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + given.size());
    const Descriptor socket(make_socket(AF_UNIX, SOCK_DGRAM, false));
    return ::sendto(socket.get(), state.data(), state.size(), no_sigpipe,
                    reinterpret_cast<const sockaddr*>(&name),
                    size) == static_cast<ssize_t>(state.size());
}

std::optional<std::chrono::microseconds> watchdog_interval(const char* usec, const char* pid) {
    if (pid && number(pid) != static_cast<int>(::getpid())) return std::nullopt;
    const std::string_view given = usec ? usec : "";
    std::int64_t value = 0;
    const auto parsed = std::from_chars(given.data(), given.data() + given.size(), value);
    if (parsed.ec != std::errc() || parsed.ptr != given.data() + given.size() || value < 2)
        return std::nullopt;
    return std::chrono::microseconds(value / 2);
}

} // namespace sse
