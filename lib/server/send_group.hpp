// The streams of a loop that have something to send at the same time, and are sent it together.
#pragma once

#include "net/send_ring.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace sse {

class ServerConnection;

/// Used on its loop's thread only. Between begin() and end() no connection of the loop sends what
/// it can add() instead.
class SendGroup {
public:
    explicit SendGroup(SendIo io);
    ~SendGroup();

    /// It sends with io_uring; else there is nothing to add. Any thread.
    bool uses_ring() const { return ring_ && ring_->works(); }
    void begin() { collecting_ = uses_ring(); }
    bool collecting() const { return collecting_; }
    /// It is sent what its feed has then: as soon as there are enough of them, or by end().
    void add(std::shared_ptr<ServerConnection> connection);
    void end();

private:
    void send();

    std::unique_ptr<SendRing> ring_; ///< nullptr: each connection sends for itself
    bool collecting_ = false;
    std::vector<std::shared_ptr<ServerConnection>> added_; ///< SendRing::most at the most
    std::vector<SendRing::Item> items_;
    std::vector<ServerConnection*> senders_; ///< of the items, in order
    std::vector<std::string> sealed_;        ///< the bytes of the items over TLS
};

} // namespace sse
