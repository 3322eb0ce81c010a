#include "cmd/tail/stats_output.hpp"

#include "cmd/cli/command.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace cmd {

StatsOutput::StatsOutput(Stats& stats, StatsOutputOptions options)
    : stats_(stats)
    , options_(std::move(options)) {
    if (!options_.file.empty()) {
        file_ = ::open(options_.file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (file_ < 0) {
            throw std::system_error(
                errno, std::generic_category(),
                fmt::format("cannot write the statistics file {}", options_.file));
        }
    }
    if (options_.live) line_ = std::make_unique<TerminalLine>([this] { return stats_.line(); });
    asked_ = std::make_unique<SignalThread>([this] {
        try {
            tell();
        } catch (const std::system_error& e) {
            warn(e.what());
        }
    });
}

StatsOutput::~StatsOutput() {
    asked_.reset();
    if (file_ >= 0) ::close(file_);
}

void StatsOutput::finish() {
    asked_.reset();
    line_.reset();
    tell();
}

void StatsOutput::tell() {
    const std::lock_guard lock(mutex_);
    if (options_.text) write_above(stats_.text());
    if (file_ < 0) return;
    const auto json = stats_.json();
    if (::lseek(file_, 0, SEEK_SET) == 0) // not a pipe or a terminal: each replaces the one before
        [[maybe_unused]]
        const auto cut = ::ftruncate(file_, 0);
    std::string_view rest = json;
    while (!rest.empty()) {
        const auto taken = ::write(file_, rest.data(), rest.size());
        if (taken > 0) rest.remove_prefix(static_cast<std::size_t>(taken));
        else if (errno != EINTR) {
            throw std::system_error(
                errno, std::generic_category(),
                fmt::format("cannot write the statistics file {}", options_.file));
        }
    }
}

} // namespace cmd
