// The bytes of one HTTP/1 request in, a Request out. Not a connection: no I/O, no clock; a bad
// request becomes a status and a reason, which the caller sends.
#pragma once

#include "protocol/chunked.hpp"
#include "server/handler.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sse {

struct RequestLimits {
    /// Bytes of a request's head; also of its trailers. Browsers send under 4 KiB, cookies
    /// included.
    std::size_t max_head_bytes = 16 * 1024;
    /// Bytes of a request's body, its transfer coding taken off.
    std::size_t max_body_bytes = 1024 * 1024;
};

/// Frames one request strictly (RFC 9112): a request that could be read in two ways is refused, so
/// that no byte of one request is ever taken for another.
class RequestReader {
public:
    enum class State : std::uint8_t {
        head,    ///< needs more of the head; empty() if nothing of it has come
        body,    ///< request() has its head; the body is incomplete
        done,    ///< request() is complete
        refused, ///< send refusal(), then close
    };
    struct Refusal {
        int status = 400;
        std::string why;
    };

    explicit RequestReader(RequestLimits limits)
        : limits_(limits) {}

    /// Reads bytes of the request from the front of `input`, which shrinks by what was used. Stops
    /// at the end of the head if a body follows: whether to read it is for the caller to decide.
    State feed(std::string_view& input);
    State state() const { return state_; }
    /// No byte of the request has been received.
    bool empty() const { return state_ == State::head && bytes_.empty(); }
    /// The next piece of the body, a view into `input`, which shrinks by what was used: for a body
    /// that is handed on as it arrives, instead of feed() from State::body on. Sets State::done at
    /// the end of the body. Throws Error: receive if its framing is broken, too_large.
    std::string_view next_body_piece(std::string_view& input);
    /// True once if the client waits for `100 Continue` before it sends the body (RFC
    /// 9110, 10.1.1).
    bool wants_continue();

    Request& request() { return request_; }
    const Refusal& refusal() const { return refusal_; }
    /// HTTP/1.1 and not asked to close.
    bool keep_alive() const { return keep_alive_; }

private:
    void read_head(std::string_view& input);
    bool skip_empty_lines(std::string_view& input);
    void read_body(std::string_view& input);
    void on_head();
    void read_request_line(std::string_view line);
    void read_framing();
    void refuse(int status, std::string why);

    RequestLimits limits_;
    State state_ = State::head;
    Refusal refusal_;
    Request request_;
    std::size_t before_ = 0;       ///< bytes of empty lines before the request
    std::string bytes_;            ///< of the head
    std::size_t searched_ = 0;     ///< of bytes_: holds no end of the head
    std::uint64_t body_left_ = 0;  ///< by Content-Length
    std::uint64_t body_bytes_ = 0; ///< so far
    ChunkedDecoder chunks_;
    bool chunked_ = false, keep_alive_ = false, continue_ = false;
};

} // namespace sse
