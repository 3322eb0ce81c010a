// Publications that are answered once they are stored.
#pragma once

#include "hub/channel.hpp"
#include "server/response.hpp"

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>

namespace sse {

/// Those of one loop; used on its thread.
class StoredPublications {
public:
    using Clock = std::chrono::steady_clock;

    /// `timeout`: of one publication.
    StoredPublications(std::size_t loop, std::chrono::milliseconds timeout)
        : loop_(loop)
        , timeout_(timeout) {}

    /// Appends `batch` to the log of `channel`, unless that was done before with the same `key`
    /// (see Draft). The response follows: 201 with the ids, or 503. Or it is 503 at once.
    Response publish(Channel& channel, Batch& batch, std::string key);
    /// Answers those whose time is over. Call it every second or more often.
    void tick(Clock::time_point now);

private:
    struct Waiting {
        Clock::time_point deadline;
        std::function<void(Response)> send; ///< empty: answered
    };

    const std::size_t loop_;
    const std::chrono::milliseconds timeout_;
    std::list<std::shared_ptr<Waiting>> waiting_; ///< the oldest first
};

} // namespace sse
