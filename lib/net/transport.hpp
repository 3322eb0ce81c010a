// The bytes of one accepted connection, over TLS or in the clear. It decides nothing: what came of
// a call, and what to wait for, is for its session to act on.
#pragma once

#include "net/server_tls.hpp"
#include "net/socket.hpp"

#include <asio/io_context.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace sse {

/// Not thread-safe: lives on its session's loop. Nothing here waits.
class Transport {
public:
    /// Takes over `fd`.
    Transport(asio::io_context& context, int fd)
        : socket_(context.get_executor(), fd) {}

    int fd() { return socket_.native_handle(); }
    bool secure() const { return tls_ != nullptr; }

    /// From here on it speaks TLS; false if there is no memory for that.
    bool begin_tls(TlsServer& server);
    /// Goes on with the handshake. After `plain_http` it speaks no TLS again, so that the client
    /// can read why.
    TlsStream::Shake shake_hands();

    Transfer receive(std::span<char> into);
    /// More may have come than the `got` that receive() has just put into a span of `room` bytes.
    bool may_hold_more(const Transfer& got, std::size_t room) const {
        return secure() || got.bytes == room;
    }

    /// Sends what of `views` the socket takes; first what TLS holds of the last time. What it says
    /// it took is taken for good.
    Transfer send(std::span<const std::string_view> views);
    /// TLS holds bytes that have not left: send() again, of nothing at least.
    bool pending() const { return tls_ && tls_->pending(); }
    /// Bytes that the socket has taken, those of TLS itself included.
    std::uint64_t sent() const { return tls_ ? tls_->sent() : sent_; }
    /// Of sent(): bytes that the peer has not acknowledged.
    std::size_t queued() { return queued_bytes(fd()); }

    /// Says that nothing more will come. False: again when writable.
    bool end();
    /// `reset`: with a RST, and what is queued for the peer goes with it.
    void close(bool reset);

    /// `handler(std::error_code)` is called on the loop, once; with an error after close().
    template <class Handler>
    void when_readable(Handler&& handler) {
        socket_.async_wait(socket_.wait_read, std::forward<Handler>(handler));
    }
    template <class Handler>
    void when_writable(Handler&& handler) {
        socket_.async_wait(socket_.wait_write, std::forward<Handler>(handler));
    }

private:
    asio::posix::basic_stream_descriptor<asio::io_context::executor_type> socket_;
    std::unique_ptr<TlsStream> tls_; ///< nullptr: plain HTTP
    std::uint64_t sent_ = 0;         ///< in the clear
};

} // namespace sse
