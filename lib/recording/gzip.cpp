#include "recording/gzip.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <zlib.h>

namespace sse {

struct Gzip::Impl {
    z_stream stream{};
};

Gzip::Gzip()
    : impl_(std::make_unique<Impl>()) {
    constexpr int window = 15 + 16, memory = 8; // 15 bits, in gzip's wrapping; zlib's default
    if (::deflateInit2(&impl_->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, memory,
                       Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::bad_alloc();
    }
}

Gzip::~Gzip() { ::deflateEnd(&impl_->stream); }

void Gzip::add(std::string_view text, std::string& out) {
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), most)))
        deflate(text.substr(0, most), Z_SYNC_FLUSH, out);
}

void Gzip::finish(std::string& out) { deflate({}, Z_FINISH, out); }

void Gzip::deflate(std::string_view text, int flush, std::string& out) {
    auto& z = impl_->stream;
    // zlib does not write there, whatever its type says.
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    do {
        char piece[16 * 1024];
        z.next_out = reinterpret_cast<Bytef*>(piece);
        z.avail_out = sizeof piece;
        ::deflate(&z, flush);
        out.append(piece, sizeof piece - z.avail_out);
    } while (z.avail_out == 0);
}

} // namespace sse
