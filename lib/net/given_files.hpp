// The files that a server opens again by name: after it has given up root, too.
#pragma once

#include "base/descriptor.hpp"
#include "base/open_file.hpp"

#include <mutex>
#include <string>
#include <sys/types.h>
#include <vector>

namespace sse {

/// A fixed list of paths. add() and keep_root() before the server runs, open() on any thread.
class GivenFiles {
public:
    enum class Use {
        read,   ///< certificates, keys and tokens, which SIGHUP reads again
        follow, ///< a file that grows and is replaced
        append, ///< a log
    };

    GivenFiles() = default;
    /// Ends the process that keep_root() started.
    ~GivenFiles();
    GivenFiles(const GivenFiles&) = delete;
    GivenFiles& operator=(const GivenFiles&) = delete;

    void add(std::string path, Use use);
    /// For a process that is about to give up root: starts a child process that stays root and does
    /// nothing but open the files of the list, for this process, when this one may not. It has no
    /// other descriptors and no other capability than to pass over file permissions. A file that is
    /// followed or appended to is not opened through a symbolic link there: those who may write to
    /// its directory could name any other one. Throws std::system_error.
    void keep_root();
    /// Opens a file of the list: a descriptor, which the caller owns, or -1 with errno.
    int open(const std::string& path, Use use);
    /// Those of the list that are added with Use::read.
    std::vector<std::string> readable() const;

private:
    struct File {
        std::string path;
        Use use;
    };
    static int open_as_self(const std::string& path, Use use);
    int ask(std::size_t index);

    std::vector<File> files_;
    std::mutex mutex_; ///< one request at a time
    Descriptor child_; ///< the connection to the child process; -1: none
    pid_t pid_ = -1;
};

} // namespace sse
