#include "server/response_stream.hpp"

#include "net/transport.hpp"

namespace sse {

ResponseStream::Clock::time_point ResponseStream::expiry(Clock::time_point now,
                                                         std::chrono::milliseconds most,
                                                         SeededRandom& random) {
    if (most.count() <= 0) return Clock::time_point::max();
    const auto spread = random.below(static_cast<std::uint64_t>(most.count()) / 10 + 1);
    return now + most - std::chrono::milliseconds(spread);
}

ResponseStream::Timeout ResponseStream::timeout(Clock::time_point now, Transport& transport,
                                                bool blocked,
                                                std::chrono::milliseconds stall_timeout) {
    const auto queued = [&] { return transport.queued(); };
    if (stall_.stalled(now, transport.sent(), queued, blocked, stall_timeout))
        return Timeout::stalled;
    if (expires_ != Clock::time_point::max() && now >= expires_ + stall_timeout)
        return Timeout::overdue;
    return !blocked && now >= expires_ ? Timeout::expired : Timeout::none;
}

std::string_view ResponseStream::end_of_body() {
    return framing_ == Framing::chunked && !std::exchange(body_ended_, true) ? last_chunk
                                                                             : std::string_view();
}

} // namespace sse
