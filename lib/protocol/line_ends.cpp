#include "protocol/line_ends.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace sse {

namespace {

/// `Block` reads 64 bytes: marks() has a bit for each line end, and `ascii` is false once a byte
/// was not ASCII. What is missing of the last block is read as NUL.
template <typename Block>
inline __attribute__((always_inline)) bool mark_blocks(std::string_view bytes, std::uint64_t* marks,
                                                       Block block) {
    const char* at = bytes.data();
    auto left = bytes.size();
    for (; left >= 64; at += 64, left -= 64) *marks++ = block.marks(at);
    if (left > 0) {
        std::array<char, 64> last{};
        std::memcpy(last.data(), at, left);
        *marks = block.marks(last.data());
    }
    return block.is_ascii();
}

/// Eight bytes at a time, in a register of any 64-bit processor.
struct PlainBlock {
    std::uint64_t all = 0;

    /// The high bit of each byte of the result tells whether that byte of `word` is `c`.
    static std::uint64_t equal(std::uint64_t word, unsigned char c) {
        constexpr std::uint64_t ones = 0x0101010101010101, low = 0x7F7F7F7F7F7F7F7F;
        const auto other = word ^ (ones * c); // 0 in the bytes that are `c`
        return ~(((other & low) + low) | other | low);
    }
    std::uint64_t marks(const char* at) {
        std::uint64_t result = 0;
        for (unsigned i = 0; i < 8; ++i) {
            std::uint64_t word = 0;
            for (unsigned byte = 0; byte < 8; ++byte) { // one load where bytes are little-endian
                word |= std::uint64_t{static_cast<unsigned char>(at[(8 * i) + byte])} << (8 * byte);
            }
            all |= word;
            const auto ends = equal(word, '\n') | equal(word, '\r');
            // The eight high bits, gathered in the top byte.
            result |= ((ends >> 7) * 0x0102040810204080) >> 56 << (8 * i);
        }
        return result;
    }
    bool is_ascii() const { return (all & 0x8080808080808080) == 0; }
};

bool mark_plain(std::string_view bytes, std::uint64_t* marks) {
    return mark_blocks(bytes, marks, PlainBlock{});
}

#if defined(__x86_64__)

/// Part of every x86-64.
struct Sse2Block {
    __m128i all = _mm_setzero_si128();

    std::uint64_t marks(const char* at) {
        const auto lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r');
        std::uint64_t result = 0;
        for (int i = 0; i < 4; ++i) {
            const auto part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + (16 * i)));
            all = _mm_or_si128(all, part);
            const auto ends = _mm_or_si128(_mm_cmpeq_epi8(part, lf), _mm_cmpeq_epi8(part, cr));
            result |= std::uint64_t{static_cast<std::uint32_t>(_mm_movemask_epi8(ends))}
                      << (16 * i);
        }
        return result;
    }
    bool is_ascii() const { return _mm_movemask_epi8(all) == 0; }
};

bool mark_sse2(std::string_view bytes, std::uint64_t* marks) {
    return mark_blocks(bytes, marks, Sse2Block{});
}

__attribute__((target("avx2"))) std::uint64_t avx2_marks(const char* at, __m256i& all) {
    const auto lf = _mm256_set1_epi8('\n'), cr = _mm256_set1_epi8('\r');
    const auto* const parts = reinterpret_cast<const __m256i*>(at);
    const auto first = _mm256_loadu_si256(parts), second = _mm256_loadu_si256(parts + 1);
    all = _mm256_or_si256(all, _mm256_or_si256(first, second));
    const auto low = _mm256_or_si256(_mm256_cmpeq_epi8(first, lf), _mm256_cmpeq_epi8(first, cr));
    const auto high = _mm256_or_si256(_mm256_cmpeq_epi8(second, lf), _mm256_cmpeq_epi8(second, cr));
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(low)) |
           std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(high))} << 32;
}

/// Not mark_blocks(): what is compiled for a processor of its own cannot be a part of it.
__attribute__((target("avx2"))) bool mark_avx2(std::string_view bytes, std::uint64_t* marks) {
    auto all = _mm256_setzero_si256();
    const char* at = bytes.data();
    auto left = bytes.size();
    for (; left >= 64; at += 64, left -= 64) *marks++ = avx2_marks(at, all);
    if (left > 0) {
        std::array<char, 64> last{};
        std::memcpy(last.data(), at, left);
        *marks = avx2_marks(last.data(), all);
    }
    return _mm256_movemask_epi8(all) == 0;
}

#elif defined(__aarch64__)

/// Part of every 64-bit ARM.
struct NeonBlock {
    uint8x16_t all = vdupq_n_u8(0);

    std::uint64_t marks(const char* at) {
        // Each byte that is an end keeps the bit of its place in eight; pairs are added up.
        const uint8x16_t bits = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
        std::array<uint8x16_t, 4> ends{};
        for (unsigned i = 0; i < 4; ++i) {
            const auto part = vld1q_u8(reinterpret_cast<const std::uint8_t*>(at) + (16 * i));
            all = vorrq_u8(all, part);
            const auto found =
                vorrq_u8(vceqq_u8(part, vdupq_n_u8('\n')), vceqq_u8(part, vdupq_n_u8('\r')));
            ends[i] = vandq_u8(found, bits);
        }
        auto sum = vpaddq_u8(vpaddq_u8(ends[0], ends[1]), vpaddq_u8(ends[2], ends[3]));
        sum = vpaddq_u8(sum, sum);
        return vgetq_lane_u64(vreinterpretq_u64_u8(sum), 0);
    }
    bool is_ascii() const { return vmaxvq_u8(all) < 0x80; }
};

bool mark_neon(std::string_view bytes, std::uint64_t* marks) {
    return mark_blocks(bytes, marks, NeonBlock{});
}

#endif

constexpr std::array markers = {
#if defined(__x86_64__)
    LineEndMarker{"avx2", mark_avx2}, LineEndMarker{"sse2", mark_sse2},
#elif defined(__aarch64__)
    LineEndMarker{"neon", mark_neon},
#endif
    LineEndMarker{"plain", mark_plain}};

} // namespace

std::span<const LineEndMarker> line_end_markers() {
    const std::span<const LineEndMarker> all = markers;
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx2")) return all.subspan(1);
#endif
    return all;
}

bool mark_line_ends(std::string_view bytes, std::uint64_t* marks) {
    static const auto mark = line_end_markers().front().mark;
    return mark(bytes, marks);
}

} // namespace sse
