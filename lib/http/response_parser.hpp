// Takes a response apart as its bytes arrive: interim heads, the head, the body without its
// transfer coding, trailers. Pushed, so that a loop can use it; the client's ClientResponse pulls.
// No I/O.
#pragma once

#include "http/head.hpp"
#include "http/response_framing.hpp"
#include "protocol/chunked.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sse {

/// One response, and the interim responses before it. One thread at a time.
class ResponseParser {
public:
    /// Receives the parts of the response, in order. Views are valid during the call only.
    class Sink {
    public:
        virtual ~Sink() = default;
        virtual void on_interim(const Head& head) = 0;
        virtual void on_head(const Head& head, int status, const ResponseFraming& framing) = 0;
        /// A part of the body: never more than one chunk of a chunked body.
        virtual void on_body_piece(std::string_view bytes) = 0;
        /// The response is complete. `trailers`: their lines, each with its CRLF.
        virtual void on_response_end(std::string_view trailers) = 0;
    };

    /// `method`: of the request. `max_head_bytes`: of all heads together.
    ResponseParser(std::string method, std::size_t max_head_bytes)
        : method_(std::move(method))
        , max_head_bytes_(max_head_bytes) {
        chunks_.keep_trailers();
    }

    /// The next bytes. What follows the response is ignored. Throws Error (receive, too_large)
    /// where it is malformed.
    void feed(std::string_view bytes, Sink& sink);
    /// The connection has ended. Throws Error (receive) if that cuts the response.
    void finish(Sink& sink);
    bool has_head() const { return state_ != State::head; }
    bool done() const { return state_ == State::done; }

private:
    void read_head(std::string_view& bytes, Sink& sink);
    void read_body(std::string_view& bytes, Sink& sink);
    void complete(std::string_view trailers, Sink& sink);

    enum class State : std::uint8_t { head, body, done };
    State state_ = State::head;
    std::string method_;
    std::size_t max_head_bytes_;
    std::string head_;         ///< bytes of the current head
    std::size_t searched_ = 0; ///< of head_: holds no end of it
    std::size_t interim_ = 0;  ///< bytes of the interim heads
    ResponseFraming framing_;
    std::uint64_t left_ = 0; ///< by Content-Length
    ChunkedDecoder chunks_;
};

} // namespace sse
