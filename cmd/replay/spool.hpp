// A temporary file with a copy of input that can be read only once.
#pragma once

#include "base/wake_pipe.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <thread>

namespace cmd {

/// Owns the temporary file and deletes it.
class Spool {
public:
    /// Creates an empty file in $TMPDIR or /tmp. Throws Failure (io_error).
    Spool();
    ~Spool();
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;

    const std::string& path() const { return path_; }
    /// Copies `source`, a path or `-` for standard input, until its end. Throws Failure (io_error).
    void copy(const std::string& source);
    /// Copies the first line, then the rest on a thread of its own. The returned flag is true until
    /// everything is copied.
    std::shared_ptr<const std::atomic<bool>> follow(const std::string& source);

private:
    void open(const std::string& source);
    /// Copies up to the end, or until a line is complete. True at the end.
    bool copy(bool one_line);

    std::string path_, source_name_;
    bool nameless_ = false; ///< already unlinked; the path is in /proc/self/fd
    int fd_ = -1, source_ = -1;
    sse::WakePipe stop_;
    std::thread thread_;
};

} // namespace cmd
