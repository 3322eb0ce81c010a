#include "net/client_connection.hpp"

#include "base/errno_text.hpp"
#include "base/posix.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace sse {

ClientConnection::ClientConnection(int fd, std::string peer, Interrupt& interrupt)
    : fd_(fd)
    , peer_(std::move(peer))
    , interrupt_(interrupt) {}

ClientConnection::~ClientConnection() {
    if (connection_) SSL_shutdown(connection_.get()); // sends close_notify if that does not block
    ERR_clear_error();
    connection_.reset();
    ::close(fd_);
}

void ClientConnection::start_tls(const TlsContext& context, const std::string& host,
                                 Clock::time_point limit) {
    connection_ = context.connect(fd_, host, peer_, interrupt_, limit);
}

std::optional<std::size_t> ClientConnection::try_read(char* buffer, std::size_t size) {
    const auto got = timed_ ? read_timed(buffer, size) : read_now(buffer, size);
    if (got.value_or(0) > 0) interrupt_.received();
    if (interrupt_) throw Interrupted{}; // also under a load that never makes it wait
    return got;
}

void ClientConnection::check_interrupt() {
    interrupt_.received();
    if (interrupt_) throw Interrupted{};
}

std::optional<std::size_t> ClientConnection::read_now(char* buffer, std::size_t size) {
    if (!connection_) {
        while (true) {
            const auto got = ::recv(fd_, buffer, size, 0);
            if (got >= 0) return static_cast<std::size_t>(got);
            if (errno == EAGAIN || errno == EWOULDBLOCK) return std::nullopt;
            if (errno == EINTR) continue;
            broken(errno);
        }
    }
    ERR_clear_error();
    errno = 0;
    const int got =
        SSL_read(connection_.get(), buffer, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
    if (got > 0) return static_cast<std::size_t>(got);
    switch (SSL_get_error(connection_.get(), got)) {
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_WANT_READ: wanted_ = POLLIN; return std::nullopt;
    case SSL_ERROR_WANT_WRITE: wanted_ = POLLOUT; return std::nullopt;
    case SSL_ERROR_SYSCALL:
        if (errno != 0) broken(errno);
        broken("closed without a TLS close_notify");
    default: {
        const auto reason = alert_reason();
        const auto why = take_tls_error();
        broken(why == "unexpected eof while reading" ? "closed without a TLS close_notify" : why,
               reason);
    }
    }
}

std::optional<std::size_t> ClientConnection::read_timed(char* buffer, std::size_t size) {
    std::chrono::nanoseconds arrived{0};
    std::optional<std::size_t> bytes;
    if (connection_) {
        // A record that is decrypted already keeps its time.
        if (SSL_pending(connection_.get()) > 0) return read_now(buffer, size);
        std::array<char, SSL3_RT_MAX_PACKET_SIZE> peeked;
        arrived = receive_timed(fd_, peeked, true).arrived;
        bytes = read_now(buffer, size);
        if (!bytes) return bytes;
    } else {
        const auto got = receive_timed(fd_, {buffer, size});
        if (got.again) return std::nullopt;
        if (got.error != 0) broken(got.error);
        arrived = got.arrived;
        bytes = got.bytes;
    }
    arrived_ = Clock::now();
    if (arrived.count() == 0) return bytes;
    const auto late = std::chrono::system_clock::now().time_since_epoch() - arrived;
    if (late.count() > 0) arrived_ -= std::chrono::duration_cast<Clock::duration>(late);
    return bytes;
}

bool ClientConnection::wait_readable(std::optional<Clock::time_point> limit) {
    const auto woken =
        interrupt_.wait(fd_, wanted_ != 0 ? wanted_ : static_cast<short>(POLLIN), limit);
    if (woken == Interrupt::Woken::interrupted) throw Interrupted{};
    wanted_ = 0;
    return woken == Interrupt::Woken::ready;
}

ClientConnection::Written
ClientConnection::write(std::string_view& bytes, std::optional<Clock::duration> grace, bool watch) {
    while (!bytes.empty()) {
        short wanted = POLLOUT;
        std::ptrdiff_t taken = -1;
        if (connection_) {
            ERR_clear_error();
            taken = SSL_write(connection_.get(), bytes.data(),
                              static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX)));
            const int kind = taken > 0 ? SSL_ERROR_NONE
                                       : SSL_get_error(connection_.get(), static_cast<int>(taken));
            if (kind == SSL_ERROR_WANT_READ) wanted = POLLIN;
            else if (kind != SSL_ERROR_NONE && kind != SSL_ERROR_WANT_WRITE) return Written::closed;
        } else {
            taken = ::send(fd_, bytes.data(), bytes.size(), no_sigpipe);
            if (taken < 0 && errno == EINTR) continue;
            if (taken < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return Written::closed;
        }
        if (taken > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(taken));
            continue;
        }
        pollfd one{fd_, static_cast<short>(watch ? wanted | POLLIN : wanted), 0};
        std::optional<Clock::time_point> limit;
        if (grace) limit = Clock::now() + *grace;
        const auto woken = interrupt_.wait(std::span<pollfd>(&one, 1), limit);
        if (woken == Interrupt::Woken::interrupted) throw Interrupted{};
        if (woken == Interrupt::Woken::timed_out) return Written::late;
        if (watch && (one.revents & POLLIN) != 0) return Written::readable;
    }
    return Written::all;
}

void ClientConnection::broken(int error) const {
    const auto why = errno_text(error);
    if (error != ECONNRESET) broken(why);
    throw ConnectionReset(fmt::format("the connection to {} broke: {}", peer_, why));
}

void ClientConnection::broken(const std::string& why, Reason reason) const {
    throw Error(Errc::receive, fmt::format("the connection to {} broke: {}", peer_, why), reason);
}

} // namespace sse
