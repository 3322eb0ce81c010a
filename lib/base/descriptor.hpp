// Ownership of a file descriptor.
#pragma once

namespace sse {

/// An open descriptor, closed by the destructor; -1 for none.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd)
        : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept
        : fd_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor();
    int get() const { return fd_; }
    /// Gives up the ownership.
    int release();

private:
    int fd_ = -1;
};

} // namespace sse
