// What differs between the versions of cpp-httplib that this compiles with: Debian 12's 0.11.4 and
// today's 0.53. Only lib/http/httplib_*.cpp include this.
#pragma once

#include <chrono>
#include <ctime>
#include <functional>
#include <httplib.h>
#include <string>

namespace sse {

// NOLINTBEGIN(modernize-use-override)
/// A Stream over memory, for using httplib as a codec. The names of the members that ask for
/// readiness changed over the versions: all of them are here, and none says `override`.
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

/// httplib's client, asked to talk over a stream of ours. It opens no socket: what it takes for one
/// is a throw-away descriptor that it may close.
class HttplibClient : public httplib::ClientImpl {
public:
    HttplibClient(const std::string& host, int port, httplib::Stream& stream)
        : httplib::ClientImpl(host, port)
        , stream_(stream) {
        set_keep_alive(true); // or it adds `Connection: close`
        set_follow_location(false);
        set_decompress(false);
#if !defined(CPPHTTPLIB_VERSION_NUM)
        set_url_encode(false);
#else
        set_path_encode(false);
#endif
    }

private:
    bool create_and_connect_socket(Socket& socket, httplib::Error& error);
    bool process_socket(const Socket&, std::function<bool(httplib::Stream&)> exchange) {
        return exchange(stream_);
    }
    bool process_socket(const Socket&, std::chrono::time_point<std::chrono::steady_clock>,
                        std::function<bool(httplib::Stream&)> exchange) {
        return exchange(stream_);
    }

    httplib::Stream& stream_;
};
// NOLINTEND(modernize-use-override)

} // namespace sse
