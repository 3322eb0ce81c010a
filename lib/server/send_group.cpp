#include "server/send_group.hpp"

#include "server/server_connection.hpp"

#include <utility>

namespace sse {

namespace {

/// With fewer connections, the ring costs more than one call of send() for each.
constexpr std::size_t fewest_together = 4;

/// Bytes: once the encrypted events of a group take as much, they are sent, whatever the number of
/// connections. What each of them had is freed if it is large.
constexpr std::size_t most_sealed = std::size_t{1} << 20, most_kept = 1024;

} // namespace

SendGroup::SendGroup(SendIo io)
    : ring_(io == SendIo::send ? nullptr
                               : SendRing::open(io == SendIo::uring ? 1 : fewest_together))
    , sealed_(SendRing::most) {}

SendGroup::~SendGroup() = default;

void SendGroup::add(std::shared_ptr<ServerConnection> connection) {
    added_.push_back(std::move(connection));
    if (added_.size() == SendRing::most) send();
}

void SendGroup::end() {
    if (!added_.empty()) send();
    collecting_ = false;
}

/// First the connections gather their bytes, then everything is sent, then each connection
/// continues. So nothing that one of them does afterwards can change the bytes that another has
/// gathered. While they continue, they send directly.
void SendGroup::send() {
    collecting_ = false;
    const auto now = ServerConnection::Clock::now();
    for (auto connection = added_.begin(); connection != added_.end();) {
        items_.clear();
        senders_.clear();
        for (std::size_t sealed = 0; connection != added_.end() && sealed < most_sealed;
             ++connection) {
            auto& own = sealed_[items_.size()];
            own.clear();
            const auto bytes = (*connection)->gather_for_group(now, own);
            sealed += own.size();
            if (bytes.empty()) continue;
            items_.push_back({(*connection)->descriptor(), bytes});
            senders_.push_back(connection->get());
        }
        if (ring_) ring_->send(items_);
        else send_each(items_);
        for (std::size_t i = 0; i < items_.size(); ++i) {
            senders_[i]->sent_by_group(items_[i].bytes, items_[i].sent);
            if (sealed_[i].capacity() > most_kept) std::string().swap(sealed_[i]);
        }
    }
    for (const auto& connection : added_) connection->leave_group();
    added_.clear();
    collecting_ = true;
}

} // namespace sse
