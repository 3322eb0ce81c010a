// Random numbers: those of the system, and those that a seed gives.
#pragma once

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <unistd.h>
#if __has_include(<sys/random.h>)
#include <sys/random.h>
#endif

namespace sse {

/// Random bits of the system, which nobody can guess. Opens no file, unlike std::random_device of
/// some standard libraries: a confined thread may open none. Throws std::system_error. Any thread.
inline std::uint64_t random_bits() {
    std::uint64_t bits = 0;
    if (::getentropy(&bits, sizeof bits) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot get random numbers");
    return bits;
}

/// splitmix64: the same numbers on every platform for the same seed, unlike the distributions of
/// <random>. Not for secrets. One thread.
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
