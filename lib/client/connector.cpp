#include "client/connector.hpp"

#include "client/http_status_error.hpp"
#include "net/socket.hpp"

#include <fmt/format.h>
#include <utility>

namespace sse {

Connector::Connector(const ClientOptions& options, Listener& listener, Interrupt& interrupt)
    : options_(options)
    , listener_(listener)
    , interrupt_(interrupt) {
    if (options_.request.url.tls) tls_ = std::make_unique<TlsContext>(options_.tls);
}

Connector::~Connector() = default;

std::optional<Url> Connector::proxy_of(const Url& url) const {
    return options_.dial.unix_socket.empty() ? proxy_for(url, options_.proxy) : std::nullopt;
}

ClientRequest Connector::prepare(const ClientRequest& request,
                                 const std::optional<Url>& proxy) const {
    auto sent = request;
    sent.erase("Proxy-Authorization");
    if (proxy && !request.url.tls) { // a proxy needs the whole URL (RFC 9112, 3.2.2)
        sent.url.target = request.url.text();
        if (const auto value = authorization_for(*proxy); !value.empty())
            sent.set("Proxy-Authorization", value);
    }
    return sent;
}

ClientResponse::Trace Connector::trace_of(const Url& url) {
    return {[this, &url](std::string_view head) { listener_.on_request(url, head); },
            [this](std::string_view head) { listener_.on_head(head); }};
}

std::unique_ptr<ClientConnection>
Connector::connect(const Url& url, const std::optional<Url>& proxy, Timing& timing) {
    const auto limit = options_.dial.limit();
    auto connection =
        proxy ? connect_to_proxy(url, *proxy, limit, timing) : connect_to(url, limit, timing);
    timing.tls.reset();
    if (url.tls) {
        const auto start = Interrupt::Clock::now();
        if (!tls_) tls_ = std::make_unique<TlsContext>(options_.tls);
        connection->start_tls(*tls_, url.host, limit);
        timing.tls = Interrupt::Clock::now() - start;
        listener_.on_tls(describe(connection->tls()));
    }
    return connection;
}

/// An error here names the proxy, and never means that the server has gone.
std::unique_ptr<ClientConnection> Connector::connect_to_proxy(const Url& url, const Url& proxy,
                                                              Interrupt::Clock::time_point limit,
                                                              Timing& timing) {
    try {
        auto connection = connect_to(proxy, limit, timing);
        return url.tls ? tunnel(std::move(connection), url, proxy, limit) : std::move(connection);
    } catch (const HttpStatusError&) {
        throw;
    } catch (const Error& e) {
        throw Error(e.code(), fmt::format("the proxy: {}", e.what()), Reason::proxy);
    }
}

std::unique_ptr<ClientConnection>
Connector::connect_to(const Url& peer, Interrupt::Clock::time_point limit, Timing& timing) {
    const auto start = Interrupt::Clock::now();
    auto resolved = start;
    const int fd = options_.dial.unix_socket.empty()
                       ? dial(peer.host, peer.port, options_.dial, interrupt_, limit, resolved)
                       : dial_unix(options_.dial.unix_socket, interrupt_, limit);
    timing.resolve = resolved - start;
    timing.connect = Interrupt::Clock::now() - resolved;
    auto connection = std::make_unique<ClientConnection>(fd, peer.endpoint(), interrupt_);
    listener_.on_connect(peer, peer_address(fd));
    return connection;
}

/// Sends CONNECT (RFC 9110, 9.3.6): after a successful response the connection leads to `url`.
std::unique_ptr<ClientConnection> Connector::tunnel(std::unique_ptr<ClientConnection> connection,
                                                    const Url& url, const Url& proxy,
                                                    Interrupt::Clock::time_point limit) {
    ClientRequest request;
    request.method = "CONNECT";
    request.url = proxy;
    request.url.target = url.endpoint();
    request.fields.push_back({"Host", url.endpoint()});
    if (const auto* agent = options_.request.find("User-Agent")) request.fields.push_back(*agent);
    if (const auto value = authorization_for(proxy); !value.empty())
        request.fields.push_back({"Proxy-Authorization", value});
    ClientResponse response(std::move(connection), options_.response);
    response.send(request, trace_of(proxy), limit);
    if (response.status() / 100 != 2) {
        throw http_status_error(fmt::format("the proxy {} returned {} to CONNECT {}",
                                            proxy.endpoint(), response.status_text(),
                                            url.endpoint()),
                                response, options_.excerpt);
    }
    return response.release_tunnel();
}

std::string Connector::authorization_for(const Url& proxy) const {
    const auto* given = options_.request.find("Proxy-Authorization");
    return given ? given->value : basic_authorization(proxy);
}

} // namespace sse
