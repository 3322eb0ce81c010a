#include "protocol/line_ends.hpp"

#include "base/bytes16.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sse {

namespace {

/// The ends among the 64 bytes at `at`; `all` collects the bits that bytes have.
template <typename Bytes>
std::uint64_t marks_of(const char* at, Bytes& all) {
    std::uint64_t marks = 0;
    for (unsigned i = 0; i < 64; i += 16) {
        const Bytes part(at + i);
        all = all | part;
        marks |= std::uint64_t{(part.equal('\n') | part.equal('\r')).bits()} << i;
    }
    return marks;
}

template <typename Bytes>
bool mark(std::string_view bytes, std::uint64_t* marks) {
    Bytes all;
    const char* at = bytes.data();
    auto left = bytes.size();
    for (; left >= 64; at += 64, left -= 64) *marks++ = marks_of(at, all);
    if (left > 0) {
        std::array<char, 64> last{};
        std::memcpy(last.data(), at, left);
        *marks = marks_of(last.data(), all);
    }
    return all.bits() == 0;
}

#if defined(__x86_64__)

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

/// As mark(), compiled for processors that have AVX2.
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

#endif

constexpr std::array markers = {
#if defined(__x86_64__)
    LineEndMarker{"avx2", mark_avx2},
#endif
    LineEndMarker{Bytes16::name, mark<Bytes16>}, LineEndMarker{"plain", mark<PlainBytes16>}};

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
