// The way of a client to who answers a URL: the connection, straight or through a proxy, with TLS
// or without. Asks for nothing but the tunnel through a proxy.
#pragma once

#include "base/interrupt.hpp"
#include "client/client_options.hpp"
#include "client/client_request.hpp"
#include "client/client_response.hpp"
#include "net/client_connection.hpp"
#include "net/client_tls.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// What it took until an answer began.
struct Timing {
    using Clock = Interrupt::Clock;
    Clock::time_point started;              ///< of the attempt, redirects included
    Clock::duration resolve{0}, connect{0}; ///< of the connection that was answered
    std::optional<Clock::duration> tls;     ///< the same; nullopt: there was none
    Clock::duration first_byte{0};          ///< since `started`
};

/// Used on one thread; keeps what all connections of one client share.
class Connector {
public:
    /// Hears what goes over the wire. Views die when the call returns.
    class Listener {
    public:
        virtual ~Listener() = default;
        /// A request goes out to `url`; its head, as sent.
        virtual void on_request(const Url& /*url*/, std::string_view /*head*/) {}
        /// A head came in, interim and redirects' heads too, as it was sent.
        virtual void on_head(std::string_view /*head*/) {}
        /// Connected to `address`, which is that of `peer`: the URL's host, or a proxy.
        virtual void on_connect(const Url& /*peer*/, std::string_view /*address*/) {}
        virtual void on_tls(std::string_view /*description*/) {}
    };

    /// All of them must outlive it. Throws Error (invalid_argument) for files that cannot be used.
    Connector(const ClientOptions& options, Listener& listener, Interrupt& interrupt);
    ~Connector();

    /// That stands between us and `url`; nullopt for none. Throws Error (invalid_argument).
    std::optional<Url> proxy_of(const Url& url) const;
    /// To the host of `url`, or to `proxy`, through a tunnel if the URL is https. Throws Error as
    /// dial() and TlsContext do, HttpStatusError if the proxy opens no tunnel, Interrupted.
    std::unique_ptr<ClientConnection> connect(const Url& url, const std::optional<Url>& proxy,
                                              Timing& timing);
    /// What goes over that connection of `request`.
    ClientRequest as_sent(const ClientRequest& request, const std::optional<Url>& proxy) const;
    /// `url` must outlive it.
    ClientResponse::Trace trace_of(const Url& url);

private:
    std::unique_ptr<ClientConnection> reach(const Url& peer, Interrupt::Clock::time_point limit,
                                            Timing& timing);
    std::unique_ptr<ClientConnection> reach_proxy(const Url& url, const Url& proxy,
                                                  Interrupt::Clock::time_point limit,
                                                  Timing& timing);
    std::unique_ptr<ClientConnection> tunnel(std::unique_ptr<ClientConnection> connection,
                                             const Url& url, const Url& proxy,
                                             Interrupt::Clock::time_point limit);
    std::string authorization_for(const Url& proxy) const;

    const ClientOptions& options_;
    Listener& listener_;
    Interrupt& interrupt_;
    std::unique_ptr<TlsContext> tls_;
};

} // namespace sse
