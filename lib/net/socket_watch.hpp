// Waits for the sockets of an event loop to become readable or writable. Asio can do that too, but
// keeps 0.3 KiB for each socket, and makes two system calls more before the first wait.
#pragma once

#include <asio/io_context.hpp>
#include <cstdint>
#include <memory>

namespace sse {

/// What a socket is watched for, or is: a set of bits.
struct Readiness {
    bool readable = false, writable = false;

    bool any() const { return readable || writable; }
    bool operator==(const Readiness&) const = default;
};

/// Does not own the sockets. Used on its loop's thread only.
class SocketWatch {
public:
    /// What owns a watched socket.
    class Owner {
    public:
        /// The socket is what it is watched for, or broken; called again and again while it is.
        /// May change and end any watch, and destroy any owner whose watch has ended.
        virtual void on_ready(Readiness ready) = 0;

    protected:
        ~Owner() = default;
    };

    /// `context` runs on the loop's thread and must outlive it. Throws std::system_error if there
    /// is no descriptor for it.
    explicit SocketWatch(asio::io_context& context);
    ~SocketWatch();
    SocketWatch(const SocketWatch&) = delete;
    SocketWatch& operator=(const SocketWatch&) = delete;

    /// Watches `fd` for `wanted`, where it was watched for `before`. Without any, the watch has
    /// ended: so it must before `fd` is closed. False, and nothing has changed, if the kernel has
    /// no memory for it.
    bool change(int fd, Owner& owner, Readiness before, Readiness wanted);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace sse
