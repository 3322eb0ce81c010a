// The EventSource of the standard, for programs: follows one stream, over as many connections as it
// takes. Not a printer: what it hears goes to a Listener.
#pragma once

#include "http/backoff.hpp"
#include "http/client_tls.hpp"
#include "http/dial.hpp"
#include "http/interrupt.hpp"
#include "http/outgoing.hpp"
#include "http/proxy.hpp"
#include "http/reply.hpp"
#include "protocol/error.hpp"
#include "protocol/parser.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

struct ClientOptions {
    /// What is asked for, again with every reconnection: to its URL, whatever redirects followed.
    Outgoing request;
    DialOptions dial;
    /// Not used with a unix socket. A Proxy-Authorization among the request's fields goes to the
    /// proxy and nowhere else.
    ProxyOptions proxy;
    TlsOptions tls;
    ReplyOptions reply;
    ParserOptions parser;
    BackoffOptions backoff;
    /// Connects again after the end of a stream, and after failures once it has been open.
    bool reconnect = true;
    /// Connects again also when it has never been open.
    bool retry_connect = false;
    /// Connects again also after a request that is no GET, but with a GET and only once there is an
    /// id to go on from: so MCP has it of the answers to its POSTs (Streamable HTTP, "Resumability
    /// and Redelivery").
    bool resume_with_get = false;
    /// Goes on trying when the stream ended whole and then nobody listened there any more. Else
    /// that is taken for the end of a server that has said all.
    bool keep_when_gone = false;
    /// Failed attempts in a row before the last one's error is thrown; nullopt: no end.
    std::optional<unsigned> retries;
    /// For Last-Event-ID on the first request; "" for none.
    std::string last_event_id;
    /// Fetch's limit.
    unsigned max_redirects = 20;
    /// Longer ids are not sent: most servers refuse heads over 8 KiB, and would again and again.
    std::size_t max_sent_id_bytes = 4096;
    /// Bytes of an error's body that are shown, and how long they are waited for.
    std::size_t shown_body_bytes = 512;
    std::chrono::milliseconds shown_body_wait{1'000};
    /// The answer is JSON lines, whatever its content type says; else only if that says so.
    bool json_lines = false;
    /// The parser is fed line by line, so that whoever stops in on_event hears no byte behind it.
    bool feed_lines = false;
    /// Numbers from 0 to less than 1, for the jitter of waits; empty: seeded by the system.
    std::function<double()> dice;
};

/// What it took until an answer began.
struct Timing {
    using Clock = Interrupt::Clock;
    Clock::time_point started;              ///< of the attempt, redirects included
    Clock::duration resolve{0}, connect{0}; ///< of the connection that was answered
    std::optional<Clock::duration> tls;     ///< the same; nullopt: there was none
    Clock::duration first_byte{0};          ///< since `started`
};

/// An answer that is no stream of events: another status, or another content type.
class AnswerError : public Error {
public:
    AnswerError(const std::string& what, int status, std::string content_type, std::string coding,
                std::optional<std::chrono::milliseconds> retry_after)
        : Error(Errc::http_status, what)
        , status_(status)
        , content_type_(std::move(content_type))
        , coding_(std::move(coding))
        , retry_after_(retry_after) {}
    int status() const { return status_; }
    const std::string& content_type() const {
        return content_type_;
    }                                                     ///< essence, lowercase; "" for none
    const std::string& coding() const { return coding_; } ///< that was not taken off; "" for none
    std::optional<std::chrono::milliseconds> retry_after() const { return retry_after_; }

private:
    int status_;
    std::string content_type_, coding_;
    std::optional<std::chrono::milliseconds> retry_after_;
};

/// Follows one stream. Used on one thread; only the Interrupt may be raised from elsewhere.
class Client {
public:
    /// How a connection of the stream ended.
    enum class Close : std::uint8_t { eof, reset, timeout, error };

    /// Hears what the parser says, and what happens around it. Views die when the call returns.
    class Listener : public Parser::Sink {
    public:
        /// A request goes out to `url`; its head, as sent.
        virtual void on_request(const Url& /*url*/, std::string_view /*head*/) {}
        /// A head came in, interim and redirects' heads too, as it was sent.
        virtual void on_head(std::string_view /*head*/) {}
        /// Connected to `address`, which is that of `peer`: the URL's host, or a proxy.
        virtual void on_connect(const Url& /*peer*/, std::string_view /*address*/) {}
        /// The answer `status` is followed with `next`; `bare` of what only the origin may know.
        virtual void on_redirect(int /*status*/, const Outgoing& /*next*/, bool /*bare*/) {}
        virtual void on_tls(std::string_view /*description*/) {}
        /// The answer that decides has begun: a stream or not, but no redirect.
        virtual void on_answer(const Timing&) {}
        /// The stream is open. `last_event_id` is what was sent to resume; "" for nothing.
        virtual void on_open(const Url& /*url*/, int /*status*/, const Head&,
                             std::string_view /*last_event_id*/) {}
        /// What one read gave of the body, or a whole chunk of it, before the parser has it.
        virtual void on_read(std::string_view) {}
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
    class Ear;
    struct Attempt;
    Attempt attempt();
    void open_and_read(Attempt& attempt);
    /// The stream may be connected to again, or for the first time once more.
    bool may_try_again() const;
    Outgoing next_request();
    struct Answered {
        std::unique_ptr<Reply> reply;
        std::optional<Url> proxy; ///< that it came through
    };
    Answered follow(Outgoing& request);
    Answered ask(const Outgoing& request, Timing& timing);
    AnswerError answer_error(std::string what, Reply& reply) const;
    /// Straight to its host, or to the proxy, through a tunnel if it is https.
    std::unique_ptr<Connection> connect(const Url& url, const std::optional<Url>& proxy,
                                        Timing& timing);
    std::unique_ptr<Connection> reach(const Url& peer, Interrupt::Clock::time_point limit,
                                      Timing& timing);
    std::unique_ptr<Connection> reach_proxy(const Url& url, const Url& proxy,
                                            Interrupt::Clock::time_point limit, Timing& timing);
    std::unique_ptr<Connection> tunnel(std::unique_ptr<Connection> connection, const Url& url,
                                       const Url& proxy, Interrupt::Clock::time_point limit);
    std::string authorization_for(const Url& proxy) const;
    /// `url` must outlive it.
    Reply::Trace trace_of(const Url& url);
    /// True if the stream is JSON lines.
    bool check_stream(const Outgoing& request, const std::optional<Url>& proxy, Reply& reply);
    void read(Reply& reply, Ear& ear, bool json_lines);

    ClientOptions options_;
    Listener& listener_;
    Interrupt& interrupt_;
    std::unique_ptr<TlsContext> tls_;
    Backoff backoff_;
    std::string last_event_id_;
    bool stopped_ = false, opened_ = false;
};

} // namespace sse
