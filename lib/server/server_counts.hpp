// What happened on the server's connections, in numbers. Each loop counts for itself; the sums are
// made when they are asked for.
#pragma once

#include "base/counter.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sse {

/// Why a request or connection was refused.
enum class Refusal : std::uint8_t {
    none,
    clients,     ///< max_clients are connected
    address,     ///< too many connections from its address
    host,        ///< a Host that this server does not answer to
    origin,      ///< a page of another origin
    token,       ///< no token, or a wrong one
    tls,         ///< the handshake failed
    request,     ///< not a request, or beyond a limit
    timeout,     ///< the request took too long
    descriptors, ///< the process has no descriptor left
    memory,      ///< the bodies being received take all the memory they may
};
inline constexpr std::array<std::string_view, 11> refusal_names = {
    "none", "clients", "address", "host",        "origin", "token",
    "tls",  "request", "timeout", "descriptors", "memory"};
constexpr std::string_view name(Refusal refusal) {
    return refusal_names[static_cast<std::size_t>(refusal)];
}

/// How a connection ended.
enum class EndReason : std::uint8_t {
    none,          ///< it is open
    client_closed, ///< the client closed it, or its network failed
    responded,     ///< its last response, not a stream, was sent
    stream_ended,  ///< its stream came to its end
    stalled,       ///< the client accepted no byte for the stall timeout
    overrun,       ///< it fell behind the history, and the policy is to disconnect
    idle,          ///< no request came for the idle timeout
    drained,       ///< the server was asked to stop, and its stream was ended
    aborted,       ///< ended in the middle: the grace was over, or a recording says so
    refused,       ///< see Refusal
    expired,       ///< its stream reached the maximum stream time
};
inline constexpr std::array<std::string_view, 11> end_reason_names = {
    "open", "client closed", "answered", "end of stream", "stalled", "overrun",
    "idle", "drained",       "cut",      "refused",       "expired"};
constexpr std::string_view name(EndReason reason) {
    return end_reason_names[static_cast<std::size_t>(reason)];
}

/// Written by one loop's thread, on cache lines that no other thread writes.
struct alignas(64) LoopCounts {
    Counter bytes; ///< sent, heads included
    Counter requests;
    Counter streams_opened, streams_closed;
    Counter stalls;
    Counter opened;         ///< connections that were accepted, those to be refused included
    Counter closed;         ///< of `opened`
    Counter refused_opened; ///< of `opened`, those accepted only to be refused
    Counter refused_closed; ///< of `closed`, those accepted only to be refused
    std::array<Counter, refusal_names.size()> refusals;
    std::array<Counter, end_reason_names.size()> ends;
};

/// The whole server at one moment, without the connections of admin listeners.
struct ServerCounts {
    std::uint64_t clients = 0;  ///< connected now
    std::uint64_t connects = 0; ///< accepted in all
    std::uint64_t streams = 0;  ///< open now
    std::uint64_t streams_opened = 0, requests = 0, bytes = 0, stalls = 0;
    std::array<std::uint64_t, refusal_names.size()> refusals{};
    std::array<std::uint64_t, end_reason_names.size()> ends{};
    std::vector<std::uint64_t> loop_clients; ///< connected now, by loop

    /// Adds the counts of one loop, to all but `clients`.
    void add(const LoopCounts& loop);
};

} // namespace sse
