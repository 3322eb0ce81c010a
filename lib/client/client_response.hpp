// A server's response to one request: its head, and its body as it arrives. Knows HTTP/1's framing;
// not the events in the body, and not which status is an error.
#pragma once

#include "base/content_coding.hpp"
#include "client/client_request.hpp"
#include "http/response_framing.hpp"
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
    /// Bytes of a response's head, interim responses included. Servers send under 8 KiB; some with
    /// large cookies and policies reach 32.
    std::size_t max_head_bytes = 64 * 1024;
    /// Bytes read at a time: few calls under load, and still within a core's cache.
    std::size_t read_bytes = 128 * 1024;
    /// Fails when the server sends nothing, not even a comment, for this long; nullopt: never.
    std::optional<std::chrono::milliseconds> read_timeout;
    /// Fails when the server accepts no byte of the request for this long; nullopt: never.
    std::optional<std::chrono::milliseconds> send_timeout;
    /// Decodes the content codings of `known_codings`.
    bool compressed = false;
    /// arrived() is the kernel's time where the system has one.
    bool arrival_times = false;
};

/// How a body ended.
enum class BodyEnd : std::uint8_t {
    open,     ///< not yet
    complete, ///< its framing marked the end
    closed,   ///< the connection was closed, and nothing told how long the body would be
};

/// One request and its response, on one connection. Used on one thread.
class ClientResponse {
public:
    using Clock = Interrupt::Clock;

    /// Takes over `connection`.
    ClientResponse(std::unique_ptr<ClientConnection> connection, ClientResponseOptions options);
    ~ClientResponse();

    /// Called with the head of the request as it is sent, and with each head that is received, its
    /// folded lines joined: for people.
    struct Trace {
        std::function<void(std::string_view request_head)> sent;
        std::function<void(std::string_view head)> received;
    };
    /// Sends `request` and reads the head of the final response, by `limit` at the latest. Throws
    /// Error (receive, too_large, timeout), Interrupted.
    void send(const ClientRequest& request, const Trace& trace,
              std::optional<Clock::time_point> limit = std::nullopt);
    /// The connection, after a response that made it a tunnel (CONNECT). Throws Error (receive) if
    /// the proxy has sent bytes beyond its head.
    std::unique_ptr<ClientConnection> release_tunnel();

    int status() const { return status_; }
    /// When the first byte of the response arrived.
    Clock::time_point first_byte() const { return first_byte_; }
    /// With `arrival_times`: when the newest of the bytes that were read last arrived.
    Clock::time_point arrived() const { return connection_->arrived(); }
    const Head& head() const { return head_; }
    /// `404 Not Found`, safe to print.
    std::string status_text() const;

    /// The content codings that the body still has when it is read, as the server names them; ""
    /// for none.
    const std::string& coding() const { return coding_; }
    /// Names in Content-Encoding that are no coding, such as `none`, and have no effect; "" for
    /// none.
    const std::string& ignored_coding() const { return ignored_coding_; }

    /// The next bytes of the body, a view that is valid until the next call; nullopt at its end.
    /// Calls `before_wait` before it waits, until `limit` at most. Throws Error (receive) if the
    /// body is cut, or its framing or coding broken, Error (timeout), Interrupted.
    std::optional<std::string_view> read(const std::function<void()>& before_wait,
                                         std::optional<Clock::time_point> limit = std::nullopt);
    BodyEnd end() const { return end_; }
    /// The bytes that read() returned last are the end of a chunk, as far as what has arrived shows
    /// it: framing follows them.
    bool at_chunk_end() const { return framing_ == BodyFraming::chunked && !input_.empty(); }
    /// The connection, for another request, if the body was read to its end and the server keeps
    /// the connection open; else nullptr. No further call may follow.
    std::unique_ptr<ClientConnection> keep_connection();

    /// The start of the body, at most `size` bytes, as far as it arrives by `limit`: for the text
    /// of an error. Never throws Error.
    std::string read_start(std::size_t size, Clock::time_point limit);

private:
    /// Writes `request`, all of it unless a response that is no success arrives before.
    void write(std::string_view request, const Trace& trace,
               std::optional<Clock::time_point> limit);
    /// Reads the next head; sets `answered_` if it is the final one.
    void read_head(const Trace& trace, std::optional<Clock::time_point> limit);
    void frame_body(const std::string& method);
    void find_coding();
    /// read() before the content coding is removed.
    std::optional<std::string_view> read_framed(const std::function<void()>& before_wait,
                                                std::optional<Clock::time_point> limit);
    /// Reads into `input_` without waiting: the number of bytes, 0 at the end of the connection,
    /// nullopt if none have arrived.
    std::optional<std::size_t> read_some();
    /// Waits for bytes and reads them into `input_`; false at the end of the connection.
    bool fill(const std::function<void()>& before_wait,
              std::optional<Clock::time_point> limit = std::nullopt);

    std::unique_ptr<ClientConnection> connection_;
    ClientResponseOptions options_;
    std::vector<char> buffer_;
    std::string_view input_;        ///< read and not yet used
    std::string head_bytes_;        ///< of the last head read, lines ending in CRLF
    bool sent_ = false;             ///< the whole request
    bool answered_ = false;         ///< `head_bytes_` is the final head
    std::size_t interim_bytes_ = 0; ///< of the interim heads
    Head head_;
    int status_ = 0;
    Clock::time_point first_byte_;
    BodyFraming framing_ = BodyFraming::none;
    ChunkedDecoder chunked_;
    std::uint64_t left_ = 0; ///< bytes of a body with a length
    BodyEnd end_ = BodyEnd::open;
    std::unique_ptr<ContentDecoder> decoder_; ///< null: the body is handed on unchanged
    std::string_view encoded_;                ///< not yet decoded
    std::string coding_, ignored_coding_;
};

} // namespace sse
