// Waits for many sockets at once: with epoll on Linux, else with poll(). For a thread that has
// thousands of them and nothing else; the server's loops use Asio.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <poll.h>
#include <span>
#include <vector>

namespace sse {

/// Does not own the descriptors. One thread.
class ReadySet {
public:
    /// Throws std::system_error if there is no descriptor for it.
    ReadySet();
    ~ReadySet();
    ReadySet(const ReadySet&) = delete;
    ReadySet& operator=(const ReadySet&) = delete;

    /// Watches `fd` for `events` of poll(); `number` names it in what wait() returns. Throws
    /// std::system_error.
    void add(int fd, std::uint32_t number, short events);
    void change(int fd, std::uint32_t number, short events);
    /// Call it before `fd` is closed.
    void remove(int fd);

    struct Ready {
        std::uint32_t number;
        short events; ///< of poll()
    };
    /// Those that are ready; waits for the first of them until `limit` has passed, rounded up to
    /// milliseconds. Empty after a signal, too. Valid until the next call.
    std::span<const Ready> wait(std::chrono::nanoseconds limit);
    /// The last wait() returned all that were ready: not just as many as it can, and no signal
    /// interrupted it.
    bool was_complete() const { return complete_; }

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    std::vector<Ready> ready_;
    bool complete_ = true;
};

} // namespace sse
