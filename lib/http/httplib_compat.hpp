// What differs between the versions of cpp-httplib that this compiles with: from Debian 12's 0.11.4
// to 0.53. Included where httplib is used: client/httplib_client.cpp, server/httplib_server.cpp and
// http/libraries.cpp.
#pragma once

#include <algorithm>
#include <ctime>
#include <httplib.h>
#include <string>
#include <string_view>

namespace sse {

// NOLINTBEGIN(modernize-use-override)
/// A Stream over memory: httplib reads what it is given and writes to `output`. The names of the
/// members that ask for readiness changed over the versions: all of them are here, and none says
/// `override`.
class HttplibStream : public httplib::Stream {
public:
    explicit HttplibStream(std::string_view input)
        : input_(input) {}

    ssize_t read(char* to, std::size_t size) {
        const auto piece = input_.substr(0, size);
        std::copy(piece.begin(), piece.end(), to);
        input_.remove_prefix(piece.size());
        return static_cast<ssize_t>(piece.size());
    }
    ssize_t write(const char* from, std::size_t size) {
        output.append(from, size);
        return static_cast<ssize_t>(size);
    }
    bool is_readable() const { return true; }
    bool is_writable() const { return true; }
    bool wait_readable() const { return true; }
    bool wait_writable() const { return true; }
    bool is_peer_alive() const { return true; }
    std::time_t duration() const { return 0; }
    void get_remote_ip_and_port(std::string&, int&) const {}
    void get_local_ip_and_port(std::string&, int&) const {}
    socket_t socket() const { return -1; }

    std::string output;

private:
    std::string_view input_;
};
// NOLINTEND(modernize-use-override)

} // namespace sse
