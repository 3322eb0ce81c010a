// Reads one descriptor to its end, in large pieces, and stops when it is told to.
#pragma once

#include "base/wake_pipe.hpp"
#include "input/byte_source.hpp"

#include <cstddef>

namespace sse {

struct InputReaderOptions {
    /// Bytes of one read: what a pipe holds, times four, so that a fast writer needs few of them.
    std::size_t read_bytes = 256 * 1024;
    /// A FIFO has no end: writers come and go.
    bool keep_fifo = false;
};

/// A file, a FIFO, a device or standard input.
class InputReader : public ByteSource {
public:
    /// Opens `path`, or standard input if it is "-" or "/dev/stdin" (which may be a socket, and
    /// could not be opened then). A FIFO that nobody writes to yet does not keep the caller. Throws
    /// std::system_error with the path.
    explicit InputReader(const std::string& path, InputReaderOptions options = {});
    ~InputReader() override;
    InputReader(const InputReader&) = delete;
    InputReader& operator=(const InputReader&) = delete;

    bool run(Sink& sink) override;
    void stop() override { wake_.set(); }
    bool ends_by_itself() const override { return plain_; }
    const std::string& name() const override { return name_; }

private:
    std::string name_;
    InputReaderOptions options_;
    WakePipe wake_;
    int fd_ = -1;
    bool plain_ = false; ///< a regular file
};

} // namespace sse
