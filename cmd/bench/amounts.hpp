// Numbers as the text report shows them.
#pragma once

#include <cstdint>
#include <string>

namespace cmd {

/// `12,345`
std::string with_commas(std::uint64_t number);
/// `12.3 kB`, in powers of 1,000.
std::string bytes_text(double bytes);
/// Three digits: `0.983`, `12.3`, `12,345`.
std::string rate_text(double number);
/// As rough_duration(): `12.3ms`.
std::string seconds_text(double seconds);

} // namespace cmd
