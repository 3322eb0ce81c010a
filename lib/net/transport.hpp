// The bytes of one connection, over TLS or in the clear. Not a policy: the connection decides what
// follows from the result of a call, and waits.
#pragma once

#include "base/descriptor.hpp"
#include "base/posix.hpp"
#include "net/server_tls.hpp"
#include "net/socket.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace sse {

/// Owns the socket. Used on its loop's thread only. Every call is non-blocking.
class Transport {
public:
    explicit Transport(Descriptor socket)
        : socket_(std::move(socket)) {}

    int fd() const { return socket_.get(); }
    bool secure() const { return tls_ != nullptr; }

    /// Starts TLS; false if there is no memory for it.
    bool begin_tls(TlsServer& server);
    /// Uses a session whose handshake is complete, as the client's is.
    void use_tls(std::unique_ptr<TlsStream> tls) { tls_ = std::move(tls); }
    /// Continues the handshake. After `plain_http` the connection is in the clear again, so that
    /// the client can read the reason.
    TlsStream::Handshake handshake();

    Transfer receive(std::span<char> into);
    /// There may be more to receive than `got`, which receive() put into a span of `room` bytes.
    bool may_hold_more(const Transfer& got, std::size_t room) const {
        return secure() || got.bytes == room;
    }

    /// Sends as much of `views` as the socket accepts, after what TLS still holds of an earlier
    /// call. The bytes it reports must not be sent again.
    Transfer send(std::span<const std::string_view> views);
    /// What send() would send of `piece`, for the caller to send, and then to call was_sent(): over
    /// TLS, it is encrypted into `sealed`. "": call send().
    std::string_view prepare(std::string_view piece, std::string& sealed);
    /// What came of sending all that was `prepared` of a piece of that size. Returns what of the
    /// piece must not be sent again, as send() does.
    Transfer was_sent(std::size_t piece, std::string_view prepared, const Transfer& sent);
    /// TLS holds bytes that have not been sent: call send() again, if only with no views.
    bool pending() const { return tls_ && tls_->pending(); }
    /// Bytes that the socket has accepted, those of TLS itself included.
    std::uint64_t sent() const { return tls_ ? tls_->sent() : sent_; }
    /// Of sent(): bytes that the peer has not acknowledged.
    std::size_t queued() const { return queued_bytes(fd()); }

    /// The peer has reset the connection, or the network has given it up. Sees that also while
    /// received bytes are left unread, which hide it from who waits for them.
    bool is_broken() const;

    /// Ends the sending side (close_notify, then FIN). False: call it again when writable.
    bool shutdown_send();
    /// `reset`: with a RST, which discards what is queued for the peer.
    void close(bool reset);

private:
    Descriptor socket_;
    std::unique_ptr<TlsStream> tls_; ///< nullptr: plain HTTP
    std::uint64_t sent_ = 0;         ///< in the clear
};

} // namespace sse
