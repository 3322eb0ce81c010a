// Takes a response apart as its bytes arrive: interim heads, the head, the body without its
// transfer coding, trailers. Pushed, so that a loop can use it; the client's ClientResponse pulls.
// No I/O.
#pragma once

#include "http/head.hpp"
#include "http/response_framing.hpp"
#include "protocol/chunked.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace sse {

/// One response, and the interim responses before it. Small once the head has been read, as there
/// may be thousands. One thread at a time.
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

    /// It reads nothing.
    ResponseParser() = default;
    /// `method`: of the request. `max_head_bytes`: of all heads together.
    ResponseParser(std::string method, std::size_t max_head_bytes)
        : heads_(std::make_unique<Heads>(std::move(method), max_head_bytes))
        , state_(State::head) {
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
    struct Heads {
        Heads(std::string request_method, std::size_t most_bytes)
            : method(std::move(request_method))
            , max_bytes(most_bytes) {}
        std::string method;
        std::size_t max_bytes;
        std::string bytes;        ///< of the current head
        std::size_t searched = 0; ///< of `bytes`: holds no end of it
        std::size_t interim = 0;  ///< bytes of the interim heads
    };
    std::unique_ptr<Heads> heads_; ///< until the body begins
    ChunkedDecoder chunks_;
    std::uint64_t left_ = 0; ///< by Content-Length
    State state_ = State::done;
    BodyFraming framing_ = BodyFraming::none;
};

} // namespace sse
