// What differs between the versions of cpp-httplib that this compiles with: Debian 12's 0.11.4 and
// today's 0.53. Included by client/httplib_client.cpp and server/httplib_server.cpp only.
#pragma once

#include <ctime>
#include <httplib.h>
#include <string>

namespace sse {

// NOLINTBEGIN(modernize-use-override)
/// A Stream over memory, for using httplib as a codec; derived classes read and write. The names of
/// the members that ask for readiness changed over the versions: all of them are here, and none
/// says `override`.
class HttplibStream : public httplib::Stream {
public:
    bool is_readable() const { return true; }
    bool is_writable() const { return true; }
    bool wait_readable() const { return true; }
    bool wait_writable() const { return true; }
    bool is_peer_alive() const { return true; }
    std::time_t duration() const { return 0; }
    void get_remote_ip_and_port(std::string&, int&) const {}
    void get_local_ip_and_port(std::string&, int&) const {}
    socket_t socket() const { return -1; }
};
// NOLINTEND(modernize-use-override)

} // namespace sse
