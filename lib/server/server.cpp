#include "server/server.hpp"

#include "net/host_name.hpp"
#include "server/acceptor.hpp"
#include "server/body_budget.hpp"
#include "server/loop.hpp"
#include "server/loop_actions.hpp"
#include "server/shutdown.hpp"

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <thread>
#include <utility>

namespace sse {

struct Server::Impl {
    Impl(ServerOptions given, Handler& routes)
        : options(std::move(given))
        , handler(routes)
        , bodies(std::max(options.max_pending_body_bytes, options.request.max_body_bytes))
        , loops(make_loops())
        , acceptor(options, loops, addresses)
        , shutdown(options, loops, acceptor)
        , actions(loops[0]->context) {
        options.guard.client_certificates = !options.tls.client_ca_file.empty();
        options.guard.own_names = own_host_names();
    }

    ~Impl() {
        for (const auto& [path, inode] : unlink) remove_path(path, inode);
    }

    Loops make_loops() {
        for (const auto time : {options.head_timeout, options.body_timeout, options.idle_timeout,
                                options.stall_timeout, options.max_stream_time}) {
            options.tick_for(time);
        }
        Loops made;
        for (std::size_t i = 0; i < std::max<std::size_t>(1, options.threads); ++i) {
            made.push_back(std::make_unique<Loop>(options, i));
            made.back()->on_tick = [this, i] { handler.tick(i); };
        }
        return made;
    }

    std::vector<ServerAddress> add(std::vector<ListeningSocket> sockets, ListenerContext listener);

    ServerOptions options;
    Handler& handler;
    AccessLog* log = nullptr;
    GuardOptions admin_guard;
    std::unique_ptr<TlsServer> tls;
    AddressCounts addresses;
    BodyBudget bodies;
    Loops loops; ///< before everything that lives on them
    Acceptor acceptor;
    Shutdown shutdown;
    LoopActions actions;
    std::vector<ServerAddress> bound;
    std::vector<std::pair<std::string, std::uint64_t>> unlink; ///< paths and their inodes
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
    impl.shutdown.catch_signals(); // one that comes before run() is not lost
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
bool Server::stopping() const { return impl_->shutdown.stopping(); }
void Server::set_access_log(AccessLog& log) { impl_->log = &log; }

ServerCounts Server::counts() const {
    ServerCounts sum;
    sum.clients = impl_->acceptor.clients();
    for (const auto& loop : impl_->loops) sum.add(loop->counts);
    return sum;
}

void Server::on_signal(int number, std::function<void()> action) {
    impl_->actions.on_signal(number, std::move(action));
}

void Server::every(std::chrono::microseconds interval, std::function<void()> action) {
    impl_->actions.every(interval, std::move(action));
}

void Server::on_warning(std::function<void(const std::string&)> action) {
    impl_->acceptor.on_warning = std::move(action);
}

void Server::on_stop(std::function<void()> action) { impl_->shutdown.on_stop(std::move(action)); }

void Server::post(std::size_t loop, std::function<void()> action) {
    asio::post(impl_->loops[loop]->context, std::move(action));
}

void Server::begin_sends(std::size_t loop) { impl_->loops[loop]->sends.begin(); }
void Server::end_sends(std::size_t loop) { impl_->loops[loop]->sends.end(); }

bool Server::uses_ring() const { return impl_->loops[0]->sends.uses_ring(); }

asio::io_context& Server::context(std::size_t loop) { return impl_->loops[loop]->context; }

void Server::hold_clients() { impl_->acceptor.hold(); }

void Server::release_clients() {
    post(0, [&acceptor = impl_->acceptor] { acceptor.release(); });
}

void Server::drain(bool with_grace) {
    asio::post(impl_->loops[0]->context,
               [impl = impl_.get(), with_grace] { impl->shutdown.drain(with_grace); });
}

int Server::run() {
    auto& impl = *impl_;
    std::vector<std::thread> threads;
    std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
    for (const auto& loop : impl.loops) guards.emplace_back(loop->context.get_executor());
    impl.shutdown.watch_loops();
    impl.acceptor.start();
    for (std::size_t i = 1; i < impl.loops.size(); ++i) {
        threads.emplace_back([&loop = *impl.loops[i]] { loop.context.run(); });
    }
    impl.loops[0]->context.run();
    for (auto& thread : threads) thread.join();
    impl.shutdown.release_signals();
    for (const auto& loop : impl.loops) { // what is left ends here, while the handler exists
        for (int again = 0; again < 2; ++again) { // connections on their way to the loop, too
            loop->close_all();
            loop->context.restart();
            loop->context.poll();
        }
    }
    return impl.shutdown.result();
}

} // namespace sse
