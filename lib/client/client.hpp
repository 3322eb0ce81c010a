// The EventSource of the standard, for programs: follows one stream, over as many connections as it
// takes. Not a printer: what it hears goes to a Listener.
#pragma once

#include "base/interrupt.hpp"
#include "client/backoff.hpp"
#include "client/client_options.hpp"
#include "client/client_request.hpp"
#include "client/client_response.hpp"
#include "client/connector.hpp"
#include "protocol/parser.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// Follows one stream. Used on one thread; only the Interrupt may be raised from elsewhere.
class Client {
public:
    /// How a connection of the stream ended.
    enum class Close : std::uint8_t { eof, reset, timeout, error };

    /// Hears what the parser says, and what happens around it. Views die when the call returns.
    class Listener : public Parser::Sink, public Connector::Listener {
    public:
        /// The answer `status` is followed with `next`; `bare` of what only the origin may know.
        virtual void on_redirect(int /*status*/, const ClientRequest& /*next*/, bool /*bare*/) {}
        /// The answer that decides has begun: a stream or not, but no redirect.
        virtual void on_response(const Timing&) {}
        /// The stream is open. `last_event_id` is what was sent to resume; "" for nothing.
        virtual void on_open(const Url& /*url*/, int /*status*/, const Head&,
                             std::string_view /*last_event_id*/) {}
        /// What one read gave of the body, or a whole chunk of it, before the parser has it.
        virtual void on_piece(std::string_view) {}
        /// Bytes of the body, after the parser has had them.
        virtual void on_bytes(std::string_view) {}
        virtual void on_close(Close, std::string_view /*why*/) {}
        /// It will connect again after `wait`, because of `why`.
        virtual void on_reconnect(std::chrono::milliseconds /*wait*/, std::string_view /*why*/) {}
        /// The last event ID cannot go into a header, and will not be sent.
        virtual void on_unsendable_id(std::string_view /*id*/) {}
        /// There is nothing more to hear for now: about to wait.
        virtual void on_pause() {}
    };

    /// `listener` and `interrupt` must outlive the client. Throws Error (invalid_argument) for a
    /// request that cannot be sent or files that cannot be used.
    Client(ClientOptions options, Listener& listener, Interrupt& interrupt);
    ~Client();

    /// Why run() came back.
    enum class End : std::uint8_t {
        stopped,     ///< stop() was called
        interrupted, ///< the Interrupt was raised
        ended,       ///< the stream has ended, and is not to be connected to again
        no_content,  ///< 204: the server wants no more connections
        gone,        ///< the stream ended whole, and then nobody listened there any more
    };
    /// Follows the stream to its end. Throws Error when there is nothing left to try.
    End run();
    /// From within the listener: hear nothing more than what is being handled.
    void stop() { stopped_ = true; }
    const std::string& last_event_id() const { return last_event_id_; }
    const ClientOptions& options() const { return options_; }
    /// The stream has been open.
    bool opened() const { return opened_; }

private:
    class SinkAdapter;
    struct Attempt;
    Attempt attempt();
    void open_and_read(Attempt& attempt);
    /// The stream may be connected to again, or for the first time once more.
    bool may_try_again() const;
    ClientRequest next_request();
    struct Exchange {
        std::unique_ptr<ClientResponse> response;
        std::optional<Url> proxy; ///< that it came through
    };
    Exchange follow(ClientRequest& request);
    Exchange ask(const ClientRequest& request, Timing& timing);
    /// True if the stream is JSON lines.
    bool check_stream(const ClientRequest& request, const std::optional<Url>& proxy,
                      ClientResponse& response);
    void read(ClientResponse& response, SinkAdapter& ear, bool json_lines);

    ClientOptions options_;
    Listener& listener_;
    Interrupt& interrupt_;
    Connector connector_;
    Backoff backoff_;
    std::string last_event_id_;
    bool stopped_ = false, opened_ = false;
};

} // namespace sse
