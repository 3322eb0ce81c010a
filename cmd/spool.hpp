// Standard input as a file, for what has to be read more than once.
#pragma once

#include <string>

namespace cmd {

/// For `-`, copies standard input to its end into a temporary file, which goes with this object;
/// any other path stays what it is. Throws Failure (io_error).
class Spool {
public:
    explicit Spool(const std::string& path);
    ~Spool();
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_;
    bool temporary_ = false;
};

} // namespace cmd
