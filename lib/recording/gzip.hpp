// Compresses text with gzip (RFC 1952). After each call, all text so far can be decompressed. No
// I/O.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace sse {

/// One gzip member. One thread at a time.
class Gzip {
public:
    Gzip();
    ~Gzip();
    Gzip(const Gzip&) = delete;
    Gzip& operator=(const Gzip&) = delete;

    /// Appends the compressed `text` to `out`, flushed: a reader of `out` gets all of it.
    void add(std::string_view text, std::string& out);
    /// Appends the end of the member. Call once, last.
    void finish(std::string& out);

private:
    struct Impl;
    void deflate(std::string_view text, int flush, std::string& out);
    std::unique_ptr<Impl> impl_;
};

} // namespace sse
