#include "net/socket_watch.hpp"

#include "base/posix.hpp"

#include <asio/posix/stream_descriptor.hpp>

#ifdef SSE_LINUX
#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/epoll.h>
#include <system_error>
#else
#include <unordered_map>
#endif

namespace sse {

#ifdef SSE_LINUX

/// An epoll of its own, which the loop's waits for as for a single descriptor.
struct SocketWatch::Impl {
    /// Sockets that have their turn before the loop does something else.
    static constexpr std::size_t most_per_turn = 128;

    explicit Impl(asio::io_context& context)
        : epoll(context, open()) {
        wait();
    }
    static int open() {
        const int fd = ::epoll_create1(EPOLL_CLOEXEC);
        if (fd < 0) throw std::system_error(errno, std::generic_category(), "cannot watch sockets");
        return fd;
    }
    void wait() {
        epoll.async_wait(epoll.wait_read, [this](const std::error_code& error) {
            if (error) return; // the loop ends
            dispatch();
            wait();
        });
    }
    void dispatch() {
        const int count =
            ::epoll_wait(epoll.native_handle(), events.data(), static_cast<int>(most_per_turn), 0);
        left = events.data();
        end = left + std::max(count, 0);
        while (left != end) {
            const auto& event = *left++;
            if (!event.data.ptr) continue;
            constexpr std::uint32_t broken = EPOLLERR | EPOLLHUP;
            static_cast<Owner*>(event.data.ptr)
                ->on_ready({(event.events & (EPOLLIN | broken)) != 0,
                            (event.events & (EPOLLOUT | broken)) != 0});
        }
    }
    /// Those of this turn that `owner` would still get.
    void forget(const Owner& owner) const {
        for (auto* event = left; event != end; ++event) {
            if (event->data.ptr == &owner) event->data.ptr = nullptr;
        }
    }
    bool change(int fd, Owner& owner, Readiness before, Readiness wanted) {
        epoll_event event{};
        event.events = (wanted.readable ? EPOLLIN : 0U) | (wanted.writable ? EPOLLOUT : 0U);
        event.data.ptr = &owner;
        const int operation = !before.any()  ? EPOLL_CTL_ADD
                              : wanted.any() ? EPOLL_CTL_MOD
                                             : EPOLL_CTL_DEL;
        if (operation == EPOLL_CTL_DEL) forget(owner);
        return ::epoll_ctl(epoll.native_handle(), operation, fd, &event) == 0;
    }

    asio::posix::stream_descriptor epoll;
    std::array<epoll_event, most_per_turn> events;
    epoll_event *left = events.data(), *end = left; ///< of this turn
};

#else

/// Asio's way, which every system has.
struct SocketWatch::Impl {
    struct Watched {
        Watched(asio::io_context& context, int fd, Owner& its_owner)
            : descriptor(context, fd)
            , owner(its_owner) {}

        asio::posix::stream_descriptor descriptor;
        Owner& owner;
        Readiness wanted;
        bool ended = false;
        bool waits_to_read = false, waits_to_write = false;
    };
    using Shared = std::shared_ptr<Watched>;

    explicit Impl(asio::io_context& its_context)
        : context(its_context) {}
    ~Impl() {
        for (const auto& [fd, watched] : sockets) end(*watched);
    }
    /// Now, not when its last wait has ended: the descriptor is about to be closed.
    static void end(Watched& watched) {
        watched.ended = true;
        watched.descriptor.release();
    }
    bool change(int fd, Owner& owner, Readiness, Readiness wanted) {
        auto& watched = sockets[fd];
        if (!wanted.any()) {
            end(*watched);
            sockets.erase(fd);
            return true;
        }
        if (!watched) watched = std::make_shared<Watched>(context, fd, owner);
        watched->wanted = wanted;
        wait(watched);
        return true;
    }
    static void wait(const Shared& watched) {
        if (watched->wanted.readable && !watched->waits_to_read)
            wait_for(watched, asio::posix::descriptor_base::wait_read, &Watched::waits_to_read,
                     &Readiness::readable);
        if (watched->wanted.writable && !watched->waits_to_write)
            wait_for(watched, asio::posix::descriptor_base::wait_write, &Watched::waits_to_write,
                     &Readiness::writable);
    }
    static void wait_for(const Shared& watched, asio::posix::descriptor_base::wait_type what,
                         bool Watched::*waits, bool Readiness::*bit) {
        (*watched).*waits = true;
        watched->descriptor.async_wait(what, [watched, waits, bit](const std::error_code& error) {
            (*watched).*waits = false;
            if (error || watched->ended) return;
            Readiness ready;
            ready.*bit = true;
            if (watched->wanted.*bit) watched->owner.on_ready(ready);
            if (!watched->ended) wait(watched);
        });
    }

    asio::io_context& context;
    std::unordered_map<int, Shared> sockets;
};

#endif

SocketWatch::SocketWatch(asio::io_context& context)
    : impl_(std::make_unique<Impl>(context)) {}
SocketWatch::~SocketWatch() = default;

bool SocketWatch::change(int fd, Owner& owner, Readiness before, Readiness wanted) {
    return before == wanted || impl_->change(fd, owner, before, wanted);
}

} // namespace sse
