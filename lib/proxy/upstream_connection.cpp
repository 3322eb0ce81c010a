#include "proxy/upstream_connection.hpp"

#include "base/errno_text.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace sse {

namespace {

/// Receive calls in one turn of the loop, so that a fast server does not keep it from the others.
constexpr int max_upstream_reads_per_turn = 4;

} // namespace

UpstreamConnection::UpstreamConnection(UpstreamLoop& loop, Owner& owner)
    : loop_(loop)
    , owner_(&owner)
    , limit_(loop.context)
    , next_(loop.context) {}

void UpstreamConnection::start() {
    const auto& options = loop_.options;
    if (options.dial.connect_timeout) {
        limit_.expires_after(*options.dial.connect_timeout);
        limit_.async_wait([self = shared_from_this()](const std::error_code& error) {
            if (error || !self->owner_ || self->open_) return;
            self->fail(Error(Errc::timeout, fmt::format("cannot connect to {}: timed out",
                                                        self->loop_.options.url.endpoint())));
        });
    }
    const auto now = std::chrono::steady_clock::now();
    if (!loop_.addresses.empty() && now < loop_.resolved + options.address_lifetime)
        return connect_to(loop_.addresses);
    const auto resolved = [](UpstreamConnection& self) {
        try {
            self.loop_.addresses = self.lookup_->addresses();
        } catch (const Error& e) {
            return self.fail(e);
        }
        self.loop_.resolved = std::chrono::steady_clock::now();
        self.connect_to(self.loop_.addresses);
    };
    try {
        lookup_ = Lookup::start(options.url.host, options.url.port, options.dial.family);
        if (lookup_->is_done()) return resolved(*this);
        const int fd = ::dup(lookup_->fd()); // the descriptor of asio owns its own
        if (fd < 0) throw std::system_error(errno, std::generic_category(), "cannot resolve");
        lookup_fd_ = std::make_unique<asio::posix::stream_descriptor>(loop_.context, fd);
    } catch (const std::system_error& e) {
        return fail(Error(Errc::connect, e.what()));
    }
    lookup_fd_->async_wait(asio::posix::stream_descriptor::wait_read,
                           [self = shared_from_this(), resolved](const std::error_code& error) {
                               if (!error && self->owner_) resolved(*self);
                           });
}

// ---- connecting: one address after the other, each shortly after the one before (RFC 8305) ----

void UpstreamConnection::connect_to(std::vector<SocketAddress> addresses) {
    lookup_fd_.reset();
    addresses_ = std::move(addresses);
    start_next();
}

void UpstreamConnection::start_next() {
    while (owner_ && !transport_ && next_address_ < addresses_.size()) {
        int error = 0;
        Descriptor fd;
        try {
            fd = start_connecting(addresses_[next_address_++], loop_.options.dial, error);
        } catch (const std::system_error& e) {
            return fail(Error(Errc::connect, fmt::format("cannot connect to {}: {}",
                                                         loop_.options.url.endpoint(), e.what())));
        }
        if (error == 0) return on_connected(fd.release());
        last_error_ = error;
        if (error != EINPROGRESS) continue;
        const auto attempt =
            std::make_shared<asio::posix::stream_descriptor>(loop_.context, fd.release());
        attempts_.push_back(attempt);
        attempt->async_wait(attempt->wait_write,
                            [self = shared_from_this(), attempt](const std::error_code& failed) {
                                if (!failed && self->owner_) self->on_attempt(attempt);
                            });
        if (next_address_ == addresses_.size()) return;
        next_.expires_after(loop_.options.dial.next_address);
        next_.async_wait([self = shared_from_this()](const std::error_code& failed) {
            if (!failed && self->owner_) self->start_next();
        });
        return;
    }
    if (!owner_ || transport_ || !attempts_.empty()) return;
    // It may have moved: the next connection resolves it again.
    loop_.addresses.clear();
    fail(Error(Errc::connect,
               fmt::format("cannot connect to {}: {}", loop_.options.url.endpoint(),
                           errno_text(last_error_)),
               last_error_ == ECONNREFUSED ? Reason::connection_refused : Reason::unspecified));
}

void UpstreamConnection::on_attempt(
    const std::shared_ptr<asio::posix::stream_descriptor>& attempt) {
    std::erase(attempts_, attempt);
    last_error_ = connect_error(attempt->native_handle());
    if (last_error_ == 0) return on_connected(attempt->release());
    next_.cancel();
    start_next();
}

void UpstreamConnection::on_connected(int fd) {
    attempts_.clear();
    next_.cancel();
    transport_ = std::make_unique<Transport>(Descriptor(fd));
    waits_ = std::make_unique<asio::posix::stream_descriptor>(loop_.context, fd);
    if (!loop_.tls) return begin_transfer();
    try {
        session_ = loop_.tls->begin(fd, loop_.options.url.host);
    } catch (const Error& e) {
        return fail(e);
    }
    handshake();
}

void UpstreamConnection::handshake() {
    short wanted = 0;
    try {
        wanted = TlsContext::handshake(session_.get(), loop_.options.url.endpoint());
    } catch (const Error& e) {
        return fail(e);
    }
    if (wanted == 0) {
        transport_->use_tls(std::make_unique<TlsStream>(session_.release(), transport_->fd()));
        return begin_transfer();
    }
    const auto again = [self = shared_from_this()](const std::error_code& error) {
        if (!error && self->owner_) self->handshake();
    };
    waits_->async_wait(wanted == POLLIN ? waits_->wait_read : waits_->wait_write, again);
}

// ---- transferring ----

void UpstreamConnection::begin_transfer() {
    open_ = true;
    limit_.cancel();
    wait_readable();
    flush();
    if (owner_ && !writing_) owner_->on_sent(); // what came before may have waited here
}

void UpstreamConnection::send(std::string_view bytes) {
    out_.append(bytes);
    if (open_ && !writing_) flush();
}

void UpstreamConnection::flush() {
    std::size_t sent = 0;
    while (sent < out_.size() || transport_->pending()) {
        const auto rest = std::string_view(out_).substr(sent);
        const auto moved = transport_->send(rest.empty() ? std::span<const std::string_view>()
                                                         : std::span(&rest, 1));
        // The bytes that the server sent before it closed are read first, because they may explain
        // why.
        if (moved.closed) {
            out_.clear();
            return;
        }
        sent += moved.bytes;
        if (moved.again || moved.bytes < rest.size()) {
            out_.erase(0, sent);
            writing_ = true;
            waits_->async_wait(waits_->wait_write,
                               [self = shared_from_this()](const std::error_code& error) {
                                   self->writing_ = false;
                                   if (error || !self->owner_) return;
                                   self->flush();
                                   if (self->owner_) self->owner_->on_sent();
                               });
            return;
        }
    }
    out_.clear();
}

void UpstreamConnection::set_reading(bool reading) {
    reading_ = reading;
    if (reading && open_) wait_readable();
}

void UpstreamConnection::wait_readable() {
    if (waiting_ || !reading_ || !owner_) return;
    waiting_ = true;
    waits_->async_wait(waits_->wait_read,
                       [self = shared_from_this()](const std::error_code& error) {
                           self->waiting_ = false;
                           if (!error && self->owner_) self->read();
                       });
}

void UpstreamConnection::read() {
    for (int reads = 0; reads < max_upstream_reads_per_turn && reading_; ++reads) {
        const auto got = transport_->receive(loop_.scratch);
        if (got.again) break;
        if (got.closed) return fail_for(got);
        owner_->on_bytes({loop_.scratch.data(), got.bytes});
        if (!owner_) return;
        if (!transport_->may_hold_more(got, loop_.scratch.size())) break;
    }
    owner_->on_pause();
    if (!owner_) return;
    wait_readable(); // a record of TLS is read whole, so OpenSSL holds nothing back
}

void UpstreamConnection::fail_for(const Transfer& transfer) {
    if (transfer.error == 0) return owner_->on_end();
    const auto endpoint = loop_.options.url.endpoint();
    const auto why =
        transfer.error == EPROTO ? "TLS ended without close_notify" : errno_text(transfer.error);
    fail(Error(Errc::receive, fmt::format("the connection to {} broke: {}", endpoint, why)),
         transfer.error == ECONNRESET);
}

void UpstreamConnection::fail(const Error& error, bool reset) {
    if (auto* const owner = owner_) {
        const auto self = shared_from_this();
        close();
        owner->on_failure(error, reset);
    }
}

void UpstreamConnection::close() {
    owner_ = nullptr;
    limit_.cancel();
    next_.cancel();
    for (const auto& attempt : attempts_) {
        std::error_code ignored;
        attempt->close(ignored);
    }
    attempts_.clear();
    lookup_fd_.reset();
    session_.reset();
    if (waits_) waits_->release();
    if (transport_) transport_->close(false);
}

} // namespace sse
