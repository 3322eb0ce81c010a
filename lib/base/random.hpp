// Random numbers (splitmix64) that are the same on every platform for the same seed, unlike the
// distributions of <random>. Not for secrets.
#pragma once

#include <cstdint>

namespace sse {

/// One thread.
class SeededRandom {
public:
    explicit SeededRandom(std::uint64_t seed)
        : state_(seed) {}
    std::uint64_t next() {
        auto z = (state_ += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
    /// From 0 to `bound` - 1; 0 for a `bound` of 0. Uniform enough for bounds far below 2^64.
    std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
    /// True with `probability`, from 0 to 1.
    bool chance(double probability) {
        return static_cast<double>(next() >> 11) * 0x1p-53 < probability;
    }

private:
    std::uint64_t state_;
};

} // namespace sse
