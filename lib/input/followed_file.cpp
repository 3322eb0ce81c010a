#include "input/followed_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace sse {

struct FollowedFile::File {
    int fd = -1;
    int watch = -1;
    struct stat status {};
    off_t offset = 0;

    ~File() { ::close(fd); }
    /// Bytes that it has now.
    off_t size() const {
        struct stat now {};
        return ::fstat(fd, &now) == 0 ? now.st_size : 0;
    }
    bool is(const struct stat& other) const {
        return status.st_dev == other.st_dev && status.st_ino == other.st_ino;
    }
};

namespace {

/// 0, or why `path` cannot be followed.
int open_file(const std::string& path, int& fd, struct stat& status) {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return errno;
    int error = ::fstat(fd, &status) != 0 ? errno : 0;
    if (error == 0 && !S_ISREG(status.st_mode)) error = S_ISDIR(status.st_mode) ? EISDIR : ESPIPE;
    if (error != 0) ::close(fd);
    return error;
}

} // namespace

FollowedFile::FollowedFile(std::string path, FollowOptions options)
    : path_(std::move(path))
    , options_(options)
    , watch_(path_, options.watch)
    , buffer_(std::make_unique<char[]>(options.read_bytes)) {
    auto file = std::make_unique<File>();
    const int error = open_file(path_, file->fd, file->status);
    if (error == 0) {
        file->watch = watch_.add(file->fd);
        files_.push_back(std::move(file));
    } else if (error != ENOENT) {
        file->fd = -1;
        throw std::system_error(error, std::generic_category(),
                                fmt::format("cannot follow {}", path_));
    }
}

FollowedFile::~FollowedFile() = default;

bool FollowedFile::run(Sink& sink) {
    for (;;) {
        look(sink);
        if (!read_files(sink) || !watch_.wait(wake_.fd())) return false;
    }
}

/// Sees whether the path names another file than before.
void FollowedFile::look(Sink& sink) {
    struct stat status {};
    if (::stat(path_.c_str(), &status) == 0 && !files_.empty() && files_.back()->is(status)) {
        last_note_.clear();
        return;
    }
    auto file = std::make_unique<File>();
    const int error = open_file(path_, file->fd, file->status);
    if (error != 0) {
        file->fd = -1;
        if (error != ENOENT) {
            return note_once(sink,
                             fmt::format("cannot follow {}: {}", path_, std::strerror(error)));
        }
        return note_once(sink, files_.empty()
                                   ? fmt::format("waiting for {} to appear", path_)
                                   : fmt::format("{} is gone; waiting for another", path_));
    }
    last_note_.clear();
    file->watch = watch_.add(file->fd);
    files_.push_back(std::move(file));
}

void FollowedFile::note_once(Sink& sink, const std::string& text) {
    if (text == last_note_) return;
    last_note_ = text;
    sink.on_note(text);
}

/// Reads all that there is. False if it was told to stop.
bool FollowedFile::read_files(Sink& sink) {
    while (!files_.empty()) {
        // Asked before the last read: what is appended to the old file after its writer has turned
        // to the new one is nobody's.
        const bool replaced = successor_has_begun();
        if (!read_on(*files_.front(), sink)) return false;
        if (!replaced) return true;
        watch_.remove(files_.front()->watch);
        files_.pop_front();
        sink.on_break();
        sink.on_note(fmt::format("{} was replaced; reading the new one", path_));
    }
    return true;
}

bool FollowedFile::successor_has_begun() const {
    return std::any_of(files_.begin() + 1, files_.end(),
                       [](const auto& file) { return file->size() > 0; });
}

bool FollowedFile::read_on(File& file, Sink& sink) {
    if (file.size() < file.offset) {
        sink.on_break();
        sink.on_note(fmt::format("{} was truncated; reading from its start", path_));
        file.offset = 0;
    }
    for (;;) {
        if (wake_.is_set()) return false;
        const auto got = ::pread(file.fd, buffer_.get(), options_.read_bytes, file.offset);
        if (got == 0) return true;
        if (got > 0) {
            file.offset += got;
            sink.on_bytes({buffer_.get(), static_cast<std::size_t>(got)});
        } else if (errno != EINTR) {
            throw std::system_error(errno, std::generic_category(),
                                    fmt::format("cannot read {}", path_));
        }
    }
}

} // namespace sse
