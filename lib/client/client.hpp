// The EventSource of the standard (HTML 9.2), for programs: reads one stream over as many
// connections as it takes. Prints nothing: events and everything around them go to a Listener.
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

/// Reads one stream. Used on one thread; only the Interrupt may be raised from elsewhere.
class Client {
public:
    /// How a connection of the stream ended.
    enum class Close : std::uint8_t { eof, reset, timeout, error };

    /// Receives the events of the parser, and what happens around them. Views are valid during the
    /// call only.
    class Listener : public Parser::Sink, public Connector::Listener {
    public:
        /// A response with `status` redirects to `next`. `credentials_dropped`: to another origin,
        /// so fields that may hold a secret are not sent there.
        virtual void on_redirect(int /*status*/, const ClientRequest& /*next*/,
                                 bool /*credentials_dropped*/) {}
        /// A response other than a redirect has begun, a stream or not.
        virtual void on_response(const Timing&) {}
        /// `name` in Content-Encoding is no content coding, and is ignored.
        virtual void on_ignored_coding(std::string_view /*name*/) {}
        /// The stream is open. `last_event_id` is the id that was sent to resume; "" for none.
        virtual void on_open(const Url& /*url*/, int /*status*/, const Head&,
                             std::string_view /*last_event_id*/) {}
        /// Bytes of the body, one read or one chunk of it, before they are parsed.
        virtual void on_received(std::string_view) {}
        /// Bytes of the body, after they were parsed.
        virtual void on_bytes(std::string_view) {}
        virtual void on_close(Close, std::string_view /*why*/) {}
        /// The client will reconnect after `wait`, because of `why`.
        virtual void on_reconnect(std::chrono::milliseconds /*wait*/, std::string_view /*why*/) {}
        /// The last event ID cannot be sent in a header.
        virtual void on_unsendable_id(std::string_view /*id*/) {}
        /// Everything received so far was handled: the client is about to wait.
        virtual void on_pause() {}
    };

    /// `listener` and `interrupt` must outlive the client. Throws Error (invalid_argument) for a
    /// request that cannot be sent or files that cannot be used.
    Client(ClientOptions options, Listener& listener, Interrupt& interrupt);
    ~Client();

    /// Why run() returned.
    enum class End : std::uint8_t {
        stopped,     ///< stop() was called
        interrupted, ///< the Interrupt was raised
        ended,       ///< the stream ended, and the options ask for no reconnection
        no_content,  ///< 204: the server asks the client to stop (HTML 9.2.3)
        server_gone, ///< the stream ended cleanly, and then the server refused connections
    };
    /// Reads the stream to its end. Throws the last Error when no attempt is left.
    End run();
    /// From within the listener: makes the event being handled the last one.
    void stop() { stopped_ = true; }
    /// That of the stream, over all connections (HTML 9.2.6); "": none. Within the listener, it is
    /// that of the event being handled.
    const std::string& last_event_id() const { return last_event_id_; }
    const ClientOptions& options() const { return options_; }
    /// True once the stream has been open.
    bool opened() const { return opened_; }

private:
    class SinkAdapter;
    struct Attempt;
    enum class Format : std::uint8_t { event_stream, json_lines, json_seq, json };
    /// A response, and the proxy that it came through.
    struct RoutedResponse {
        std::unique_ptr<ClientResponse> response;
        std::optional<Url> proxy;
        bool credentials_dropped = false; ///< by a redirect to another origin
    };
    Attempt attempt();
    void open_and_read(Attempt& attempt);
    bool may_reconnect() const;
    ClientRequest next_request();
    RoutedResponse send_following_redirects(ClientRequest& request);
    RoutedResponse send(const ClientRequest& request, Timing& timing);
    Format check_response(const ClientRequest& request, const RoutedResponse& routed);
    std::optional<Format> format_of(const ClientRequest& request,
                                    const ClientResponse& response) const;
    void read_body(ClientResponse& response, SinkAdapter& sink, Format format);

    ClientOptions options_;
    Listener& listener_;
    Interrupt& interrupt_;
    Connector connector_;
    Backoff backoff_;
    CookieJar cookies_;
    std::string last_event_id_;
    bool stopped_ = false, opened_ = false;
};

} // namespace sse
