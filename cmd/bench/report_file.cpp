#include "cmd/bench/report_file.hpp"

#include "base/output_file.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace cmd {

ReportFile::ReportFile(std::string path)
    : path_(std::move(path))
    , fd_(path_.empty() ? -1 : sse::open_output_file(path_)) {}

void ReportFile::write(std::string_view text) {
    while (fd_.get() >= 0 && !text.empty()) {
        const auto wrote = ::write(fd_.get(), text.data(), text.size());
        if (wrote > 0) text.remove_prefix(static_cast<std::size_t>(wrote));
        else if (errno != EINTR)
            throw std::system_error(errno, std::generic_category(),
                                    fmt::format("cannot write {}", path_));
    }
}

} // namespace cmd
