// Sends to many sockets with one system call (io_uring), where this build and the kernel can. Not
// when to send, nor what follows: the bytes, the order and the results are those of send_some().
#pragma once

#include "net/socket.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sse {

/// How the events of a channel are sent to its clients.
enum class SendIo {
    automatic, ///< with one system call for many clients, where the kernel can and it pays
    uring,     ///< always so, even for one client; an error where it cannot
    send,      ///< with one system call for each client
};

/// Owned by one loop, and used on that loop's thread only once it has been opened.
class SendRing {
public:
    /// Whether and why not; found by trying it once in each process. Any thread.
    struct Support {
        bool available = false;
        std::string reason; ///< if it is not available
    };
    static const Support& support();
    /// nullptr if it is not available. `fewest`: fewer items at a time are sent one by one.
    static std::unique_ptr<SendRing> open(std::size_t fewest);

    struct Item {
        int fd;
        std::string_view bytes;
        Transfer sent = {}; ///< set by send()
    };
    /// As many items as are worth sending at a time.
    static constexpr std::size_t most = 128;

    ~SendRing();
    SendRing(const SendRing&) = delete;
    SendRing& operator=(const SendRing&) = delete;

    /// It has not been given up, because the kernel refused it later. Any thread.
    bool works() const { return works_.load(std::memory_order_relaxed); }
    /// Sends the bytes of each item, which must not be empty, as send_some() does. Nothing is used
    /// any more when it returns. No two items may have the same descriptor.
    void send(std::span<Item> items);

private:
    struct Impl;
    SendRing(std::unique_ptr<Impl> impl, std::size_t fewest);
    std::size_t submit(std::span<Item> items);
    /// Everything is sent one by one from now on.
    void give_up(int error);

    std::unique_ptr<Impl> impl_; ///< nullptr: given up
    const std::size_t fewest_;
    int error_ = 0; ///< why, as an errno
    std::atomic<bool> works_{true};
};

} // namespace sse
