// CRC-32C (Castagnoli; RFC 3720, appendix B.4): detects damage, and nothing that is done on
// purpose.
#pragma once

#include <cstdint>
#include <string_view>

namespace sse {

/// The checksum of `bytes` behind bytes whose checksum is `before`.
std::uint32_t crc32c(std::uint32_t before, std::string_view bytes);

/// The same, always without the instruction of the processor.
std::uint32_t crc32c_portable(std::uint32_t before, std::string_view bytes);

} // namespace sse
