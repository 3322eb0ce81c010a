#include "recording/input.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace sse {

struct RecordingInput::Gzip {
    z_stream stream{};
    std::array<char, 16 * 1024> in;
    bool member_done = false; ///< a member has ended; another may follow
    bool file_done = false;
    bool cut_short = false;

    Gzip() {
        constexpr int window = 15 + 32; // 15 bits, in the wrapping of gzip or zlib
        if (inflateInit2(&stream, window) != Z_OK) throw std::bad_alloc();
    }
    ~Gzip() { inflateEnd(&stream); }
    Gzip(const Gzip&) = delete;
    Gzip& operator=(const Gzip&) = delete;
};

RecordingInput::RecordingInput(std::string path)
    : path_(std::move(path))
    , name_(path_ == "-" ? "stdin" : path_) {
    fd_ = path_ == "-" ? ::dup(STDIN_FILENO) : ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0)
        throw Error(Errc::io, fmt::format("cannot open {}: {}", name_, std::strerror(errno)));
    struct stat status {};
    pipe_ = ::fstat(fd_, &status) != 0 || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
    try {
        detect_gzip();
    } catch (...) {
        ::close(fd_);
        throw;
    }
}

RecordingInput::~RecordingInput() { ::close(fd_); }

void RecordingInput::detect_gzip() {
    magic_.resize(2);
    std::size_t have = 0;
    while (have < 2) {
        const auto got = read_file(magic_.data() + have, 2 - have);
        if (got == 0) break;
        have += got;
    }
    magic_.resize(have);
    // The second is zlib with the best compression, as mitmproxy writes a .zhar file; no text
    // begins so.
    if (magic_ == "\x1f\x8b" || magic_ == "x\xda") gzip_ = std::make_unique<Gzip>();
}

std::size_t RecordingInput::read_file(char* to, std::size_t size) {
    for (;;) {
        if (pipe_ && wait_ && !wait_(fd_)) return 0;
        const auto got = ::read(fd_, to, size);
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR)
            throw Error(Errc::io, fmt::format("cannot read {}: {}", name_, std::strerror(errno)));
    }
}

std::size_t RecordingInput::read_raw(char* to, std::size_t size) {
    if (magic_.empty()) return read_file(to, size);
    const auto count = magic_.copy(to, size);
    magic_.erase(0, count);
    return count;
}

std::size_t RecordingInput::read(char* to, std::size_t size) {
    if (size == 0) return 0;
    if (ahead_.empty()) return gzip_ ? read_gzip(to, size) : read_raw(to, size);
    const auto count = ahead_.copy(to, size);
    ahead_.erase(0, count);
    return count;
}

std::string_view RecordingInput::peek(std::size_t size, bool (*enough)(std::string_view)) {
    for (auto have = ahead_.size(); have < size && !enough(ahead_); have = ahead_.size()) {
        ahead_.resize(size);
        const auto got = gzip_ ? read_gzip(ahead_.data() + have, size - have)
                               : read_raw(ahead_.data() + have, size - have);
        ahead_.resize(have + got);
        if (got == 0) break;
    }
    return std::string_view(ahead_).substr(0, size);
}

std::size_t RecordingInput::read_gzip(char* to, std::size_t size) {
    auto& gz = *gzip_;
    auto& z = gz.stream;
    z.next_out = reinterpret_cast<Bytef*>(to);
    z.avail_out = static_cast<uInt>(std::min<std::size_t>(size, 1u << 30));
    const auto room = z.avail_out;
    while (z.avail_out == room && !gz.file_done) {
        if (z.avail_in == 0) {
            z.next_in = reinterpret_cast<Bytef*>(gz.in.data());
            z.avail_in = static_cast<uInt>(read_raw(gz.in.data(), gz.in.size()));
            if (z.avail_in == 0) {
                gz.file_done = true;
                gz.cut_short = !gz.member_done;
                break;
            }
        }
        if (gz.member_done) {
            inflateReset(&z);
            gz.member_done = false;
        }
        const int result = inflate(&z, Z_NO_FLUSH);
        if (result == Z_STREAM_END) gz.member_done = true;
        else if (result != Z_OK && result != Z_BUF_ERROR) {
            throw Error(Errc::bad_input,
                        fmt::format("{}: gzip: {}", name_, z.msg ? z.msg : "broken data"));
        }
    }
    return room - z.avail_out;
}

void RecordingInput::seek(std::uint64_t offset) {
    const auto target = gzip_ ? 0 : static_cast<off_t>(offset);
    if (::lseek(fd_, target, SEEK_SET) < 0) {
        throw Error(Errc::io, fmt::format("cannot seek in {}: {}", name_, std::strerror(errno)));
    }
    magic_.clear();
    ahead_.clear();
    if (!gzip_) return;
    gzip_ = std::make_unique<Gzip>();
    std::array<char, 16 * 1024> skipped;
    while (offset > 0) {
        const auto got =
            read_gzip(skipped.data(),
                      static_cast<std::size_t>(std::min<std::uint64_t>(offset, skipped.size())));
        if (got == 0) return;
        offset -= got;
    }
}

bool RecordingInput::would_wait() const {
    if (!pipe_ || !ahead_.empty()) return false;
    pollfd input{fd_, POLLIN, 0};
    return ::poll(&input, 1, 0) == 0;
}

bool RecordingInput::cut_short() const { return gzip_ && gzip_->cut_short; }

std::optional<std::uint64_t> RecordingInput::size() const {
    struct stat status {};
    if (gzip_ || ::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(status.st_size);
}

} // namespace sse
