#include "net/send_ring.hpp"

#include "base/errno_text.hpp"
#include "base/posix.hpp"

#include <algorithm>
#include <utility>

#if defined(SSE_URING) && defined(SSE_LINUX)
#include "base/descriptor.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <liburing.h>
#include <sys/socket.h>
#include <system_error>
#include <vector>
#endif

namespace sse {

void send_each(std::span<SendRing::Item> items) {
    for (auto& item : items) item.sent = send_some(item.fd, {&item.bytes, 1});
}

SendRing::SendRing(std::unique_ptr<Impl> impl, std::size_t fewest)
    : impl_(std::move(impl))
    , fewest_(fewest) {}

SendRing::~SendRing() = default;

void SendRing::send(std::span<Item> items) {
    while (!items.empty()) {
        const auto some = items.first(std::min(items.size(), most));
        const auto sent = impl_ && some.size() >= fewest_ ? submit(some) : 0;
        send_each(some.subspan(sent)); // the items that the kernel did not take
        items = items.subspan(some.size());
    }
}

#if defined(SSE_URING) && defined(SSE_LINUX)

struct SendRing::Impl {
    Impl() = default;
    ~Impl() {
        if (open) ::io_uring_queue_exit(&ring);
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    io_uring ring{};
    bool open = false; ///< by the first send: the kernel knows the thread that opened it
};

namespace {

/// Linux 6.1 has all of these. The sends complete while the kernel takes the submissions, because
/// they are non-blocking and none waits for its socket.
constexpr unsigned ring_flags =
    IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;

/// With MSG_WAITALL, a partial send counts as failed. So IOSQE_CQE_SKIP_SUCCESS omits only the
/// completions of sends that sent all bytes.
constexpr int send_flags = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL;

} // namespace

/// Returns the number of items whose results are set; the kernel did not take the items after them.
std::size_t SendRing::submit(std::span<Item> items) {
    auto& ring = impl_->ring;
    if (!impl_->open) {
        if (const int result = ::io_uring_queue_init(most, &ring, ring_flags); result != 0) {
            give_up(-result);
            return 0;
        }
        impl_->open = true;
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
        auto* const entry = ::io_uring_get_sqe(&ring); // it has `most` entries, and all are free
        auto& item = items[i];
        ::io_uring_prep_send(entry, item.fd, item.bytes.data(), item.bytes.size(), send_flags);
        ::io_uring_sqe_set_flags(entry, IOSQE_CQE_SKIP_SUCCESS);
        ::io_uring_sqe_set_data64(entry, i);
        item.sent = {item.bytes.size()};
    }
    std::size_t taken = 0;
    int result = 0;
    for (; taken < items.size(); taken += static_cast<std::size_t>(std::max(result, 0))) {
        result = ::io_uring_submit(&ring);
        if (result <= 0 && result != -EINTR) break; // no memory
    }
    unsigned head = 0, seen = 0;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(&ring, head, completion) {
        ++seen;
        items[completion->user_data].sent = transfer_of(completion->res);
    }
    ::io_uring_cq_advance(&ring, seen);
    if (taken < items.size())
        give_up(result < 0 ? -result : EAGAIN); // the caller sends the items that were not taken
    return taken;
}

void SendRing::give_up(int error) {
    error_ = error;
    works_ = false;
    impl_.reset();
}

namespace {

/// Checks that `ring` sends, and reports sends that were partial or failed. Returns an errno, or 0.
int try_ring(SendRing& ring) {
    int ends[2];
    if (!make_socket_pair(ends, true)) return errno;
    const Descriptor socket(ends[0]), peer(ends[1]);
    const int room = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    const std::vector<char> much(std::size_t{1} << 18);
    const std::string_view bytes(much.data(), much.size());
    const auto sent = [&](std::string_view some) {
        SendRing::Item item{socket.get(), some};
        ring.send({&item, 1});
        return item.sent;
    };
    const auto whole = sent(bytes.substr(0, 1)), part = sent(bytes), none = sent(bytes);
    const bool good = whole.bytes == 1 && part.bytes > 0 && part.bytes < bytes.size() &&
                      none.bytes == 0 && none.again;
    return good ? 0 : EOPNOTSUPP;
}

} // namespace

std::unique_ptr<SendRing> SendRing::open(std::size_t fewest) {
    if (!support().available) return nullptr;
    return std::unique_ptr<SendRing>(new SendRing(std::make_unique<Impl>(), fewest));
}

const SendRing::Support& SendRing::support() {
    static const Support found = [] {
        SendRing ring(std::make_unique<Impl>(), 1);
        const int result = try_ring(ring), error = ring.error_ != 0 ? ring.error_ : result;
        return Support{error == 0, error == 0 ? std::string() : errno_text(error)};
    }();
    return found;
}

#else

struct SendRing::Impl {};

std::size_t SendRing::submit(std::span<Item>) { return 0; }

std::unique_ptr<SendRing> SendRing::open(std::size_t) { return nullptr; }

const SendRing::Support& SendRing::support() {
    static const Support none{false, "this build has no io_uring"};
    return none;
}

#endif

} // namespace sse
