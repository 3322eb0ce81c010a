#include "server/send_group.hpp"

#include "server/server_connection.hpp"

#include <utility>

namespace sse {

namespace {

/// A ring with fewer sends costs more than as many calls of send().
constexpr std::size_t fewest_together = 4;

} // namespace

SendGroup::SendGroup(SendIo io)
    : ring_(io == SendIo::send ? nullptr
                               : SendRing::open(io == SendIo::uring ? 1 : fewest_together))
    , sealed_(ring_ ? SendRing::most : 0) {}

SendGroup::~SendGroup() = default;

void SendGroup::add(std::shared_ptr<ServerConnection> connection) {
    added_.push_back(std::move(connection));
    if (added_.size() == SendRing::most) send();
}

void SendGroup::end() {
    if (!added_.empty()) send();
    collecting_ = false;
}

/// First all gather, then all is sent, then each goes on: so nothing that follows from one of them
/// can change what another has gathered. What follows is sent at once.
void SendGroup::send() {
    collecting_ = false;
    const auto now = ServerConnection::Clock::now();
    items_.clear();
    senders_.clear();
    for (const auto& connection : added_) {
        const auto bytes = connection->gather_for_group(now, sealed_[items_.size()]);
        if (bytes.empty()) continue;
        items_.push_back({connection->descriptor(), bytes});
        senders_.push_back(connection.get());
    }
    ring_->send(items_);
    for (std::size_t i = 0; i < items_.size(); ++i)
        senders_[i]->sent_by_group(items_[i].bytes, items_[i].sent);
    for (const auto& connection : added_) connection->leave_group();
    added_.clear();
    collecting_ = true;
}

} // namespace sse
