#include "http/server.hpp"

#include "http/loop.hpp"
#include "http/session.hpp"
#include "http/socket.hpp"

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace sse {

namespace {

/// Beyond max_clients, so many more are accepted to be told so; the next are closed without a word.
constexpr std::size_t polite_refusals = 64;
/// How long accepting pauses when there is no descriptor left.
constexpr std::chrono::milliseconds accept_pause{100};

} // namespace

struct Server::Impl {
    struct Listener {
        Listening listening;
        asio::posix::stream_descriptor descriptor;
    };

    Impl(ServerOptions given, Handler& handler)
        : options(std::move(given))
        , signals((make_loops(handler), loops[0]->context))
        , timer(loops[0]->context)
        , reserve(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

    ~Impl() {
        for (const auto& path : unlink) ::unlink(path.c_str());
    }

    void make_loops(Handler& handler) {
        for (std::size_t i = 0; i < std::max<std::size_t>(1, options.threads); ++i) {
            loops.push_back(std::make_unique<Loop>(options, handler, counts, i));
        }
    }

    void listen();
    void accept(Listener& listener);
    void accept_all(Listener& listener);
    void spare_one(Listener& listener);
    void adopt(int fd, bool loopback);
    void wait_for_signal();
    void stop(bool hurried);
    void loop_empty();
    void stop_loops();

    ServerOptions options;
    ServerCounts counts;
    std::vector<std::unique_ptr<Loop>> loops; ///< before everything that lives on them
    asio::signal_set signals;
    asio::steady_timer timer;
    Descriptor reserve; ///< given up when there is no other, to accept and close one more
    std::vector<std::unique_ptr<Listener>> listeners;
    std::vector<std::string> urls, unlink;
    std::function<void()> on_stop;
    std::size_t busy_loops = 0;
    std::size_t next_loop = 0;
    int signal = 0; ///< the first that came
    int result = 0;
    bool stopping = false;
};

Server::Server(ServerOptions options, Handler& handler)
    : impl_(std::make_unique<Impl>(std::move(options), handler)) {}
Server::~Server() = default;

void Server::listen() { impl_->listen(); }
std::vector<std::string> Server::urls() const { return impl_->urls; }
std::size_t Server::streams() const {
    return impl_->counts.streams.load(std::memory_order_relaxed);
}
void Server::on_stop(std::function<void()> action) { impl_->on_stop = std::move(action); }

void Server::post(std::size_t loop, std::function<void()> action) {
    asio::post(impl_->loops[loop]->context, std::move(action));
}

void Server::finish(bool hurried) {
    asio::post(impl_->loops[0]->context, [impl = impl_.get(), hurried] { impl->stop(hurried); });
}

void Server::Impl::listen() {
    for (const auto& address : options.listen) {
        for (auto& listening : listen_on(address)) {
            urls.push_back(listening.url);
            if (!listening.unlink.empty()) unlink.push_back(listening.unlink);
            asio::posix::stream_descriptor descriptor(loops[0]->context,
                                                      listening.socket.release());
            listeners.push_back(
                std::make_unique<Listener>(Listener{std::move(listening), std::move(descriptor)}));
        }
    }
}

int Server::run() {
    auto& impl = *impl_;
    impl.busy_loops = impl.loops.size();
    std::vector<std::thread> threads;
    std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
    for (const auto& loop : impl.loops) {
        guards.emplace_back(loop->context.get_executor());
        loop->on_empty = [&impl] {
            asio::post(impl.loops[0]->context, [&impl] { impl.loop_empty(); });
        };
    }
    impl.wait_for_signal();
    for (const auto& listener : impl.listeners) impl.accept(*listener);
    for (std::size_t i = 1; i < impl.loops.size(); ++i) {
        threads.emplace_back([&loop = *impl.loops[i]] { loop.context.run(); });
    }
    impl.loops[0]->context.run();
    for (auto& thread : threads) thread.join();
    for (const auto& loop : impl.loops) { // what is left ends here, while the handler is there
        loop->cut_all();
        loop->context.restart();
        loop->context.poll();
    }
    return impl.result;
}

void Server::Impl::accept(Listener& listener) {
    listener.descriptor.async_wait(listener.descriptor.wait_read,
                                   [this, &listener](const std::error_code& error) {
                                       if (error || stopping) return;
                                       accept_all(listener);
                                   });
}

void Server::Impl::accept_all(Listener& listener) {
    // Not for ever: those who are already connected have their turn, too.
    for (int i = 0; i < 64; ++i) {
        const int fd = accept_on(listener.descriptor.native_handle());
        if (fd >= 0) {
            adopt(fd, listener.listening.loopback);
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
    const auto rest = std::make_shared<asio::steady_timer>(loops[0]->context, accept_pause);
    rest->async_wait([this, &listener, rest](const std::error_code& error) {
        if (!error && !stopping) accept(listener);
    });
}

void Server::Impl::adopt(int fd, bool loopback) {
    const auto clients = counts.clients.load(std::memory_order_relaxed);
    if (clients >= options.max_clients + polite_refusals) {
        ::close(fd);
        return;
    }
    const bool refused = clients >= options.max_clients;
    auto& loop = *loops[next_loop++ % loops.size()];
    const auto begin = [&loop, fd, loopback, refused] {
        loop.add(std::make_shared<Session>(loop, fd, loopback, refused));
    };
    if (&loop == loops[0].get()) begin();
    else asio::post(loop.context, begin);
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
        if (on_stop) on_stop();
        stop(true);
        wait_for_signal();
    });
}

void Server::Impl::stop(bool hurried) {
    if (!std::exchange(stopping, true)) {
        for (const auto& listener : listeners) {
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
