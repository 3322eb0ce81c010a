// Input that comes once, as a file, for what has to be read more than once.
#pragma once

#include "base/wake_pipe.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <thread>

namespace cmd {

/// A temporary file, which goes with this object.
class Spool {
public:
    /// An empty one. Throws Failure (io_error).
    Spool();
    ~Spool();
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;

    const std::string& path() const { return path_; }
    /// Copies `source`, a path or `-` for standard input, into it, to its end. Throws Failure
    /// (io_error).
    void copy(const std::string& source);
    /// Copies its first line, and then goes on with the rest on a thread. The result is true until
    /// all is copied.
    std::shared_ptr<const std::atomic<bool>> follow(const std::string& source);

private:
    void open(const std::string& source);
    /// Up to the first LF or to the end; true at the end.
    bool copy(bool one_line);

    std::string path_, source_name_;
    bool nameless_ = false; ///< gone when it is closed
    int fd_ = -1, source_ = -1;
    sse::WakePipe stop_;
    std::thread thread_;
};

} // namespace cmd
