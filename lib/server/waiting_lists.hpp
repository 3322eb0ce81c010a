// The connections of a loop that have not sent a whole request, and which of them is closed to make
// a place for a new one.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>

namespace sse {

class ServerConnection;

/// Used on its loop's thread only.
class WaitingLists {
public:
    using Clock = std::chrono::steady_clock;

    struct Entry {
        ServerConnection* connection;
        Clock::time_point since;
    };
    using List = std::list<Entry>; ///< the longest waiting first

    /// Closes the connection that has been idle for longest, or without one, the oldest that has
    /// not sent a request within the time that any client needs. False if there is neither.
    bool evict_one(Clock::time_point now);

    List idle;       ///< between two requests, or after the last response
    List incomplete; ///< within a request, or before the first
};

/// The entry of one connection in the lists of its loop, at most one. Owned by the connection.
class WaitingPlace {
public:
    enum class Kind : std::uint8_t { none, idle, incomplete };

    /// `lists` must outlive it.
    explicit WaitingPlace(WaitingLists& lists)
        : lists_(lists) {}

    Kind kind() const { return kind_; }
    /// Moves `connection` to the end of another list, or out of the lists.
    void move(ServerConnection& connection, Kind kind);

private:
    WaitingLists::List& list() { return kind_ == Kind::idle ? lists_.idle : lists_.incomplete; }

    WaitingLists& lists_;
    WaitingLists::List::iterator entry_; ///< if there is one: see kind_
    Kind kind_ = Kind::none;
};

} // namespace sse
