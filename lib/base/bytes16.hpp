// Sixteen bytes that are compared all at once, where the processor can.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace sse {

/// In two words of any 64-bit processor. The classes below do the same.
class PlainBytes16 {
public:
    PlainBytes16() = default;
    /// Reads the 16 bytes at `at`.
    explicit PlainBytes16(const char* at) {
        for (unsigned i = 0; i < 16; ++i) { // one load each where bytes are little-endian
            (i < 8 ? low_ : high_) |= std::uint64_t{static_cast<unsigned char>(at[i])}
                                      << (8 * (i % 8));
        }
    }
    /// The bytes that are `c`. The result of a comparison has the high bit of each byte for which
    /// it is true; its other bits mean nothing.
    PlainBytes16 equal(char c) const {
        const auto one = [c](std::uint64_t word) {
            const auto other = word ^ (each(1) * static_cast<unsigned char>(c));
            return ~(((other & each(0x7F)) + each(0x7F)) | other);
        };
        return {one(low_), one(high_)};
    }
    /// The bytes that are less than `bound`, as unsigned numbers. `bound` is 1 to 128.
    PlainBytes16 below(unsigned char bound) const {
        const auto one = [bound](std::uint64_t word) {
            return ~(((word & each(0x7F)) + each(static_cast<unsigned char>(0x80 - bound))) | word);
        };
        return {one(low_), one(high_)};
    }
    PlainBytes16 operator|(PlainBytes16 other) const {
        return {low_ | other.low_, high_ | other.high_};
    }
    /// The high bit of each byte: bit i is that of byte i.
    std::uint32_t bits() const {
        const auto gathered = [](std::uint64_t word) {
            return ((word >> 7 & each(1)) * 0x0102040810204080) >> 56;
        };
        return static_cast<std::uint32_t>(gathered(low_) | gathered(high_) << 8);
    }

private:
    PlainBytes16(std::uint64_t low, std::uint64_t high)
        : low_(low)
        , high_(high) {}
    static constexpr std::uint64_t each(unsigned char byte) { return 0x0101010101010101 * byte; }

    std::uint64_t low_ = 0, high_ = 0;
};

#if defined(__SSE2__) // part of every x86-64

class Bytes16 {
public:
    static constexpr const char* name = "sse2";
    Bytes16() = default;
    explicit Bytes16(const char* at)
        : bytes_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))) {}
    Bytes16 equal(char c) const { return Bytes16(_mm_cmpeq_epi8(bytes_, _mm_set1_epi8(c))); }
    Bytes16 below(unsigned char bound) const {
        const auto most = _mm_set1_epi8(static_cast<char>(bound - 1));
        return Bytes16(_mm_cmpeq_epi8(_mm_min_epu8(bytes_, most), bytes_));
    }
    Bytes16 operator|(Bytes16 other) const { return Bytes16(_mm_or_si128(bytes_, other.bytes_)); }
    std::uint32_t bits() const { return static_cast<std::uint32_t>(_mm_movemask_epi8(bytes_)); }

private:
    explicit Bytes16(__m128i bytes)
        : bytes_(bytes) {}

    __m128i bytes_ = _mm_setzero_si128();
};

#elif defined(__aarch64__)

class Bytes16 {
public:
    static constexpr const char* name = "neon";
    Bytes16() = default;
    explicit Bytes16(const char* at)
        : bytes_(vld1q_u8(reinterpret_cast<const std::uint8_t*>(at))) {}
    Bytes16 equal(char c) const {
        return Bytes16(vceqq_u8(bytes_, vdupq_n_u8(static_cast<std::uint8_t>(c))));
    }
    Bytes16 below(unsigned char bound) const {
        return Bytes16(vcltq_u8(bytes_, vdupq_n_u8(bound)));
    }
    Bytes16 operator|(Bytes16 other) const { return Bytes16(vorrq_u8(bytes_, other.bytes_)); }
    std::uint32_t bits() const {
        // Each byte keeps the bit of its place in eight, and the eights are added up.
        const uint8x16_t places = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
        const auto high = vreinterpretq_u8_s8(vshrq_n_s8(vreinterpretq_s8_u8(bytes_), 7));
        const auto kept = vandq_u8(high, places);
        return vaddv_u8(vget_low_u8(kept)) | std::uint32_t{vaddv_u8(vget_high_u8(kept))} << 8;
    }

private:
    explicit Bytes16(uint8x16_t bytes)
        : bytes_(bytes) {}

    uint8x16_t bytes_ = vdupq_n_u8(0);
};

#else

class Bytes16 : public PlainBytes16 {
public:
    static constexpr const char* name = "words";
    using PlainBytes16::PlainBytes16;
    Bytes16(PlainBytes16 bytes)
        : PlainBytes16(bytes) {}
};

#endif

} // namespace sse
