#include "server/waiting_lists.hpp"

#include "server/server_connection.hpp"

namespace sse {

namespace {

/// A client that is still connecting may not have had its turn yet, and none is slower than this.
constexpr std::chrono::seconds first_request_time{1};

} // namespace

bool WaitingLists::evict_one(Clock::time_point now) {
    if (!idle.empty()) {
        idle.front().connection->evict();
        return true;
    }
    if (incomplete.empty() || now - incomplete.front().since < first_request_time) return false;
    incomplete.front().connection->evict();
    return true;
}

void WaitingPlace::move(ServerConnection& connection, Kind kind) {
    if (kind_ != Kind::none) list().erase(entry_);
    kind_ = kind;
    if (kind == Kind::none) return;
    entry_ = list().insert(list().end(), {&connection, WaitingLists::Clock::now()});
}

} // namespace sse
