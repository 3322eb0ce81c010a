// A hash whose collisions nobody can choose who does not know its key (SipHash-1-3; Aumasson and
// Bernstein, "SipHash: a fast short-input PRF").
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sse {

struct HashKey {
    std::uint64_t low = 0, high = 0;
};

/// The key of this process: random, the same for as long as it runs. Any thread.
const HashKey& process_hash_key();

/// For tables that a stranger chooses the keys of.
std::uint64_t keyed_hash(std::string_view bytes, const HashKey& key = process_hash_key());

/// keyed_hash() for the standard containers.
struct KeyedHash {
    std::size_t operator()(std::string_view bytes) const { return keyed_hash(bytes); }
};

} // namespace sse
