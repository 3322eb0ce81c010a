// Publishes events to the server under load, so that the time at which each was sent is known. They
// are due at fixed times: a server that is slow to answer does not delay later events.
#pragma once

#include "base/histogram.hpp"
#include "base/interrupt.hpp"
#include "client/poster.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sse {

struct LoadPublisherOptions {
    /// `retries` is set to 1, in case the server has closed a kept connection.
    PosterOptions poster;
    double rate = 1;        ///< events a second
    std::size_t size = 200; ///< bytes of the data of an event; more if its JSON members need more
    /// Requests at a time. While this many wait for their responses, further events are sent later
    /// than they are due; their delay counts from the time at which they were due.
    std::size_t most_requests = 64;
};

struct LoadPublished {
    std::uint64_t due = 0, accepted = 0, failed = 0;
    std::string last_failure;
    Histogram response; ///< from when an event was due to the response
    Histogram late;     ///< from when an event was due until this process noticed
};

/// Its members are called on one thread, unless they say otherwise; it posts on threads of its own.
class LoadPublisher {
public:
    /// Throws Error (invalid_argument).
    explicit LoadPublisher(LoadPublisherOptions options);
    /// Aborts requests that are in progress.
    ~LoadPublisher();
    LoadPublisher(const LoadPublisher&) = delete;
    LoadPublisher& operator=(const LoadPublisher&) = delete;

    void start();
    /// Publishes no further events.
    void stop();
    LoadPublished finish();

    /// The time at which the event with this data was due, since 1970; nullopt unless this object
    /// published it. Any thread.
    std::optional<std::chrono::nanoseconds> sent_at(std::string_view data) const;

private:
    struct Due {
        std::uint64_t number;
        Interrupt::Clock::time_point at;
        std::chrono::nanoseconds system; ///< the same since 1970
    };
    void dispatch();
    void work();
    std::string data_of(const Due& due) const;

    LoadPublisherOptions options_;
    std::string run_; ///< a random text that marks the events of this run
    Interrupt stopped_, ended_;
    std::mutex mutex_; ///< guards what follows
    std::condition_variable has_due_;
    std::deque<Due> due_;
    std::size_t idle_ = 0; ///< workers
    bool ending_ = false;
    LoadPublished published_;
    std::vector<std::thread> workers_;
    std::thread dispatcher_;
};

} // namespace sse
