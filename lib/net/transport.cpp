#include "net/transport.hpp"

#include <poll.h>
#include <sys/socket.h>

namespace sse {

bool Transport::begin_tls(TlsServer& server) {
    tls_ = server.accept(fd());
    return tls_ != nullptr;
}

TlsStream::Handshake Transport::handshake() {
    const auto result = tls_->handshake();
    if (result == TlsStream::Handshake::plain_http) tls_.reset();
    return result;
}

Transfer Transport::receive(std::span<char> into) {
    return tls_ ? tls_->receive(into) : receive_some(fd(), into);
}

Transfer Transport::send(std::span<const std::string_view> views) {
    if (!tls_) {
        const auto sent = send_some(fd(), views);
        sent_ += sent.bytes;
        return sent;
    }
    if (tls_->pending()) {
        const auto rest = tls_->flush();
        if (rest.closed || rest.again) return rest;
    }
    return views.empty() ? Transfer{} : tls_->send(views);
}

bool Transport::is_broken() const {
    pollfd state{fd(), 0, 0};
    return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLERR | POLLHUP)) != 0;
}

std::string_view Transport::prepare(std::string_view piece, std::string& sealed) {
    if (!tls_) return piece;
    return tls_->seal(piece, sealed) ? std::string_view(sealed) : std::string_view();
}

Transfer Transport::was_sent(std::size_t piece, std::string_view prepared, const Transfer& sent) {
    if (!tls_) {
        sent_ += sent.bytes;
        return sent;
    }
    if (sent.closed) return sent;
    const auto rest = prepared.substr(sent.bytes);
    tls_->sealed_was_sent(rest);
    return {piece, !rest.empty()};
}

bool Transport::shutdown_send() {
    if (tls_ && !tls_->close_notify()) return false;
    ::shutdown(fd(), SHUT_WR);
    return true;
}

void Transport::close(bool reset) {
    if (reset) {
        const ::linger now{1, 0};
        ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    socket_ = Descriptor();
}

} // namespace sse
