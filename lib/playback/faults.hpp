// Faults that a playback injects into a connection, to test its client. They are repeatable: with
// the same seed, the same client receives the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sse {

struct PlaybackFaults {
    /// Close the connection after this many events; 0: never.
    std::uint64_t drop_every = 0;
    /// Close the connection after this many bytes of the body, even within an event; 0: never.
    std::uint64_t cut_after = 0;
    /// Stop sending after this many events, but keep the connection open; 0: never.
    std::uint64_t stall_after = 0;
    /// Size of the pieces of the body in bytes, each a separate chunk; 0: whole events.
    std::size_t split = 0;
    /// Close with a RST instead of a FIN.
    bool reset = false;
    /// Probability for each byte of the body that one of its bits is flipped, 0 to 1.
    double corrupt = 0;
    /// Send text/html as the content type.
    bool wrong_type = false;
    /// HTTP status of the first `status_times` responses; 0: none.
    int status = 0;
    std::uint64_t status_times = 1;
    /// Value of their Retry-After header, in seconds.
    std::uint64_t retry_after = 1;
    /// Seed of the random numbers of `corrupt`.
    std::uint64_t seed = 0;
};

} // namespace sse
