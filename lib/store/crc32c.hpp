// CRC-32C (Castagnoli; RFC 3720, appendix B.4): detects damage, but not deliberate changes.
#pragma once

#include <cstdint>
#include <string_view>

namespace sse {

/// The checksum of `bytes` appended to bytes whose checksum is `before`; 0 for none.
std::uint32_t crc32c(std::uint32_t before, std::string_view bytes);

/// The same, without the CRC instruction of the processor.
std::uint32_t crc32c_portable(std::uint32_t before, std::string_view bytes);

} // namespace sse
