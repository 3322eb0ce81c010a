// Sends to many sockets with one system call (io_uring), if this build and the kernel support it.
// The bytes, the order and the results are those of send_some(). It does not decide when to send.
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
    automatic, ///< as `uring`, if the kernel allows it and there are enough clients; else as `send`
    uring,     ///< with one system call for many clients; an error if the kernel does not allow it
    send,      ///< with one system call for each client
};

/// Owned by one loop. After open(), used only on the thread of that loop.
class SendRing {
public:
    /// Whether it is available, and if not, why. Found out by a trial, once per process. Any
    /// thread.
    struct Support {
        bool available = false;
        std::string reason; ///< if it is not available
    };
    static const Support& support();
    /// Creates one; nullptr if it is not available. `fewest`: if send() has fewer items, they are
    /// sent one by one.
    static std::unique_ptr<SendRing> open(std::size_t fewest);

    struct Item {
        int fd;
        std::string_view bytes;
        Transfer sent = {}; ///< set by send()
    };
    /// The maximum number of items per system call. The kernel and the caller need about 0.2 KiB
    /// for each of them. With 128, a delivery to 1,000 subscribers costs 8% more.
    static constexpr std::size_t most = 1024;

    ~SendRing();
    SendRing(const SendRing&) = delete;
    SendRing& operator=(const SendRing&) = delete;

    /// True unless the kernel has refused to send later, so that it was given up. Any thread.
    bool works() const { return works_.load(std::memory_order_relaxed); }
    /// Sends the bytes of each item, which must not be empty, as send_some() does. The kernel does
    /// not use the bytes after it returns. No two items may have the same descriptor.
    void send(std::span<Item> items);

private:
    struct Impl;
    SendRing(std::unique_ptr<Impl> impl, std::size_t fewest);
    std::size_t submit(std::span<Item> items);
    /// Gives up io_uring: everything is sent one by one from now on.
    void give_up(int error);

    std::unique_ptr<Impl> impl_; ///< nullptr: given up
    const std::size_t fewest_;
    int error_ = 0; ///< why, as an errno
    std::atomic<bool> works_{true};
};

/// Sends the bytes of each item as send_some() does, with one system call for each. Any thread.
void send_each(std::span<SendRing::Item> items);

} // namespace sse
