// The system calls of a store, so that tests can replace the disk.
#pragma once

#include "base/descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// An open file. Members throw std::system_error, and may be called on several threads at once.
class StoreFile {
public:
    virtual ~StoreFile() = default;
    /// Writes all of `pieces`, one after the other, from `offset` on.
    virtual void write(std::span<const std::string_view> pieces, std::uint64_t offset) = 0;
    /// Returns the bytes read: fewer than `size` only at the end of the file.
    virtual std::size_t read(char* to, std::size_t size, std::uint64_t offset) const = 0;
    virtual std::uint64_t size() const = 0;
    virtual void truncate(std::uint64_t size) = 0;
    /// Returns once everything written is on the disk.
    virtual void sync() = 0;
};

/// The files of one directory, by name. Members throw std::system_error with the path. Any thread.
class StoreFiles {
public:
    explicit StoreFiles(std::string directory)
        : directory_(std::move(directory)) {}
    virtual ~StoreFiles() = default;

    const std::string& directory() const { return directory_; }
    std::string path(const std::string& name) const { return directory_ + "/" + name; }

    /// `read_parts`: reads a few parts, so that the system should not read ahead of them. `create`:
    /// creates the file, or empties an existing one.
    enum class Mode { read, read_parts, write, create };
    virtual std::unique_ptr<StoreFile> open(const std::string& name, Mode mode);
    /// The names of the files, sorted.
    virtual std::vector<std::string> list() const;
    virtual void remove(const std::string& name);
    virtual void rename(const std::string& from, const std::string& to);
    /// Returns once the creation, removal and renaming of files is on the disk. Not on two threads
    /// at once. The first call opens the directory, so it must be made before the server is
    /// confined.
    virtual void sync_directory();

private:
    const std::string directory_;
    Descriptor fd_; ///< of the directory, since the first sync_directory()
};

} // namespace sse
