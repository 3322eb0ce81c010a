// Any bytes as a chunked body, cut anywhere: the same body, or the same refusal.
#include "base/error.hpp"
#include "protocol/chunked.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

namespace {

std::string decoded(std::string_view bytes, std::size_t first, std::size_t second) {
    sse::ChunkedDecoder decoder;
    std::string body;
    try {
        while (!bytes.empty() && !decoder.done()) {
            const auto fed = bytes.substr(0, first);
            auto left = fed;
            for (auto piece = decoder.next(left); !piece.empty(); piece = decoder.next(left)) {
                if (piece.data() < fed.data() || piece.data() + piece.size() > left.data())
                    std::abort();
                body.append(piece);
            }
            if (!left.empty() && !decoder.done()) std::abort();
            bytes.remove_prefix(fed.size() - left.size());
            std::swap(first, second);
        }
    } catch (const sse::Error& e) {
        return body + "!" + e.what();
    }
    return decoder.done() ? body + "|" + std::string(bytes) : body + "...";
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::size_t first = 1 + (data[0] & 15), second = 1 + (data[0] >> 4);
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto whole = decoded(bytes, size, size);
    if (decoded(bytes, 1, 1) != whole || decoded(bytes, first, second) != whole) std::abort();

    // and what we frame ourselves comes back as it was
    std::string wire;
    for (std::size_t at = 0; at < bytes.size(); at += first) {
        sse::append_chunk(bytes.substr(at, first), wire);
    }
    wire += sse::last_chunk;
    if (decoded(wire, second, first) != std::string(bytes) + "|") std::abort();
    return 0;
}
