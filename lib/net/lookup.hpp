// The first steps of connecting: resolves a host name, and starts to connect a socket. Nothing here
// waits. Not the whole way: dial() and the proxy's UpstreamConnection go it, each in its own way.
#pragma once

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/wake_pipe.hpp"
#include "net/dial.hpp"

#include <cstdint>
#include <memory>
#include <netdb.h>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace sse {

struct SocketAddress {
    sockaddr_storage bytes{};
    socklen_t length = 0;
};

/// A name resolution on a thread of its own: getaddrinfo() has no time limit and cannot be
/// cancelled, so one that is no longer wanted is left to end by itself.
class Lookup {
public:
    /// Starts it; one of an address needs no thread and is done at once.
    static std::shared_ptr<Lookup> start(const std::string& host, std::uint16_t port,
                                         Family family);
    /// True if it was done at once.
    bool is_done() const { return !threaded_; }
    /// Readable once it is done, if it was not at once.
    int fd() const { return done_.fd(); }
    /// The addresses, once it is done. Throws Error (resolve, `reason`) if there are none.
    const std::vector<SocketAddress>& addresses(Reason reason = Reason::unspecified);

private:
    void run();
    std::vector<SocketAddress> loopback() const;

    std::string host_;
    std::uint16_t port_ = 0;
    addrinfo hints_{};
    WakePipe done_;
    bool threaded_ = false;
    int error_ = 0, system_error_ = 0;
    std::vector<SocketAddress> addresses_;
};

/// A socket that connects to `address`, non-blocking, with the keepalive of `options`. An invalid
/// descriptor and the `error`, if it failed at once; `error` is EINPROGRESS if it connects in the
/// background, 0 if it is connected. `source`: the address to connect from, with any port; nullptr:
/// the system chooses. Throws std::system_error if there can be no socket.
Descriptor start_connecting(const SocketAddress& address, const DialOptions& options, int& error,
                            const SocketAddress* source = nullptr);

/// The outcome of connecting, once `fd` is writable: 0 or an errno.
int connect_error(int fd);

} // namespace sse
