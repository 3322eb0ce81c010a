// Reads one descriptor to its end, in large pieces, and stops when it is told to.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sse {

struct InputReaderOptions {
    /// Bytes of one read: what a pipe holds, times four, so that a fast writer needs few of them.
    std::size_t read_bytes = 256 * 1024;
};

/// run() on a thread of its own; stop() on any.
class InputReader {
public:
    /// Opens `path`, or standard input if it is "-". Throws std::system_error with the path.
    explicit InputReader(const std::string& path, InputReaderOptions options = {});
    ~InputReader();
    InputReader(const InputReader&) = delete;
    InputReader& operator=(const InputReader&) = delete;

    /// Hands on each piece as soon as it is there, until the end of the input or stop(). Throws
    /// std::system_error if a read fails. Returns true at the end of the input.
    bool run(const std::function<void(std::string_view)>& on_bytes);
    /// Lets run() return soon, wherever it is waiting.
    void stop();
    const std::string& name() const { return name_; }

private:
    std::string name_;
    int fd_ = -1;
    int wake_[2] = {-1, -1};
    InputReaderOptions options_;
};

} // namespace sse
