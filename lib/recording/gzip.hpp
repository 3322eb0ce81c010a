// Text into gzip (RFC 1952), so that what has been given can be read back at any moment. No I/O.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace sse {

/// One member. One thread at a time.
class Gzip {
public:
    Gzip();
    ~Gzip();
    Gzip(const Gzip&) = delete;
    Gzip& operator=(const Gzip&) = delete;

    /// Appends to `out` what `text` becomes, whole: whoever reads `out` so far gets all of it.
    void add(std::string_view text, std::string& out);
    /// Appends the end. Nothing may follow.
    void finish(std::string& out);

private:
    struct Impl;
    void deflate(std::string_view text, int flush, std::string& out);
    std::unique_ptr<Impl> impl_;
};

} // namespace sse
