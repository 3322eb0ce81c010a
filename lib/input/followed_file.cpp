#include "input/followed_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace sse {

namespace {

/// CRC-32 of IEEE 802.3, for a few bytes.
std::uint32_t crc32(std::string_view bytes) {
    std::uint32_t crc = ~0U;
    for (const char c : bytes) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0);
    }
    return ~crc;
}

} // namespace

std::string ReadPlace::text() const {
    return fmt::format("{} {} {} {} {}", at.device, at.inode, at.offset, checked, crc);
}

std::optional<ReadPlace> ReadPlace::parse(std::string_view text) {
    std::array<std::uint64_t, 5> numbers{};
    for (auto& number : numbers) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc()) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (text.starts_with(' ')) text.remove_prefix(1);
    }
    if (!text.empty() || numbers[3] > max_checked || numbers[4] > ~std::uint32_t{0})
        return std::nullopt;
    return ReadPlace{{numbers[0], numbers[1], numbers[2]},
                     static_cast<std::uint32_t>(numbers[3]),
                     static_cast<std::uint32_t>(numbers[4])};
}

ReadPlace ReadPlace::after(FilePlace at, std::string_view before) {
    const auto size = std::min<std::size_t>(before.size(), max_checked);
    const auto last = before.substr(before.size() - size);
    return {at, static_cast<std::uint32_t>(size), crc32(last)};
}

struct FollowedFile::File {
    Descriptor fd;
    int watch = -1;
    struct stat status {};
    off_t offset = 0;

    /// Bytes that it has now; nullopt if its handle is stale.
    std::optional<off_t> size() const {
        struct stat now {};
        if (::fstat(fd.get(), &now) == 0) return now.st_size;
        if (errno == ESTALE) return std::nullopt;
        return 0;
    }
    bool is(const struct stat& other) const {
        return status.st_dev == other.st_dev && status.st_ino == other.st_ino;
    }
};

/// 0, or why the path cannot be followed.
int FollowedFile::open(File& file) {
    file.fd = Descriptor(options_.open ? options_.open(path_) : open_for_reading(path_));
    if (file.fd.get() < 0) return errno;
    if (::fstat(file.fd.get(), &file.status) != 0) return errno;
    if (S_ISREG(file.status.st_mode)) return 0;
    return S_ISDIR(file.status.st_mode) ? EISDIR : ESPIPE;
}

FollowedFile::FollowedFile(std::string path, const FollowOptions& options, FileWatcher& watcher,
                           FileWatcher::Key key)
    : path_(std::move(path))
    , options_(options)
    , watcher_(watcher)
    , key_(key) {
    watcher_.add_path(path_, key_);
    auto file = std::make_unique<File>();
    const int error = open(*file);
    const auto place = options_.place ? options_.place(path_) : std::nullopt;
    if (error == 0) {
        if (place) resume(*file, *place);
        else if (options_.enter.bytes > 0) enter_near_end(*file);
        file->watch = watcher_.add_file(file->fd.get(), key_);
        files_.push_back(std::move(file));
    } else if (error == ENOENT || error == ESTALE) {
        if (auto before = place ? find_by_inode(*place) : nullptr) {
            before->watch = watcher_.add_file(before->fd.get(), key_);
            files_.push_back(std::move(before));
        }
    } else {
        throw std::system_error(error, std::generic_category(),
                                fmt::format("cannot follow {}", path_));
    }
}

FollowedFile::~FollowedFile() = default;

namespace {

/// The bytes at the begin of `text` up to an end of an event, and with it; 0 if there is none.
std::size_t end_in(std::string_view text, FollowOptions::Entry::End end) {
    using End = FollowOptions::Entry::End;
    if (end != End::blank_line) return text.find(end == End::nul ? '\0' : '\n') + 1;
    for (auto at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) {
        const auto rest = text.substr(at + 1);
        if (rest.starts_with('\n')) return at + 2;
        if (rest.starts_with("\r\n")) return at + 3;
    }
    return 0;
}

} // namespace

/// Stays at the start of a file whose end has no end of an event.
void FollowedFile::enter_near_end(File& file) {
    const auto wanted = static_cast<off_t>(options_.enter.bytes);
    if (file.status.st_size <= wanted) return;
    std::string window(std::min<std::size_t>(options_.enter.bytes, 64 * 1024), '\0');
    const auto overlap = std::min<std::size_t>(2, window.size() - 1); // of an end in two windows
    for (off_t at = file.status.st_size - wanted; at < file.status.st_size;) {
        const auto got = ::pread(file.fd.get(), window.data(), window.size(), at);
        if (got <= 0) return;
        const auto text = std::string_view(window).substr(0, static_cast<std::size_t>(got));
        if (const auto size = end_in(text, options_.enter.end); size > 0) {
            file.offset = at + static_cast<off_t>(size);
            entry_note_ = fmt::format("{} is entered near its end, at byte {}", path_, file.offset);
            return;
        }
        if (text.size() <= overlap) return;
        at += static_cast<off_t>(text.size() - overlap);
    }
}

/// Sets where `file` is read on. False if it is not the one that was read.
bool FollowedFile::enter_at(File& file, const ReadPlace& place) const {
    const auto offset = static_cast<off_t>(place.at.offset);
    if (file.status.st_ino != place.at.inode || file.status.st_size < offset ||
        place.checked > place.at.offset) {
        return false;
    }
    std::string before(place.checked, '\0');
    const auto got = ::pread(file.fd.get(), before.data(), before.size(),
                             offset - static_cast<off_t>(before.size()));
    if (got != static_cast<ssize_t>(before.size()) || crc32(before) != place.crc) return false;
    file.offset = offset;
    return true;
}

/// The file that was read, under another name in the directory of path_; nullptr if it is gone.
std::unique_ptr<FollowedFile::File> FollowedFile::find_by_inode(const ReadPlace& place) {
    auto folder = std::filesystem::path(path_).parent_path();
    if (folder.empty()) folder = ".";
    std::error_code error;
    for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
         it.increment(error)) {
        struct stat status {};
        if (::stat(it->path().c_str(), &status) != 0 || status.st_ino != place.at.inode ||
            !S_ISREG(status.st_mode)) {
            continue;
        }
        auto file = std::make_unique<File>();
        file->fd = Descriptor(open_for_reading(it->path().string()));
        if (file->fd.get() < 0 || ::fstat(file->fd.get(), &file->status) != 0) continue;
        if (enter_at(*file, place)) return file;
    }
    return nullptr;
}

/// Reads `file`, which has the name now, from where it was read to before; or, if that was another
/// file, the rest of that one first.
void FollowedFile::resume(File& file, const ReadPlace& place) {
    if (enter_at(file, place)) return;
    if (auto before = find_by_inode(place)) {
        before->watch = watcher_.add_file(before->fd.get(), key_);
        files_.push_back(std::move(before));
        return;
    }
    entry_note_ =
        fmt::format("{} is not the file that was read before; reading from its start", path_);
}

bool FollowedFile::read(ByteSource::Sink& sink, std::span<char> buffer) {
    if (!entry_note_.empty()) sink.on_note(std::exchange(entry_note_, {}));
    check_path(sink);
    while (!files_.empty()) {
        // Asked before the last read: what is appended to the old file after its writer has
        // switched to the new one belongs to neither.
        const bool replaced = has_successor();
        switch (read_file(*files_.front(), sink, buffer)) {
        case Outcome::turn_over: return true;
        case Outcome::stale: drop_stale(sink); continue;
        case Outcome::at_end: break;
        }
        if (!replaced) return false;
        drop_front();
        sink.on_break();
        sink.on_note(fmt::format("{} was replaced; reading the new one", path_));
    }
    return false;
}

/// Opens the file that the path names now, if it is another one than before.
void FollowedFile::check_path(ByteSource::Sink& sink) {
    struct stat status {};
    if (::stat(path_.c_str(), &status) == 0 && !files_.empty() && files_.back()->is(status)) {
        last_note_.clear();
        return;
    }
    auto file = std::make_unique<File>();
    if (const int error = open(*file); error != 0) {
        if (error != ENOENT)
            note_once(sink, fmt::format("cannot follow {}: {}", path_, std::strerror(error)));
        else if (files_.empty() && !stale_)
            note_once(sink, fmt::format("waiting for {} to appear", path_));
        else note_once(sink, fmt::format("{} was removed; waiting for a new one", path_));
        return;
    }
    last_note_.clear();
    // Where the directory cannot be searched, only opening the file tells that it is the same.
    if (!files_.empty() && files_.back()->is(file->status)) return;
    if (const auto stale = std::exchange(stale_, nullptr)) {
        if (stale->is(file->status)) {
            file->offset = stale->offset;
        } else {
            sink.on_break();
            sink.on_note(fmt::format("{} was replaced; reading the new one", path_));
        }
    }
    file->watch = watcher_.add_file(file->fd.get(), key_);
    files_.push_back(std::move(file));
}

void FollowedFile::note_once(ByteSource::Sink& sink, const std::string& text) {
    if (text == last_note_) return;
    last_note_ = text;
    sink.on_note(text);
}

void FollowedFile::drop_front() {
    watcher_.remove_file(files_.front()->watch, key_);
    files_.pop_front();
}

/// The file being read can no longer be read. The one that replaced it is next, or the path is
/// opened again.
void FollowedFile::drop_stale(ByteSource::Sink& sink) {
    auto stale = std::move(files_.front());
    watcher_.remove_file(stale->watch, key_);
    files_.pop_front();
    if (!files_.empty()) {
        sink.on_break();
        sink.on_note(fmt::format("{} was replaced; reading the new one", path_));
        return;
    }
    stale->fd = Descriptor();
    stale_ = std::move(stale);
    check_path(sink);
}

bool FollowedFile::has_successor() const {
    return std::any_of(files_.begin() + 1, files_.end(),
                       [](const auto& file) { return file->size().value_or(0) > 0; });
}

FollowedFile::Outcome FollowedFile::read_file(File& file, ByteSource::Sink& sink,
                                              std::span<char> buffer) {
    const auto size = file.size();
    if (!size) return Outcome::stale;
    if (*size < file.offset) {
        sink.on_break();
        sink.on_note(fmt::format("{} was truncated; reading from its start", path_));
        file.offset = 0;
    }
    for (std::size_t taken = 0; taken < options_.turn_bytes;) {
        const auto got =
            options_.read ? options_.read(file.fd.get(), buffer.data(), buffer.size(), file.offset)
                          : ::pread(file.fd.get(), buffer.data(), buffer.size(), file.offset);
        if (got == 0) return Outcome::at_end;
        if (got > 0) {
            sink.on_place(
                {file.status.st_dev, file.status.st_ino, static_cast<std::uint64_t>(file.offset)});
            file.offset += got;
            taken += static_cast<std::size_t>(got);
            sink.on_bytes({buffer.data(), static_cast<std::size_t>(got)});
        } else if (errno == ESTALE) {
            return Outcome::stale;
        } else if (errno != EINTR) {
            throw std::system_error(errno, std::generic_category(),
                                    fmt::format("cannot read {}", path_));
        }
    }
    return Outcome::turn_over;
}

} // namespace sse
