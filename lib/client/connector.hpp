// Opens the connections of a client: to the host of a URL or through a proxy, with TLS or without.
// The only request that it sends is CONNECT, for a tunnel.
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

/// How long each step took until a response began.
struct Timing {
    using Clock = Interrupt::Clock;
    Clock::time_point started;              ///< when the attempt began, redirects included
    Clock::duration resolve{0}, connect{0}; ///< of the connection with the final response
    std::optional<Clock::duration> tls;     ///< of the same; nullopt without TLS
    Clock::duration first_byte{0};          ///< since `started`
};

/// Used on one thread; keeps what the connections of one client share, such as the TLS context.
class Connector {
public:
    /// Receives what is sent and received. Views are valid during the call only.
    class Listener {
    public:
        virtual ~Listener() = default;
        /// A request is sent to `url`; its head, as sent.
        virtual void on_request(const Url& /*url*/, std::string_view /*head*/) {}
        /// A head was received, interim and redirects' heads included.
        virtual void on_head(std::string_view /*head*/) {}
        /// Connected to `address`, one of `peer`'s: the URL's host, or a proxy.
        virtual void on_connect(const Url& /*peer*/, std::string_view /*address*/) {}
        virtual void on_tls(std::string_view /*description*/) {}
    };

    /// All three must outlive the connector. Throws Error (invalid_argument) for files that cannot
    /// be used.
    Connector(const ClientOptions& options, Listener& listener, Interrupt& interrupt);
    ~Connector();

    /// The proxy for `url`; nullopt for a direct connection. Throws Error (invalid_argument).
    std::optional<Url> proxy_of(const Url& url) const;
    /// Connects to the host of `url`, or to `proxy`, through a tunnel if the URL is https. Throws
    /// Error as dial() and TlsContext do, HttpStatusError if the proxy refuses the tunnel,
    /// Interrupted.
    std::unique_ptr<ClientConnection> connect(const Url& url, const std::optional<Url>& proxy,
                                              Timing& timing);
    /// `request` as it is sent over that connection: a proxy gets the whole URL and its own
    /// credentials, a server no Proxy-Authorization.
    ClientRequest prepare(const ClientRequest& request, const std::optional<Url>& proxy) const;
    /// Passes heads on to the listener. `url` must outlive it.
    ClientResponse::Trace trace_of(const Url& url);

private:
    std::unique_ptr<ClientConnection>
    connect_to(const Url& peer, Interrupt::Clock::time_point limit, Timing& timing);
    std::unique_ptr<ClientConnection> connect_to_proxy(const Url& url, const Url& proxy,
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
