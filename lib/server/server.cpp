#include "server/server.hpp"

#include "net/host_name.hpp"
#include "server/acceptor.hpp"
#include "server/body_budget.hpp"
#include "server/loop.hpp"

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <csignal>
#include <thread>
#include <utility>

namespace sse {

struct Server::Impl {
    struct SignalAction {
        SignalAction(asio::io_context& context, int number, std::function<void()> what)
            : signals(context, number)
            , action(std::move(what)) {}
        asio::signal_set signals;
        std::function<void()> action;
    };
    struct Repeated {
        Repeated(asio::io_context& context, std::chrono::microseconds every,
                 std::function<void()> what)
            : timer(context)
            , interval(every)
            , action(std::move(what)) {}
        asio::steady_timer timer;
        std::chrono::microseconds interval;
        std::function<void()> action;
    };

    Impl(ServerOptions given, Handler& routes)
        : options(std::move(given))
        , handler(routes)
        , bodies(std::max(options.max_pending_body_bytes, options.request.max_body_bytes))
        , signals((make_loops(), loops[0]->context))
        , grace(loops[0]->context)
        , acceptor(options, loops, addresses) {
        options.guard.client_certificates = !options.tls.client_ca_file.empty();
        options.guard.own_names = own_host_names();
    }

    ~Impl() {
        for (const auto& [path, inode] : unlink) remove_path(path, inode);
    }

    void make_loops() {
        for (const auto time : {options.head_timeout, options.body_timeout, options.idle_timeout,
                                options.stall_timeout, options.max_stream_time}) {
            options.tick_for(time);
        }
        for (std::size_t i = 0; i < std::max<std::size_t>(1, options.threads); ++i) {
            loops.push_back(std::make_unique<Loop>(options, i));
            loops.back()->on_tick = [this, i] { handler.tick(i); };
        }
    }

    std::vector<ServerAddress> add(std::vector<ListeningSocket> sockets, ListenerContext listener);
    void wait_for(SignalAction& signal);
    void wait_for(Repeated& repeated);
    void wait_for_stop_signal();
    void drain(bool with_grace);
    void loop_empty();
    void stop_loops();

    ServerOptions options;
    Handler& handler;
    AccessLog* log = nullptr;
    GuardOptions admin_guard;
    std::unique_ptr<TlsServer> tls;
    AddressCounts addresses;
    BodyBudget bodies;
    std::vector<std::unique_ptr<Loop>> loops; ///< before everything that lives on them
    asio::signal_set signals;
    asio::steady_timer grace;
    Acceptor acceptor;
    std::vector<std::unique_ptr<SignalAction>> signal_actions;
    std::vector<std::unique_ptr<Repeated>> repeated_actions;
    std::vector<ServerAddress> bound;
    std::vector<std::pair<std::string, std::uint64_t>> unlink; ///< paths and their inodes
    std::vector<std::function<void()>> on_stop;
    std::size_t busy_loops = 0;
    int signal = 0; ///< the first that asked to stop
    int result = 0;
    std::atomic<bool> stopping{false};
};

Server::Server(ServerOptions options, Handler& handler)
    : impl_(std::make_unique<Impl>(std::move(options), handler)) {}
Server::~Server() = default;

void Server::listen() {
    std::vector<ListeningSocket> sockets;
    for (const auto& address : impl_->options.listen) {
        for (auto& socket : listen_on(address, impl_->options.sockets))
            sockets.push_back(std::move(socket));
    }
    adopt(std::move(sockets));
}

std::vector<std::string> Server::load_tls() {
    auto& tls = impl_->tls;
    if (impl_->options.tls.cert_file.empty()) return {};
    if (tls) tls->reload();
    else tls = std::make_unique<TlsServer>(impl_->options.tls);
    return tls->warnings();
}

void Server::replace_tokens(const Tokens& read, const Tokens& publish) {
    impl_->options.guard.read_tokens.replace(read);
    impl_->options.guard.publish_tokens.replace(publish);
}

void Server::adopt(std::vector<ListeningSocket> sockets) {
    auto& impl = *impl_;
    ListenerContext listener;
    listener.handler = &impl.handler;
    listener.guard = &impl.options.guard;
    listener.log = impl.log;
    listener.tls = impl.tls.get();
    listener.addresses = impl.options.max_clients_per_address > 0 ? &impl.addresses : nullptr;
    listener.bodies = &impl.bodies;
    impl.bound = impl.add(std::move(sockets), listener);
    impl.wait_for_stop_signal(); // one that comes before run() is not lost
}

std::vector<ServerAddress> Server::adopt_admin(std::vector<ListeningSocket> sockets,
                                               Handler& handler) {
    auto& impl = *impl_;
    impl.admin_guard.allowed_hosts = impl.options.guard.allowed_hosts;
    impl.admin_guard.own_names = impl.options.guard.own_names;
    ListenerContext listener;
    listener.handler = &handler;
    listener.guard = &impl.admin_guard;
    listener.bodies = &impl.bodies;
    listener.admin = true;
    return impl.add(std::move(sockets), listener);
}

std::vector<ServerAddress> Server::Impl::add(std::vector<ListeningSocket> sockets,
                                             ListenerContext listener) {
    std::vector<ServerAddress> added;
    for (auto& socket : sockets) {
        auto own = listener;
        own.all_interfaces = socket.all_interfaces;
        if (socket.url.starts_with("unix:")) own.tls = nullptr;
        if (own.tls) socket.url.insert(std::string_view("http").size(), "s");
        added.push_back({socket.url, socket.all_interfaces});
        if (!socket.unlink.empty()) unlink.emplace_back(socket.unlink, socket.inode);
        acceptor.add(std::move(socket.socket), own);
    }
    return added;
}

std::vector<std::string> Server::socket_paths() const {
    std::vector<std::string> paths;
    for (const auto& [path, inode] : impl_->unlink) paths.push_back(path);
    return paths;
}
std::vector<ServerAddress> Server::addresses() const { return impl_->bound; }
bool Server::stopping() const { return impl_->stopping; }
void Server::set_access_log(AccessLog& log) { impl_->log = &log; }

ServerCounts Server::counts() const {
    ServerCounts sum;
    std::uint64_t streams_closed = 0;
    sum.clients = impl_->acceptor.clients();
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
    auto& actions = impl_->signal_actions;
    actions.push_back(
        std::make_unique<Impl::SignalAction>(impl_->loops[0]->context, number, std::move(action)));
    impl_->wait_for(*actions.back());
}

void Server::every(std::chrono::microseconds interval, std::function<void()> action) {
    auto& actions = impl_->repeated_actions;
    actions.push_back(
        std::make_unique<Impl::Repeated>(impl_->loops[0]->context, interval, std::move(action)));
    impl_->wait_for(*actions.back());
}

void Server::on_warning(std::function<void(const std::string&)> action) {
    impl_->acceptor.on_warning = std::move(action);
}

void Server::Impl::wait_for(SignalAction& awaited) {
    awaited.signals.async_wait([this, &awaited](const std::error_code& error, int) {
        if (error) return;
        awaited.action();
        wait_for(awaited);
    });
}

void Server::Impl::wait_for(Repeated& repeated) {
    repeated.timer.expires_after(repeated.interval);
    repeated.timer.async_wait([this, &repeated](const std::error_code& error) {
        if (error) return;
        repeated.action();
        wait_for(repeated);
    });
}

void Server::on_stop(std::function<void()> action) { impl_->on_stop.push_back(std::move(action)); }

void Server::post(std::size_t loop, std::function<void()> action) {
    asio::post(impl_->loops[loop]->context, std::move(action));
}

void Server::hold_clients() { impl_->acceptor.hold(); }

void Server::release_clients() {
    post(0, [&acceptor = impl_->acceptor] { acceptor.release(); });
}

void Server::drain(bool with_grace) {
    asio::post(impl_->loops[0]->context,
               [impl = impl_.get(), with_grace] { impl->drain(with_grace); });
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
    impl.acceptor.start();
    for (std::size_t i = 1; i < impl.loops.size(); ++i) {
        threads.emplace_back([&loop = *impl.loops[i]] { loop.context.run(); });
    }
    impl.loops[0]->context.run();
    for (auto& thread : threads) thread.join();
    impl.signals.clear(ignored);          // from here on a signal has its default action
    for (const auto& loop : impl.loops) { // what is left ends here, while the handler exists
        for (int again = 0; again < 2; ++again) { // connections on their way to the loop, too
            loop->close_all();
            loop->context.restart();
            loop->context.poll();
        }
    }
    return impl.result;
}

void Server::Impl::wait_for_stop_signal() {
    std::error_code ignored;
    signals.add(SIGINT, ignored);
    signals.add(SIGTERM, ignored);
    signals.async_wait([this](const std::error_code& error, int number) {
        if (error) return;
        if (signal != 0) { // the second: at once
            result = number;
            return stop_loops();
        }
        signal = number;
        // Before the actions end any stream. On loop 0 at once: what a loop posts to itself waits
        // for the end of its handler, and streams may end before.
        loops[0]->set_stopping();
        for (const auto& loop : loops)
            asio::post(loop->context, [&loop = *loop] { loop.set_stopping(); });
        for (const auto& action : on_stop) action();
        drain(true);
        wait_for_stop_signal();
    });
}

void Server::Impl::drain(bool with_grace) {
    if (!stopping.exchange(true)) {
        acceptor.stop();
        for (const auto& loop : loops) asio::post(loop->context, [&loop = *loop] { loop.drain(); });
    }
    if (!with_grace) return;
    grace.expires_after(options.grace);
    grace.async_wait([this](const std::error_code& error) {
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
