// What a server answers to one request: its head, and its body piece by piece as it comes. Knows
// HTTP/1's framing; not the events in the body, and not what to do about a status.
#pragma once

#include "client/client_request.hpp"
#include "http/content_coding.hpp"
#include "net/client_connection.hpp"
#include "protocol/chunked.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

struct ClientResponseOptions {
    /// Bytes of an answer's head, interim answers included. Servers send under 8 KiB; some with
    /// large cookies and policies reach 32.
    std::size_t max_head_bytes = 64 * 1024;
    /// Bytes read at a time: few calls under load, and still within a core's cache.
    std::size_t read_bytes = 128 * 1024;
    /// A peer that sends nothing for so long, not even a comment, is taken for dead; nullopt:
    /// never.
    std::optional<std::chrono::milliseconds> read_timeout;
    /// The same for one that takes nothing of the request, while it is sent.
    std::optional<std::chrono::milliseconds> send_timeout;
    /// Takes off the content codings that are known.
    bool compressed = false;
};

/// How a body ended.
enum class BodyEnd : std::uint8_t {
    open,   ///< not yet
    whole,  ///< its framing says that this was all
    closed, ///< the connection was closed, and nothing told how long the body would be
};

/// One exchange on one connection.
class ClientResponse {
public:
    using Clock = Interrupt::Clock;

    /// Takes over `connection`.
    ClientResponse(std::unique_ptr<ClientConnection> connection, ClientResponseOptions options);
    ~ClientResponse();

    /// Called with the bytes of the request as they went out (without its body), and of each head
    /// as it came: for people.
    struct Trace {
        std::function<void(std::string_view request_head)> sent;
        std::function<void(std::string_view head)> received;
    };
    /// Sends `request` and reads the head of the final answer, which has come by `limit`. Throws
    /// Error (receive, too_large, timeout), Interrupted.
    void exchange(const ClientRequest& request, const Trace& trace,
                  std::optional<Clock::time_point> limit = std::nullopt);
    /// The connection behind the head of an answer that made it a tunnel. Throws Error (receive) if
    /// something was sent there before it was asked for.
    std::unique_ptr<ClientConnection> release();

    int status() const { return status_; }
    /// When the first byte of the answer came.
    Clock::time_point first_byte() const { return first_byte_; }
    const Head& head() const { return head_; }
    /// `404 Not Found`, safe to print.
    std::string status_text() const;

    /// The content coding that the body comes in and that is not taken off; "" for none.
    std::string_view coding() const;

    /// The next piece of the body, a view that dies with the next call; nullopt at its end. Calls
    /// `before_wait` before it waits, until `limit` at most. Throws Error (receive) if the body is
    /// cut, or its framing or coding broken, Error (timeout), Interrupted.
    std::optional<std::string_view> next(const std::function<void()>& before_wait,
                                         std::optional<Clock::time_point> limit = std::nullopt);
    BodyEnd end() const { return end_; }
    /// The connection, for another exchange, once the body has ended whole and if the server keeps
    /// it open; else nullptr. Nothing may be asked of this reply's body afterwards.
    std::unique_ptr<ClientConnection> keep_connection();

    /// The start of the body, at most `size` bytes, as far as it comes by `limit`: for an error's
    /// text. Never throws Error.
    std::string peek(std::size_t size, Clock::time_point limit);

private:
    class OnWire;
    /// Sends `request`, all of it unless an answer comes before and is no success.
    void send(std::string_view request, const Trace& trace, std::optional<Clock::time_point> limit);
    /// The next head, interim or, if `answered_` says so, the final one.
    void read_head(const Trace& trace, std::optional<Clock::time_point> limit);
    void frame_body(const std::string& method);
    /// next() before the content coding is taken off.
    std::optional<std::string_view> next_framed(const std::function<void()>& before_wait,
                                                std::optional<Clock::time_point> limit);
    /// What there is, into `input_`: its size, 0 at the end of the connection, nullopt for none
    /// yet.
    std::optional<std::size_t> read_some();
    /// More bytes into `input_`; false at the end of the connection.
    bool fill(const std::function<void()>& before_wait,
              std::optional<Clock::time_point> limit = std::nullopt);

    std::unique_ptr<ClientConnection> connection_;
    ClientResponseOptions options_;
    std::vector<char> buffer_;
    std::string_view input_;        ///< what has been read and not been used
    std::string head_bytes_;        ///< of the last head read, lines ending in CRLF
    bool sent_ = false;             ///< the request, all of it
    bool answered_ = false;         ///< that is the final one
    std::size_t interim_bytes_ = 0; ///< of the heads before
    Head head_;
    int status_ = 0;
    Clock::time_point first_byte_;
    enum class Framing : std::uint8_t { none, chunked, length, close };
    Framing framing_ = Framing::none;
    ChunkedDecoder chunked_;
    std::uint64_t left_ = 0; ///< of a body with a length
    BodyEnd end_ = BodyEnd::open;
    std::unique_ptr<ContentDecoder> decoder_; ///< null: the body comes as it is
    std::string_view encoded_;                ///< what it has not taken yet
};

} // namespace sse
