// Any bytes from a client to a whole ServerConnection, cut anywhere: the routes see the same
// requests, every response is one, and nothing is left when the client has gone.
#include "unit/connection_rig.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

/// The requests that the routes see when `bytes` come in pieces of these sizes, in turns.
std::vector<std::string> requests_of(std::string_view bytes, std::size_t first,
                                     std::size_t second) {
    sse::ServerOptions options;
    options.request = {1024, 4096};
    test::ConnectionRig rig(options, 4096);
    auto client = rig.connect();
    std::string responses;
    while (!bytes.empty()) {
        const auto piece = bytes.substr(0, first);
        responses += rig.exchange(client, piece);
        bytes.remove_prefix(piece.size());
        std::swap(first, second);
    }
    if (!responses.empty() && !responses.starts_with("HTTP/1.1 ") && responses != "|") std::abort();
    client.fd = sse::Descriptor();
    rig.run();
    rig.run();
    if (const auto there = client.connection.lock()) there->abort();
    rig.run();
    if (!client.connection.expired() || rig.bodies.used() != 0) std::abort();
    if (!rig.loop.waiting.idle.empty() || !rig.loop.waiting.incomplete.empty()) std::abort();
    return rig.handler.requests;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::size_t first = 1 + (data[0] & 15), second = 1 + (data[0] >> 4);
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto whole = requests_of(bytes, size, size);
    const auto cut = requests_of(bytes, first, second);
    // A refused request ends the connection if its body has not arrived with its head.
    if (cut.size() > whole.size() || !std::equal(cut.begin(), cut.end(), whole.begin()))
        std::abort();
    return 0;
}
