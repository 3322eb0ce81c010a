// Collects the connections of a loop that have something to send at the same time, and sends to
// all of them at once: with one system call, or in a loop that does nothing else.
#pragma once

#include "net/send_ring.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace sse {

class ServerConnection;

/// Used only on the thread of its loop. Between begin() and end(), connections of the loop call
/// add() instead of sending, where they can.
class SendGroup {
public:
    explicit SendGroup(SendIo io);
    ~SendGroup();

    /// True if it sends with io_uring. Any thread.
    bool uses_ring() const { return ring_ && ring_->works(); }
    void begin() { collecting_ = true; }
    bool collecting() const { return collecting_; }
    /// Adds a connection. The bytes that its feed has then are sent once there are enough
    /// connections, at the latest by end().
    void add(std::shared_ptr<ServerConnection> connection);
    void end();

private:
    void send();

    std::unique_ptr<SendRing> ring_; ///< nullptr: one system call for each item
    bool collecting_ = false;
    std::vector<std::shared_ptr<ServerConnection>> added_; ///< at most SendRing::most
    std::vector<SendRing::Item> items_;
    std::vector<ServerConnection*> senders_; ///< of the items, in order
    std::vector<std::string> sealed_;        ///< the encrypted bytes of items over TLS
};

} // namespace sse
