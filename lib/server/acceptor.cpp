#include "server/acceptor.hpp"

#include "base/posix.hpp"
#include "net/socket.hpp"
#include "server/server_connection.hpp"

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <cerrno>
#include <unistd.h>
#include <utility>

namespace sse {

namespace {

/// Connections at a time that are accepted beyond the limits, to be refused with a response; more
/// are closed without one.
constexpr std::size_t max_refused_clients = 64;
/// Connections accepted in one turn of the loop, so that the others have theirs.
constexpr int max_accepts_per_turn = 64;
/// How long accepting pauses when there is no descriptor left, not even a spare one.
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::chrono::minutes warning_interval{1};
constexpr std::size_t spare_descriptors = 4; // for clients, and as many for the operator

bool is_out_of_descriptors(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

} // namespace

SpareDescriptors::SpareDescriptors(std::size_t count)
    : count_(count) {
    refill();
}

bool SpareDescriptors::release_one() {
    if (open_.empty()) return false;
    open_.pop_back();
    return true;
}

void SpareDescriptors::refill() {
    while (open_.size() < count_) {
        Descriptor spare(make_placeholder());
        if (spare.get() < 0) return;
        open_.push_back(std::move(spare));
    }
}

Acceptor::Acceptor(const ServerOptions& options, const Loops& loops, AddressCounts& addresses)
    : options_(options)
    , loops_(loops)
    , addresses_(addresses)
    , spares_(spare_descriptors)
    , admin_spares_(spare_descriptors) {}

void Acceptor::add(Descriptor socket, const ListenerContext& listener) {
    auto context = listener;
    context.local = local_ip(socket.get());
    if (context.local && context.local->is_unspecified()) context.local.reset();
    if (accepted_inherits_options) // a system call less for each connection
        disable_nagle(socket.get());
    asio::posix::stream_descriptor descriptor(loops_[0]->context, socket.release());
    listeners_.push_back(std::make_unique<Listener>(Listener{std::move(descriptor), context}));
}

void Acceptor::start() {
    started_ = true;
    for (const auto& listener : listeners_) {
        if (!held_ || listener->context.admin) wait(*listener);
    }
}

void Acceptor::release() {
    if (!std::exchange(held_, false) || !started_ || stopped_) return;
    for (const auto& listener : listeners_) {
        if (!listener->context.admin) wait(*listener);
    }
}

void Acceptor::stop() {
    stopped_ = true;
    for (const auto& listener : listeners_) {
        if (listener->context.admin) continue;
        std::error_code ignored;
        listener->descriptor.close(ignored);
    }
}

void Acceptor::wait(Listener& listener) {
    listener.descriptor.async_wait(listener.descriptor.wait_read,
                                   [this, &listener](const std::error_code& error) {
                                       if (!error && (!stopped_ || listener.context.admin))
                                           accept_some(listener);
                                   });
}

void Acceptor::accept_some(Listener& listener) {
    admin_spares_.refill();
    spares_.refill();
    for (int i = 0; i < max_accepts_per_turn; ++i) {
        const int fd = accept_socket(listener.descriptor.native_handle());
        if (fd >= 0) {
            assign(fd, listener.context, Refusal::none);
            continue;
        }
        if (is_out_of_descriptors(errno)) return accept_with_spare(listener);
        if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    }
    wait(listener);
}

/// Accepts one connection in the place of a spare descriptor: to refuse it with the reason, or to
/// serve the operator. Without a spare accepting pauses, since the loop would spin.
void Acceptor::accept_with_spare(Listener& listener) {
    const bool admin = listener.context.admin;
    if (!admin) {
        if (const auto now = Loop::Clock::now(); on_warning && now >= next_warning_) {
            next_warning_ = now + warning_interval;
            on_warning("no file descriptor is left, so connections are refused; raise the limit "
                       "(ulimit -n, LimitNOFILE=) or lower --max-clients");
        }
    }
    if (!(admin ? admin_spares_ : spares_).release_one()) {
        loops_[0]->counts.refusals[static_cast<std::size_t>(Refusal::descriptors)].add();
        return pause(listener);
    }
    const int fd = accept_socket(listener.descriptor.native_handle());
    if (fd < 0) return pause(listener);
    assign(fd, listener.context, admin ? Refusal::none : Refusal::descriptors);
    wait(listener);
}

void Acceptor::pause(Listener& listener) {
    const auto timer = std::make_shared<asio::steady_timer>(loops_[0]->context, accept_pause);
    timer->async_wait([this, &listener, timer](const std::error_code& error) {
        if (!error && (!stopped_ || listener.context.admin)) accept_some(listener);
    });
}

/// Its turn comes after what its loop has to do already, on the loop that accepts, too: a request
/// that is there is answered at once, and with a client that asks again and again the accepting
/// would go on without a turn for what was published.
void Acceptor::assign(int fd, const ListenerContext& listener, Refusal refusal) {
    auto& loop = *loops_[listener.admin ? 0 : next_loop_++ % loops_.size()];
    asio::post(loop.context, [this, &loop, &listener, refusal, socket = Descriptor(fd)]() mutable {
        if (listener.admin) admit_admin(socket.release(), listener);
        else admit(loop, socket.release(), listener, refusal);
    });
}

/// On the thread of `loop`.
void Acceptor::admit(Loop& loop, int fd, const ListenerContext& listener, Refusal refusal) {
    const auto refused = refused_clients(); // not counted against max_clients
    if (refusal == Refusal::none && clients() >= options_.max_clients + refused &&
        !loop.waiting.evict_one(Loop::Clock::now())) {
        refusal = Refusal::clients;
    }
    std::uint64_t key = 0;
    if (refusal == Refusal::none && listener.addresses) {
        const auto peer = peer_ip(fd);
        const bool proxy = peer && options_.trusted_proxies.trusts(peer->text());
        if (peer && !proxy) key = peer->customer_key();
        if (key != 0 && !addresses_.enter(key, options_.max_clients_per_address)) {
            refusal = Refusal::address;
            key = 0;
        }
    }
    if (refusal != Refusal::none && refused >= max_refused_clients) {
        loop.counts.refusals[static_cast<std::size_t>(refusal)].add();
        ::close(fd);
        return;
    }
    loop.counts.opened.add();
    if (refusal != Refusal::none) loop.counts.refused_opened.add();
    loop.add(std::make_shared<ServerConnection>(loop, fd, listener, refusal, key));
}

void Acceptor::admit_admin(int fd, const ListenerContext& listener) {
    auto& loop = *loops_[0];
    if (loop.admin_connections() >= options_.max_admin_connections &&
        !loop.admin_waiting.evict_one(Loop::Clock::now())) {
        ::close(fd);
        return;
    }
    loop.add(std::make_shared<ServerConnection>(loop, fd, listener, Refusal::none));
}

std::size_t Acceptor::clients() const {
    std::uint64_t closed = 0;
    for (const auto& loop : loops_) closed += loop->counts.closed.get();
    std::uint64_t opened = 0; // read after the others: none is closed that was not opened
    for (const auto& loop : loops_) opened += loop->counts.opened.get();
    return static_cast<std::size_t>(opened - closed);
}

/// Of clients(), those that are accepted only to be refused.
std::size_t Acceptor::refused_clients() const {
    std::uint64_t closed = 0;
    for (const auto& loop : loops_) closed += loop->counts.refused_closed.get();
    std::uint64_t opened = 0;
    for (const auto& loop : loops_) opened += loop->counts.refused_opened.get();
    return static_cast<std::size_t>(opened - closed);
}

} // namespace sse
