// HTTP/1.1 chunked framing (RFC 9112, 7.1), both ways. Bytes only: no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sse {

/// How the body of a stream is told from what follows it.
enum class Framing {
    chunked,         ///< HTTP/1.1: a cut stream can be told from an ended one
    close_delimited, ///< HTTP/1.0: the end of the connection is the end of the stream
};

/// Appends `bytes` as one chunk. Nothing for no bytes: an empty chunk would end the body.
void append_chunk(std::string_view bytes, std::string& out);
/// What ends a chunked body that has no trailers.
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// Takes the framing off a chunked body that comes in pieces. Strict: sizes are hexadecimal digits
/// only (no sign, no `0x`, at most 15), a chunk ends in CRLF; extensions and trailers are read over
/// within `max_line_bytes` and `max_trailer_bytes`, since the other end may send them for ever.
class ChunkedDecoder {
public:
    static constexpr std::size_t max_line_bytes = 16 * 1024;
    static constexpr std::size_t max_trailer_bytes = 64 * 1024;

    /// Takes what it can from the front of `input` (which shrinks by what was used) and returns the
    /// next piece of the body: a view into `input`. "" when `input` is used up or the body is done.
    /// Throws Error (receive) where the framing is broken.
    std::string_view next(std::string_view& input);
    /// The last chunk and the trailers have been read; what is left of the input is not of this
    /// body.
    bool done() const { return state_ == State::done; }

private:
    enum class State : std::uint8_t {
        size,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer,
        done
    };
    void take_size_digit(char c);
    void end_size_line();
    void take_trailer(char c);

    State state_ = State::size;
    std::uint64_t size_ = 0;  ///< of this chunk: what is still to come
    std::size_t line_ = 0;    ///< bytes of this size line
    std::size_t trailer_ = 0; ///< bytes of all trailers
    bool trailer_line_empty_ = true;
    bool trailer_cr_ = false;
    std::uint8_t digits_ = 0;
};

} // namespace sse
