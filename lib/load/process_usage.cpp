#include "load/process_usage.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <unistd.h>

namespace sse {

std::optional<ProcessUsage> process_usage(pid_t pid) {
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    // The name of the process, in parentheses, may contain any characters; the state is the first
    // field after it.
    const auto name_end = line.rfind(") ");
    if (name_end == line.npos) return std::nullopt;
    std::istringstream fields(line.substr(name_end + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0, system = 0;
    fields >> user >> system;
    for (int i = 0; i < 8; ++i) fields >> skipped;
    std::uint64_t pages = 0;
    if (!(fields >> pages)) return std::nullopt;
    ProcessUsage usage;
    usage.cpu_seconds = (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    usage.resident_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    std::error_code error;
    const std::filesystem::directory_iterator open(fmt::format("/proc/{}/fd", pid), error);
    if (!error)
        usage.descriptors = static_cast<std::uint64_t>(std::distance(begin(open), end(open)));
    return usage;
}

} // namespace sse
