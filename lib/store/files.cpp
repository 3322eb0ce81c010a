#include "store/files.hpp"

#include "base/posix.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <system_error>
#include <unistd.h>

namespace sse {

namespace {

[[noreturn]] void fail(const char* action, const std::string& path) {
    throw std::system_error(errno, std::generic_category(), fmt::format("{} {}", action, path));
}

class DiskFile final : public StoreFile {
public:
    DiskFile(int fd, std::string path)
        : fd_(fd)
        , path_(std::move(path)) {}

    void write(std::span<const std::string_view> pieces, std::uint64_t offset) override {
        std::size_t sent = 0; // of the first piece
        while (!pieces.empty()) {
            std::array<iovec, 512> vectors;
            const auto count = std::min(pieces.size(), vectors.size());
            for (std::size_t i = 0; i < count; ++i)
                vectors[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
            vectors[0] = {const_cast<char*>(pieces[0].data()) + sent, pieces[0].size() - sent};
            const auto wrote = ::pwritev(fd_.get(), vectors.data(), static_cast<int>(count),
                                         static_cast<off_t>(offset));
            if (wrote < 0 && errno == EINTR) continue;
            if (wrote < 0) fail("cannot write to", path_);
            offset += static_cast<std::uint64_t>(wrote);
            auto left = static_cast<std::size_t>(wrote) + sent;
            while (!pieces.empty() && left >= pieces[0].size()) {
                left -= pieces[0].size();
                pieces = pieces.subspan(1);
            }
            sent = left;
        }
    }
    std::size_t read(char* to, std::size_t size, std::uint64_t offset) const override {
        std::size_t all = 0;
        while (all < size) {
            const auto got =
                ::pread(fd_.get(), to + all, size - all, static_cast<off_t>(offset + all));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) fail("cannot read", path_);
            if (got == 0) break;
            all += static_cast<std::size_t>(got);
        }
        return all;
    }
    std::uint64_t size() const override {
        struct stat status {};
        if (::fstat(fd_.get(), &status) != 0) fail("cannot read", path_);
        return static_cast<std::uint64_t>(status.st_size);
    }
    void truncate(std::uint64_t size) override {
        if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) fail("cannot truncate", path_);
    }
    void sync() override {
        if (!sync_data(fd_.get())) fail("cannot sync", path_);
    }

private:
    const Descriptor fd_;
    const std::string path_;
};

} // namespace

std::unique_ptr<StoreFile> StoreFiles::open(const std::string& name, Mode mode) {
    const auto file = path(name);
    const bool reads = mode == Mode::read || mode == Mode::read_parts;
    const int flags = reads ? O_RDONLY : mode == Mode::write ? O_RDWR : O_RDWR | O_CREAT | O_TRUNC;
    const int fd = ::open(file.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) fail(mode == Mode::create ? "cannot create" : "cannot open", file);
    if (mode == Mode::read_parts) expect_random_reads(fd);
    return std::make_unique<DiskFile>(fd, file);
}

std::vector<std::string> StoreFiles::list() const {
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator it(directory_, error), end; !error && it != end;
         it.increment(error)) {
        names.push_back(it->path().filename().string());
    }
    if (error) throw std::system_error(error, fmt::format("cannot read {}", directory_));
    std::sort(names.begin(), names.end());
    return names;
}

void StoreFiles::remove(const std::string& name) {
    const auto file = path(name);
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) fail("cannot remove", file);
}

void StoreFiles::rename(const std::string& from, const std::string& to) {
    if (::rename(path(from).c_str(), path(to).c_str()) != 0) fail("cannot rename", path(from));
}

void StoreFiles::sync_directory() {
    if (fd_.get() < 0)
        fd_ = Descriptor(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd_.get() < 0 || ::fsync(fd_.get()) != 0) fail("cannot sync", directory_);
}

} // namespace sse
