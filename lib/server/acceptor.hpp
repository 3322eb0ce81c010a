// Accepts connections and gives them to loops, within the limits on connections. Not their serving.
#pragma once

#include "base/descriptor.hpp"
#include "server/address_counts.hpp"
#include "server/listener_context.hpp"
#include "server/loop.hpp"

#include <asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace sse {

/// Descriptors kept open on nothing, to accept a connection when the process has no other left.
class SpareDescriptors {
public:
    explicit SpareDescriptors(std::size_t count);
    /// Closes one, so that the next descriptor can be opened; false if none is left.
    bool release_one();
    /// Opens those that were closed again, as far as the process may.
    void refill();

private:
    const std::size_t count_;
    std::vector<Descriptor> open_;
};

/// Listens on loop 0; used on its thread only, but for clients(). Connections of admin listeners
/// are served by loop 0 and are in no count but their own limit.
class Acceptor {
public:
    /// All must outlive it. `loops` holds loop 0 at least.
    Acceptor(const ServerOptions& options, const Loops& loops, AddressCounts& addresses);

    /// Adds a socket that listens. Before start().
    void add(Descriptor socket, const ListenerContext& listener);
    /// Accepts from now on; clients only with release(), if hold() was called before.
    void start();
    void hold() { held_ = true; }
    void release();
    /// Closes the listeners that are not an admin's.
    void stop();
    /// Client connections on all loops now. Any thread.
    std::size_t clients() const;
    /// Called on loop 0 with a line of text when the process is out of descriptors, at most once a
    /// minute.
    std::function<void(const std::string&)> on_warning;

private:
    struct Listener {
        asio::posix::stream_descriptor descriptor;
        ListenerContext context;
    };
    void wait(Listener& listener);
    void accept_some(Listener& listener);
    void accept_with_spare(Listener& listener);
    void pause(Listener& listener);
    void assign(int fd, const ListenerContext& listener, Refusal refusal);
    void admit(Loop& loop, int fd, const ListenerContext& listener, Refusal refusal);
    void admit_admin(int fd, const ListenerContext& listener);
    std::size_t refused_clients() const;

    const ServerOptions& options_;
    const Loops& loops_;
    AddressCounts& addresses_;
    SpareDescriptors spares_, admin_spares_;
    std::vector<std::unique_ptr<Listener>> listeners_; ///< their contexts outlive all connections
    std::chrono::steady_clock::time_point next_warning_{};
    std::size_t next_loop_ = 0;
    bool held_ = false, started_ = false, stopped_ = false;
};

} // namespace sse
