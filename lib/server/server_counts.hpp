// What happened on the server's connections so far, in numbers, and the names of what can happen.
// Each loop counts for itself; the sums are made when somebody asks.
#pragma once

#include "base/counter.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sse {

/// Why a client was not given what it asked for.
enum class Refusal : std::uint8_t {
    none,
    clients,     ///< max_clients are connected
    address,     ///< too many from its address
    host,        ///< a Host that this server does not answer to
    origin,      ///< a page of another origin
    token,       ///< no token, or a wrong one
    tls,         ///< the handshake failed
    request,     ///< not a request, or beyond a limit
    timeout,     ///< the request took too long
    descriptors, ///< none left
};
inline constexpr std::array<std::string_view, 10> refusal_names = {
    "none",  "clients", "address", "host",    "origin",
    "token", "tls",     "request", "timeout", "descriptors"};
constexpr std::string_view name(Refusal refusal) {
    return refusal_names[static_cast<std::size_t>(refusal)];
}

/// How a connection ended.
enum class End : std::uint8_t {
    open,     ///< not yet
    client,   ///< the client closed it, or went away
    answered, ///< its last answer was no stream, and was sent
    finished, ///< its stream came to its end
    stalled,  ///< the client took no byte for the stall timeout
    overrun,  ///< it fell behind the history, and the policy is to disconnect
    idle,     ///< no request came for the idle timeout
    drained,  ///< the server was told to stop, and it was sent what there was
    cut,      ///< ended in the middle: the grace was over, or a recording said so
    refused,  ///< see Refusal
};
inline constexpr std::array<std::string_view, 10> end_names = {
    "open",    "client closed", "answered", "end of stream", "stalled",
    "overrun", "idle",          "drained",  "cut",           "refused"};
constexpr std::string_view name(End end) { return end_names[static_cast<std::size_t>(end)]; }

/// One loop's own: written on its thread, on cache lines that nobody else writes.
struct alignas(64) LoopCounts {
    Counter bytes; ///< sent, heads included
    Counter requests;
    Counter streams_opened, streams_closed;
    Counter stalls;
    Counter opened;         ///< connections that were let in, or told why not
    Counter closed;         ///< of them, those that have ended
    Counter refused_opened; ///< of opened, those that are told why not
    Counter refused_closed; ///< of closed, those that were told why not
    std::array<Counter, refusal_names.size()> refusals;
    std::array<Counter, end_names.size()> ends;
};

/// The whole server at one moment; the connections of an admin listener are not in it.
struct ServerCounts {
    std::uint64_t clients = 0;  ///< connected now
    std::uint64_t connects = 0; ///< accepted in all
    std::uint64_t streams = 0;  ///< open now
    std::uint64_t streams_opened = 0, requests = 0, bytes = 0, stalls = 0;
    std::array<std::uint64_t, refusal_names.size()> refusals{};
    std::array<std::uint64_t, end_names.size()> ends{};
    std::vector<std::uint64_t> loop_clients; ///< connected now, by loop
};

} // namespace sse
