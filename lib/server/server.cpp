#include "server/server.hpp"

#include "net/socket.hpp"
#include "server/address_counts.hpp"
#include "server/loop.hpp"
#include "server/server_connection.hpp"

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace sse {

namespace {

/// So many more than may come in are accepted to be told so; the next are closed
/// without a word.
constexpr std::size_t polite_refusals = 64;
/// How long accepting pauses when there is no descriptor left.
constexpr std::chrono::milliseconds accept_pause{100};

} // namespace

struct Server::Impl {
    struct Listener {
        asio::posix::stream_descriptor descriptor;
        ListenerContext listener;
    };
    struct Hook {
        Hook(asio::io_context& context, int number, std::function<void()> what)
            : signals(context, number)
            , action(std::move(what)) {}
        asio::signal_set signals;
        std::function<void()> action;
    };

    Impl(ServerOptions given, Handler& routes)
        : options(std::move(given))
        , handler(routes)
        , signals((make_loops(), loops[0]->context))
        , timer(loops[0]->context)
        , reserve(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

    ~Impl() {
        for (const auto& [path, inode] : unlink) remove_path(path, inode);
    }

    void make_loops() {
        for (const auto time : {options.head_timeout, options.body_timeout, options.idle_timeout,
                                options.stall_timeout}) {
            options.tick_for(time);
        }
        for (std::size_t i = 0; i < std::max<std::size_t>(1, options.threads); ++i) {
            loops.push_back(std::make_unique<Loop>(options, handler, i));
        }
    }

    std::vector<ServerAddress> take(std::vector<Listening> sockets,
                                    const ListenerContext& listener);
    std::size_t clients() const;
    std::size_t refused_now() const;
    void wait_for(Hook& hook);
    void accept(Listener& listener);
    void accept_all(Listener& listener);
    void spare_one(Listener& listener);
    void adopt(int fd, const ListenerContext& listener);
    void admit(Loop& loop, int fd, const ListenerContext& listener);
    void wait_for_signal();
    void stop(bool hurried);
    void loop_empty();
    void stop_loops();

    ServerOptions options;
    Handler& handler;
    AccessLog* log = nullptr;
    GuardOptions admin_guard;
    std::unique_ptr<TlsServer> tls;
    AddressCounts per_address;
    std::vector<std::unique_ptr<Loop>> loops; ///< before everything that lives on them
    asio::signal_set signals;
    asio::steady_timer timer;
    Descriptor reserve; ///< given up when there is no other, to accept and close one more
    std::vector<std::unique_ptr<Listener>> listeners; ///< their doors outlive all sessions
    std::vector<std::unique_ptr<Hook>> hooks;
    std::vector<ServerAddress> addresses;
    std::vector<std::pair<std::string, std::uint64_t>> unlink; ///< paths and their inodes
    std::vector<std::function<void()>> on_stop;
    std::size_t busy_loops = 0;
    std::size_t next_loop = 0;
    int signal = 0; ///< the first that came
    int result = 0;
    std::atomic<bool> stopping{false};
};

Server::Server(ServerOptions options, Handler& handler)
    : impl_(std::make_unique<Impl>(std::move(options), handler)) {}
Server::~Server() = default;

void Server::listen() {
    std::vector<Listening> sockets;
    for (const auto& address : impl_->options.listen) {
        for (auto& socket : listen_on(address, impl_->options.sockets))
            sockets.push_back(std::move(socket));
    }
    take(std::move(sockets));
}
std::vector<std::string> Server::load_tls() {
    auto& tls = impl_->tls;
    if (impl_->options.tls.cert_file.empty()) return {};
    if (tls) tls->reload();
    else tls = std::make_unique<TlsServer>(impl_->options.tls);
    return tls->warnings();
}
void Server::take(std::vector<Listening> sockets) {
    auto& impl = *impl_;
    impl.addresses = impl.take(
        std::move(sockets),
        {&impl.handler, &impl.options.guard, impl.log, impl.tls.get(),
         impl.options.max_clients_per_address > 0 ? &impl.per_address : nullptr, false, false});
    impl.wait_for_signal(); // one that comes before run() is not lost
}
std::vector<ServerAddress> Server::take_admin(std::vector<Listening> sockets, Handler& handler) {
    impl_->admin_guard.allowed_hosts = impl_->options.guard.allowed_hosts;
    return impl_->take(std::move(sockets),
                       {&handler, &impl_->admin_guard, nullptr, nullptr, nullptr, false, true});
}
std::vector<std::string> Server::socket_paths() const {
    std::vector<std::string> paths;
    for (const auto& [path, inode] : impl_->unlink) paths.push_back(path);
    return paths;
}
std::vector<ServerAddress> Server::addresses() const { return impl_->addresses; }
bool Server::stopping() const { return impl_->stopping; }
void Server::log_to(AccessLog& log) { impl_->log = &log; }

ServerCounts Server::counts() const {
    ServerCounts sum;
    std::uint64_t streams_closed = 0;
    sum.clients = impl_->clients();
    for (const auto& loop : impl_->loops) {
        const auto& own = loop->counts;
        streams_closed += own.streams_closed.get();
        sum.streams_opened += own.streams_opened.get();
        sum.connects += own.opened.get();
        sum.requests += own.requests.get();
        sum.bytes += own.bytes.get();
        sum.stalls += own.stalls.get();
        const auto opened = own.opened.get();
        sum.loop_clients.push_back(opened - std::min(opened, own.closed.get()));
        for (std::size_t i = 0; i < sum.refusals.size(); ++i)
            sum.refusals[i] += own.refusals[i].get();
        for (std::size_t i = 0; i < sum.ends.size(); ++i) sum.ends[i] += own.ends[i].get();
    }
    sum.streams = sum.streams_opened - streams_closed;
    return sum;
}

void Server::on_signal(int number, std::function<void()> action) {
    auto& hooks = impl_->hooks;
    hooks.push_back(
        std::make_unique<Impl::Hook>(impl_->loops[0]->context, number, std::move(action)));
    impl_->wait_for(*hooks.back());
}

void Server::Impl::wait_for(Hook& hook) {
    hook.signals.async_wait([this, &hook](const std::error_code& error, int) {
        if (error) return;
        hook.action();
        wait_for(hook);
    });
}

/// Connected now, whichever loop they are on, and those on the way to one.
std::size_t Server::Impl::clients() const {
    std::uint64_t closed = 0;
    for (const auto& loop : loops) closed += loop->counts.closed.get();
    std::uint64_t opened = 0; // after the others: none is closed that was not opened
    for (const auto& loop : loops) opened += loop->counts.opened.get();
    return static_cast<std::size_t>(opened - closed);
}

/// Of those, the ones that are being told that they are too many.
std::size_t Server::Impl::refused_now() const {
    std::uint64_t closed = 0;
    for (const auto& loop : loops) closed += loop->counts.refused_closed.get();
    std::uint64_t opened = 0;
    for (const auto& loop : loops) opened += loop->counts.refused_opened.get();
    return static_cast<std::size_t>(opened - closed);
}

void Server::on_stop(std::function<void()> action) { impl_->on_stop.push_back(std::move(action)); }

void Server::post(std::size_t loop, std::function<void()> action) {
    asio::post(impl_->loops[loop]->context, std::move(action));
}

void Server::finish(bool hurried) {
    asio::post(impl_->loops[0]->context, [impl = impl_.get(), hurried] { impl->stop(hurried); });
}

std::vector<ServerAddress> Server::Impl::take(std::vector<Listening> sockets,
                                              const ListenerContext& listener) {
    std::vector<ServerAddress> bound;
    for (auto& listening : sockets) {
        auto own = listener;
        own.loopback = listening.loopback;
        if (listening.url.starts_with("unix:")) own.tls = nullptr;
        if (own.tls) listening.url.insert(std::string_view("http").size(), "s");
        bound.push_back({listening.url, listening.everywhere});
        if (!listening.unlink.empty()) unlink.emplace_back(listening.unlink, listening.inode);
        asio::posix::stream_descriptor descriptor(loops[0]->context, listening.socket.release());
        listeners.push_back(std::make_unique<Listener>(Listener{std::move(descriptor), own}));
    }
    return bound;
}

int Server::run() {
    auto& impl = *impl_;
    std::error_code ignored;
    impl.busy_loops = impl.loops.size();
    std::vector<std::thread> threads;
    std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
    for (const auto& loop : impl.loops) {
        guards.emplace_back(loop->context.get_executor());
        loop->on_empty = [&impl] {
            asio::post(impl.loops[0]->context, [&impl] { impl.loop_empty(); });
        };
    }
    for (const auto& listener : impl.listeners) impl.accept(*listener);
    for (std::size_t i = 1; i < impl.loops.size(); ++i) {
        threads.emplace_back([&loop = *impl.loops[i]] { loop.context.run(); });
    }
    impl.loops[0]->context.run();
    for (auto& thread : threads) thread.join();
    impl.signals.clear(ignored); // nobody hears them any more: let them do what they do by default
    for (const auto& loop : impl.loops) { // what is left ends here, while the handler is there
        for (int again = 0; again < 2; ++again) { // those that were on their way to it, too
            loop->cut_all();
            loop->context.restart();
            loop->context.poll();
        }
    }
    return impl.result;
}

void Server::Impl::accept(Listener& listener) {
    listener.descriptor.async_wait(listener.descriptor.wait_read,
                                   [this, &listener](const std::error_code& error) {
                                       if (error || (stopping && !listener.listener.admin)) return;
                                       accept_all(listener);
                                   });
}

void Server::Impl::accept_all(Listener& listener) {
    // Not for ever: those who are already connected have their turn, too.
    for (int i = 0; i < 64; ++i) {
        const int fd = accept_on(listener.descriptor.native_handle());
        if (fd >= 0) {
            adopt(fd, listener.listener);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return spare_one(listener);
        if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    }
    accept(listener);
}

/// No descriptor is left: the oldest that waits is accepted with the reserve and closed, since it
/// would otherwise make the loop spin; then accepting rests a while.
void Server::Impl::spare_one(Listener& listener) {
    reserve = Descriptor();
    const int fd = accept_on(listener.descriptor.native_handle());
    if (fd >= 0) ::close(fd);
    reserve = Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    loops[0]->counts.refusals[static_cast<std::size_t>(Refusal::descriptors)].add();
    const auto rest = std::make_shared<asio::steady_timer>(loops[0]->context, accept_pause);
    rest->async_wait([this, &listener, rest](const std::error_code& error) {
        if (!error && (!stopping || listener.listener.admin)) accept(listener);
    });
}

void Server::Impl::adopt(int fd, const ListenerContext& listener) {
    if (listener.admin)
        return loops[0]->add(
            std::make_shared<ServerConnection>(*loops[0], fd, listener, Refusal::none));
    auto& loop = *loops[next_loop++ % loops.size()];
    if (&loop == loops[0].get()) admit(loop, fd, listener);
    else {
        asio::post(loop.context, [this, &loop, &listener, socket = Descriptor(fd)]() mutable {
            admit(loop, socket.release(), listener);
        });
    }
}

/// On the loop's thread, since to make room is for it to do.
void Server::Impl::admit(Loop& loop, int fd, const ListenerContext& listener) {
    auto refused = Refusal::none;
    // Who is being told so is not one of them: it must not keep a free place from the next.
    const auto being_refused = refused_now();
    if (clients() >= options.max_clients + being_refused && !loop.make_room())
        refused = Refusal::clients;
    const auto key = listener.addresses ? peer_key(fd) : 0;
    const bool counted = refused == Refusal::none && key != 0;
    if (counted && !listener.addresses->enter(key, options.max_clients_per_address))
        refused = Refusal::address;
    // Being refused takes a while, too, and whoever makes no haste with it is in the way of others.
    if (refused != Refusal::none && being_refused >= polite_refusals) {
        loop.counts.refusals[static_cast<std::size_t>(refused)].add();
        ::close(fd);
        return;
    }
    loop.counts.opened.add();
    if (refused != Refusal::none) loop.counts.refused_opened.add();
    loop.add(std::make_shared<ServerConnection>(loop, fd, listener, refused,
                                                counted && refused == Refusal::none ? key : 0));
}

void Server::Impl::wait_for_signal() {
    std::error_code ignored;
    signals.add(SIGINT, ignored);
    signals.add(SIGTERM, ignored);
    signals.async_wait([this](const std::error_code& error, int number) {
        if (error) return;
        if (signal != 0) { // again: at once
            result = number;
            return stop_loops();
        }
        signal = number;
        // Before what the actions may end; and here at once: what a loop posts to itself waits for
        // the end of its handler, and others come first.
        loops[0]->tell_to_stop();
        for (const auto& loop : loops)
            asio::post(loop->context, [&loop = *loop] { loop.tell_to_stop(); });
        for (const auto& action : on_stop) action();
        stop(true);
        wait_for_signal();
    });
}

void Server::Impl::stop(bool hurried) {
    if (!stopping.exchange(true)) {
        for (const auto& listener : listeners) {
            if (listener->listener.admin) continue;
            std::error_code ignored;
            listener->descriptor.close(ignored);
        }
        for (const auto& loop : loops)
            asio::post(loop->context, [&loop = *loop] { loop.wind_down(); });
    }
    if (!hurried) return;
    timer.expires_after(options.grace);
    timer.async_wait([this](const std::error_code& error) {
        if (error) return;
        result = signal;
        stop_loops();
    });
}

void Server::Impl::loop_empty() {
    if (--busy_loops == 0) stop_loops();
}

void Server::Impl::stop_loops() {
    for (const auto& loop : loops) loop->context.stop();
}

} // namespace sse
