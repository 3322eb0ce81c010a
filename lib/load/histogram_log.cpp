#include "load/histogram_log.hpp"

#include "base/base64.hpp"
#include "base/rfc3339.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <fmt/format.h>
#include <new>
#include <utility>
#include <vector>
#include <zlib.h>

namespace sse {

namespace {

constexpr std::uint32_t encoding_cookie = 0x1c849313, compressed_cookie = 0x1c849314;

template <class Number>
void append_number(Number number, std::string& out) {
    for (int shift = int{8 * sizeof number} - 8; shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(static_cast<std::uint64_t>(number) >> shift & 0xFF));
}

/// ZigZag LEB128 with at most nine bytes, of which the last one has eight bits.
void append_packed(std::int64_t number, std::string& out) {
    auto rest = static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63);
    for (int bytes = 1; bytes < 9 && rest >= 0x80; ++bytes) {
        out.push_back(static_cast<char>((rest & 0x7F) | 0x80));
        rest >>= 7;
    }
    out.push_back(static_cast<char>(rest));
}

std::string encoded(const Histogram& histogram) {
    std::string counts;
    std::int64_t zeros = 0;
    for (const auto count : histogram.counts()) {
        if (count == 0) {
            ++zeros;
            continue;
        }
        if (zeros > 0) append_packed(-std::exchange(zeros, 0), counts);
        append_packed(static_cast<std::int64_t>(count), counts);
    }
    constexpr std::int64_t least_highest = 3'600'000'000'000; // an hour
    const auto highest =
        std::max(least_highest, static_cast<std::int64_t>(histogram.max().count()));
    std::string out;
    append_number(encoding_cookie, out);
    append_number(static_cast<std::uint32_t>(counts.size()), out);
    append_number(std::uint32_t{0}, out); // offset of the first bucket
    append_number(std::uint32_t{3}, out); // significant digits
    append_number(std::uint64_t{1}, out); // lowest value
    append_number(static_cast<std::uint64_t>(highest), out);
    append_number(std::bit_cast<std::uint64_t>(1.0), out); // unit of the values
    return out + counts;
}

std::string compressed(const std::string& bytes) {
    auto size = ::compressBound(static_cast<uLong>(bytes.size()));
    std::string out(size, '\0');
    if (::compress(reinterpret_cast<Bytef*>(out.data()), &size,
                   reinterpret_cast<const Bytef*>(bytes.data()),
                   static_cast<uLong>(bytes.size())) != Z_OK)
        throw std::bad_alloc();
    out.resize(size);
    std::string head;
    append_number(compressed_cookie, head);
    append_number(static_cast<std::uint32_t>(out.size()), head);
    return head + out;
}

} // namespace

std::string histogram_log_head(std::chrono::system_clock::time_point started) {
    const auto seconds = std::chrono::duration<double>(started.time_since_epoch()).count();
    return fmt::format("#[Histogram log format version 1.3]\n"
                       "#[StartTime: {:.3f} (seconds since epoch), {}]\n"
                       "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
                       "\"Interval_Compressed_Histogram\"\n",
                       seconds, rfc3339(started));
}

std::string histogram_log_line(std::string_view tag, double begin, double end,
                               const Histogram& histogram) {
    auto line = fmt::format("Tag={},{:.3f},{:.3f},{:.3f},", tag, begin, end - begin,
                            static_cast<double>(histogram.max().count()) / 1e6);
    append_base64(compressed(encoded(histogram)), line);
    return line + "\n";
}

} // namespace sse
