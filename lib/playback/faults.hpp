// What may be broken on purpose about a playing, to test its client. Each is repeatable: the dice
// are seeded, so the same client gets the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sse {

struct PlaybackFaults {
    /// Cut the connection after so many events of it; 0: never.
    std::uint64_t drop_every = 0;
    /// Cut the connection after so many bytes of the body, be it within an event; 0: never.
    std::uint64_t cut_after = 0;
    /// Send nothing more after so many events, and stay connected; 0: never.
    std::uint64_t stall_after = 0;
    /// Send pieces of so many bytes, each a chunk of its own; 0: whole events.
    std::size_t split = 0;
    /// Cuts, and the end, are a RST rather than a FIN.
    bool reset = false;
    /// For each byte of the body, how probable it is that one of its bits is flipped.
    double corrupt = 0;
    /// The content type is text/html.
    bool wrong_type = false;
    /// The first `status_times` requests are answered with this status; 0: none.
    int status = 0;
    std::uint64_t status_times = 1;
    /// Seconds that their Retry-After names.
    std::uint64_t retry_after = 1;
    std::uint64_t seed = 0;
};

} // namespace sse
