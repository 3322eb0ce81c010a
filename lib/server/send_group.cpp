#include "server/send_group.hpp"

#include "server/server_connection.hpp"

#include <utility>

namespace sse {

namespace {

/// With fewer connections, the ring costs more than one call of send() for each.
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

/// First all connections gather their bytes, then everything is sent, then each connection
/// continues. So nothing that one of them does afterwards can change the bytes that another has
/// gathered. While they continue, they send directly.
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
