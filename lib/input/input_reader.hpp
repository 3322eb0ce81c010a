// Reads one descriptor to its end in large pieces.
#pragma once

#include "base/wake_pipe.hpp"
#include "input/byte_source.hpp"

#include <cstddef>

namespace sse {

struct InputReaderOptions {
    /// Bytes of one read: four times what a pipe holds, so that a fast writer needs few reads.
    std::size_t read_bytes = 256 * 1024;
    /// A FIFO has no end: other writers may open it after the last one has closed it.
    bool keep_fifo = false;
};

/// A file, a FIFO, a device or standard input.
class InputReader : public ByteSource {
public:
    /// Opens `path`, or standard input for "-" and "/dev/stdin" (which cannot be opened by name if
    /// it is a socket). Does not wait for the first writer of a FIFO. Throws std::system_error with
    /// the path.
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
