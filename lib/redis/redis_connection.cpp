#include "redis/redis_connection.hpp"

#include "base/errno_text.hpp"
#include "base/posix.hpp"
#include "net/dial.hpp"
#include "net/socket.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <system_error>
#include <utility>

namespace sse {

namespace {

constexpr std::size_t read_bytes = 64 * 1024;
/// Reads in one call of advance(), so that one connection does not keep the thread from the other.
constexpr int most_reads = 64;

bool is_push(const RedisReply& reply) {
    if (!reply.is_array(3)) return false;
    const auto& kind = reply.items[0].text;
    return kind == "message" || kind == "subscribe" || kind == "unsubscribe";
}

} // namespace

RedisConnection::RedisConnection(const RedisEndpoint& endpoint, const TlsContext* tls)
    : endpoint_(endpoint)
    , tls_context_(tls)
    , lookup_(Lookup::start(endpoint.host, endpoint.port, Family::any))
    , buffer_(read_bytes) {
    if (lookup_->is_done()) resolved();
}

RedisConnection::~RedisConnection() {
    tls_.reset();
    ERR_clear_error();
}

void RedisConnection::resolved() {
    const auto& found = lookup_->addresses();
    addresses_.assign(found.begin(), found.end());
    lookup_.reset();
    connect_next(EADDRNOTAVAIL);
}

/// Connects to the next address; `error` is the error of the previous one.
void RedisConnection::connect_next(int error) {
    while (!addresses_.empty()) {
        const auto address = addresses_.front();
        addresses_.pop_front();
        fd_ = start_connecting(address, {}, error);
        step_ = Step::connecting;
        if (error == EINPROGRESS) return;
        if (error == 0) return established();
    }
    throw Error(
        Errc::connect,
        fmt::format("cannot connect to Redis at {}: {}", endpoint_.text(), errno_text(error)),
        error == ECONNREFUSED ? Reason::connection_refused : Reason::unspecified);
}

void RedisConnection::established() {
    disable_nagle(fd_.get());
    if (!tls_context_) {
        step_ = Step::connected;
        return;
    }
    tls_ = tls_context_->begin(fd_.get(), endpoint_.host);
    step_ = Step::handshake;
    handshake();
}

void RedisConnection::handshake() {
    tls_wants_ = TlsContext::handshake(tls_.get(), endpoint_.text());
    if (tls_wants_ == 0) step_ = Step::connected;
}

void RedisConnection::command(const std::vector<std::string_view>& words, Handler handler) {
    append_command(words, out_);
    waiting_.push_back({std::move(handler), Clock::now()});
}

void RedisConnection::subscription(const std::vector<std::string_view>& words) {
    append_command(words, out_);
}

RedisConnection::Clock::time_point RedisConnection::waits_since() const {
    if (step_ != Step::connected) return started_;
    // While bytes arrive, the wait is not over for a reply that is large or follows many others.
    return waiting_.empty() ? Clock::time_point::max()
                            : std::max(waiting_.front().since, last_received_);
}

pollfd RedisConnection::wanted() const {
    switch (step_) {
    case Step::resolving: return {lookup_->fd(), POLLIN, 0};
    case Step::connecting: return {fd_.get(), POLLOUT, 0};
    case Step::handshake: return {fd_.get(), tls_wants_, 0};
    case Step::connected: break;
    }
    const bool writes = unsent() > 0 || tls_read_wants_write_;
    return {fd_.get(), static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), 0};
}

void RedisConnection::advance(short ready) {
    if (ready == 0) return;
    switch (step_) {
    case Step::resolving: resolved(); break;
    case Step::connecting:
        if (const int error = connect_error(fd_.get()); error != 0) connect_next(error);
        else established();
        break;
    case Step::handshake: handshake(); break;
    case Step::connected: receive(); break;
    }
    if (connected()) flush();
}

void RedisConnection::receive() {
    // poll() does not report bytes that TLS has already read.
    for (int reads = 0; reads < most_reads || (tls_ && SSL_pending(tls_.get()) > 0); ++reads) {
        std::size_t got = 0;
        if (tls_) {
            ERR_clear_error();
            tls_read_wants_write_ = false;
            const int read = SSL_read(tls_.get(), buffer_.data(), static_cast<int>(buffer_.size()));
            if (read <= 0) {
                const int kind = SSL_get_error(tls_.get(), read);
                if (kind == SSL_ERROR_WANT_READ) return;
                if (kind != SSL_ERROR_WANT_WRITE) broken("it was closed");
                tls_read_wants_write_ = true;
                return;
            }
            got = static_cast<std::size_t>(read);
        } else {
            const auto read = receive_some(fd_.get(), buffer_);
            if (read.again) return;
            if (read.closed) broken(read.error != 0 ? errno_text(read.error) : "it was closed");
            got = read.bytes;
        }
        last_received_ = Clock::now();
        parser_.feed({buffer_.data(), got});
        dispatch();
        if (!tls_ && got < buffer_.size()) return;
    }
}

void RedisConnection::dispatch() {
    while (auto reply = parser_.next()) {
        if (on_message && is_push(*reply)) {
            on_message(*reply);
            continue;
        }
        if (waiting_.empty())
            broken(reply->is_error() ? reply->text : "it received a reply without a command");
        const auto handler = std::move(waiting_.front().handler);
        waiting_.pop_front();
        if (handler) handler(*reply);
    }
}

void RedisConnection::flush() {
    while (connected() && unsent() > 0) {
        const auto rest = std::string_view(out_).substr(sent_);
        if (tls_) {
            ERR_clear_error();
            const int wrote =
                SSL_write(tls_.get(), rest.data(),
                          static_cast<int>(std::min<std::size_t>(rest.size(), INT_MAX)));
            if (wrote <= 0) {
                const int kind = SSL_get_error(tls_.get(), wrote);
                if (kind == SSL_ERROR_WANT_WRITE || kind == SSL_ERROR_WANT_READ) return;
                broken("it was closed");
            }
            sent_ += static_cast<std::size_t>(wrote);
        } else {
            const auto wrote = send_some(fd_.get(), {&rest, 1});
            if (wrote.again) return;
            if (wrote.closed) broken(wrote.error != 0 ? errno_text(wrote.error) : "it was closed");
            sent_ += wrote.bytes;
        }
        if (sent_ == out_.size()) {
            out_.clear();
            sent_ = 0;
            constexpr std::size_t kept = 1024 * 1024;
            if (out_.capacity() > kept) out_.shrink_to_fit();
        }
    }
}

void RedisConnection::broken(const std::string& why) const {
    throw Error(Errc::receive,
                fmt::format("the connection to Redis at {} broke: {}", endpoint_.text(), why));
}

} // namespace sse
