#include "cmd/tail/stats_output.hpp"

#include "base/output_file.hpp"
#include "cmd/cli/command.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace cmd {

StatsOutput::StatsOutput(Stats& stats, StatsOutputOptions options)
    : stats_(stats)
    , options_(std::move(options)) {
    if (!options_.file.empty()) file_ = sse::open_output_file(options_.file);
    if (options_.live) line_ = std::make_unique<TerminalLine>([this] { return stats_.line(); });
    signal_thread_ = std::make_unique<SignalThread>([this] {
        try {
            write();
        } catch (const std::system_error& e) {
            warn(e.what());
        }
    });
}

StatsOutput::~StatsOutput() {
    signal_thread_.reset();
    if (file_ >= 0) ::close(file_);
}

void StatsOutput::finish() {
    signal_thread_.reset();
    line_.reset();
    write();
}

void StatsOutput::write() {
    const std::lock_guard lock(mutex_);
    if (options_.text) write_above(stats_.text());
    if (file_ < 0) return;
    const auto json = stats_.json();
    if (::lseek(file_, 0, SEEK_SET) == 0) // a regular file: replace the contents
        [[maybe_unused]]
        const auto cut = ::ftruncate(file_, 0);
    std::string_view rest = json;
    while (!rest.empty()) {
        const auto wrote = ::write(file_, rest.data(), rest.size());
        if (wrote > 0) rest.remove_prefix(static_cast<std::size_t>(wrote));
        else if (errno != EINTR) {
            throw std::system_error(
                errno, std::generic_category(),
                fmt::format("cannot write the statistics file {}", options_.file));
        }
    }
}

} // namespace cmd
