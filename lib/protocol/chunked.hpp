// HTTP/1.1 chunked framing (RFC 9112, 7.1), both ways. Bytes only: no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sse {

/// How the end of a stream's body is marked.
enum class Framing {
    chunked,         ///< HTTP/1.1: a stream that was cut differs from one that ended
    close_delimited, ///< HTTP/1.0: the end of the connection is the end of the stream
};

/// Appends `bytes` as one chunk. Nothing for no bytes: an empty chunk would end the body.
void append_chunk(std::string_view bytes, std::string& out);
/// The end of a chunked body that has no trailers.
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// Removes the framing of a chunked body that arrives in pieces. Strict: sizes are hexadecimal
/// digits only (no sign, no `0x`, at most 15), a chunk ends in CRLF; extensions and trailers are
/// skipped and bounded by `max_line_bytes` and `max_trailer_bytes`.
class ChunkedDecoder {
public:
    static constexpr std::size_t max_line_bytes = 16 * 1024;
    static constexpr std::size_t max_trailer_bytes = 64 * 1024;

    /// Removes bytes from the front of `input` and returns the next piece of the body, a view into
    /// `input`. "" when `input` is used up or the body is done.
    /// Throws Error (receive) where the framing is broken.
    std::string_view next(std::string_view& input);
    /// The last chunk and the trailers have been read; the rest of the input does not belong to
    /// this body.
    bool done() const { return state_ == State::done; }
    /// Keeps the trailers. Before the first call of next().
    void keep_trailers() { keep_trailers_ = true; }
    /// The kept trailers as their lines, each with its CRLF; "" if there are none. Not checked: see
    /// Head::parse().
    const std::string& trailers() const { return trailers_; }

private:
    enum class State : std::uint8_t {
        size,
        size_end,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer,
        done
    };
    void parse_size_digit(char c);
    void end_size_line();
    void parse_trailer(char c);

    State state_ = State::size;
    std::uint64_t size_ = 0;  ///< bytes of this chunk that are still to come
    std::size_t line_ = 0;    ///< bytes of this size line
    std::size_t trailer_ = 0; ///< bytes of all trailers
    bool trailer_line_empty_ = true;
    bool trailer_cr_ = false;
    bool keep_trailers_ = false;
    std::string trailers_;
    std::uint8_t digits_ = 0;
};

} // namespace sse
