// Where the lines of some bytes end, found with the widest instructions that the processor has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sse {

/// The words that mark_line_ends() fills for that many bytes.
constexpr std::size_t line_end_words(std::size_t bytes) { return (bytes + 63) / 64; }

/// Sets bit i % 64 of `marks[i / 64]` for each byte i of `bytes` that is a CR or an LF, and clears
/// the others; `marks` has room for line_end_words() of them. True if all bytes are ASCII. Any
/// thread.
bool mark_line_ends(std::string_view bytes, std::uint64_t* marks);

/// One way to do that.
struct LineEndMarker {
    const char* name; ///< avx2, sse2, neon or plain
    bool (*mark)(std::string_view bytes, std::uint64_t* marks);
};

/// Those that this processor can run, the fastest first: mark_line_ends() is the first.
std::span<const LineEndMarker> line_end_markers();

} // namespace sse
