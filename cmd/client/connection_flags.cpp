#include "cmd/client/connection_flags.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/duration.hpp"
#include "cmd/cli/option_traits.hpp"
#include "cmd/cli/text_option.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace cmd {

namespace {

/// `HOST:PORT:ADDRESS`, the address with or without brackets.
sse::HostAddress read_resolve(const std::string& text) {
    const auto colon = text.find(':'),
               second = colon == text.npos ? text.npos : text.find(':', colon + 1);
    try {
        if (second == text.npos || second + 1 == text.size())
            throw sse::Error(sse::Errc::invalid_argument, "");
        const auto url = sse::Url::parse("http://" + text.substr(0, second));
        auto address = text.substr(second + 1);
        if (address.starts_with('[') && address.ends_with(']'))
            address = address.substr(1, address.size() - 2);
        return {url.host, url.port, address};
    } catch (const sse::Error&) {
        throw Failure(
            Exit::usage,
            fmt::format("--resolve \"{}\" is not HOST:PORT:ADDRESS", sse::printable(text, 100)),
            "use the form --resolve example.org:443:127.0.0.1");
    }
}

sse::Url read_url(const std::string& text) {
    try {
        return sse::Url::parse(text);
    } catch (const sse::Error& e) {
        throw Failure(Exit::usage, e.what(),
                      "use the form http://HOST:PORT/PATH; :8080 means http://localhost:8080/");
    }
}

} // namespace

void add_connection_flags(CLI::App& app, ConnectionFlags& flags) {
    const auto group = "Connection";
    add_limit(app, "--connect-timeout", flags.dial.connect_timeout,
              "Time limit for name lookup, connection and TLS handshake together")
        ->group(group);
    app.add_flag("-k,--insecure", flags.insecure, "Do not verify the server's certificate")
        ->group(group);
    with_example(
        add_text(app, "--cacert", flags.tls.ca_file, "FILE",
                 "Trust the certificates in this file (PEM) instead of those of the system"),
        "ca.pem")
        ->group(group);
    auto* cert = with_example(add_text(app, "--cert", flags.tls.cert_file, "FILE",
                                       "Client certificate (PEM)"),
                              "client.pem")
                     ->group(group);
    with_example(add_text(app, "--key", flags.tls.key_file, "FILE",
                          "Private key of --cert (PEM), if it is in another file"),
                 "key.pem")
        ->needs(cert)
        ->group(group);
    with_example(add_text(app, "--unix-socket", flags.dial.unix_socket, "PATH",
                          "Connect to this Unix socket instead of the URL's host"),
                 "/run/app.sock")
        ->group(group);
    with_example(add_texts(app, "--resolve", flags.resolve, "HOST:PORT:ADDRESS",
                           "Connect to ADDRESS for HOST and PORT; repeatable"),
                 "example.org:443:127.0.0.1")
        ->group(group);
    auto* v4 = app.add_flag("-4,--ipv4", flags.v4, "Use only IPv4 addresses")->group(group);
    app.add_flag("-6,--ipv6", flags.v6, "Use only IPv6 addresses")->excludes(v4)->group(group);
}

void apply(const RequestFlags& request, const ConnectionFlags& connection, const std::string& url,
           sse::ClientOptions& client) {
    if (request.proxy && !request.proxy->empty() && !connection.dial.unix_socket.empty()) {
        throw Failure(Exit::usage, "--proxy and --unix-socket cannot be used together",
                      "use one of them");
    }
    client.request = make_request(request, read_url(url));
    client.dial = connection.dial;
    client.dial.family = connection.v4   ? sse::Family::v4
                         : connection.v6 ? sse::Family::v6
                                         : sse::Family::any;
    for (const auto& text : connection.resolve) client.dial.addresses.push_back(read_resolve(text));
    client.tls = connection.tls;
    client.tls.verify = !connection.insecure;
    client.response.compressed = request.compressed;
    client.proxy = proxies_of(request);
    try {
        if (client.dial.unix_socket.empty()) sse::proxy_for(client.request.url, client.proxy);
    } catch (const sse::Error& e) {
        throw Failure(
            Exit::usage,
            fmt::format("{} {}",
                        request.proxy ? "--proxy" : "proxy from the environment:", e.what()),
            "use the form http://HOST:PORT or http://USER:PASSWORD@HOST:PORT");
    }
}

} // namespace cmd
