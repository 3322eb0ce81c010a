#include "cmd/server/access.hpp"

#include "base/printable.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/option_traits.hpp"
#include "http/head.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <system_error>

namespace cmd {

namespace {

/// Validator for CLI11: "" if `origin` is valid, else the reason.
std::string fault_of_origin(const std::string& origin) {
    try {
        sse::check_origin(origin);
    } catch (const sse::Error& e) {
        return e.what();
    }
    return {};
}

std::string fault_of_host(const std::string& host) {
    try {
        sse::check_allowed_host(host);
    } catch (const sse::Error& e) {
        return e.what();
    }
    return {};
}

std::string fault_of_field_name(const std::string& name) {
    return sse::is_token(name)
               ? std::string()
               : fmt::format("\"{}\" is not the name of a header field", sse::printable(name, 60));
}

void read_tokens(sse::Tokens& into, const std::vector<std::string>& files,
                 const sse::OpenFile& open, const char* variable, const char* flag) {
    const auto hint = fmt::format(
        "give {} a file with one token per line; lines that begin with # are comments", flag);
    for (const auto& file : files) {
        try {
            if (into.add_file(file, open))
                warn(fmt::format("{} contains tokens, and every user can read it; use chmod 600",
                                 file));
        } catch (const std::system_error& e) {
            throw Failure(Exit::io_error, e.what(), hint);
        } catch (const sse::Error& e) {
            throw Failure(Exit::bad_input, e.what(), hint);
        }
    }
    const char* const value = std::getenv(variable);
    if (!files.empty() || value == nullptr || *value == '\0') return;
    try {
        into.add(value);
    } catch (const sse::Error& e) {
        throw Failure(Exit::usage, fmt::format("{}: {}", variable, e.what()),
                      "use a token of visible ASCII characters without spaces");
    }
}

} // namespace

void add_access_options(CLI::App& app, sse::ServerOptions& server, TokenSources& tokens) {
    const auto group = "Access";
    auto& guard = server.guard;
    with_example(
        app.add_option(
            "--allow-host", guard.allowed_hosts,
            "Also accept this Host header: HOST, HOST:PORT, or .DOMAIN with all its subdomains"),
        "sse.example")
        ->check(CLI::Validator(fault_of_host, ""))
        ->type_name("HOST")
        ->group(group);
    with_example(app.add_option("--cors", guard.cors,
                                "Let pages of this origin (such as https://app.example) read and "
                                "publish; * lets pages of any origin read; repeatable"),
                 "https://app.example")
        ->check(CLI::Validator(fault_of_origin, ""))
        ->type_name("ORIGIN")
        ->group(group);
    app.add_flag(
           "--cors-credentials", guard.cors_credentials,
           "Let pages of the origins of --cors send credentials (cookies, client certificates)")
        ->group(group);
    with_example(
        app.add_option("--cors-header", guard.cors_headers,
                       "Let pages of the origins of --cors send this header field, besides "
                       "Last-Event-ID, Authorization, Content-Type and Cache-Control"),
        "X-Request-Id")
        ->check(CLI::Validator(fault_of_field_name, ""))
        ->type_name("NAME")
        ->group(group);
    with_example(app.add_option("--token-file", tokens.read_files,
                                "Require a token from this file (one token per line); default: the "
                                "token in SSE_TOKEN, if set"),
                 "readers")
        ->type_name("FILE")
        ->group(group);
    auto* const certificate =
        with_example(
            app.add_option(
                "--tls-cert", server.tls.cert_file,
                "Serve HTTPS with the certificate chain in this file (PEM); SIGHUP reloads it"),
            "cert.pem")
            ->type_name("FILE")
            ->group(group);
    with_example(
        app.add_option("--tls-key", server.tls.key_file,
                       "Private key of the certificate (PEM), if it is not in the same file"),
        "key.pem")
        ->needs(certificate)
        ->type_name("FILE")
        ->group(group);
    with_example(app.add_option("--tls-client-ca", server.tls.client_ca_file,
                                "Require a client certificate issued by a CA in this file (PEM)"),
                 "ca.pem")
        ->needs(certificate)
        ->type_name("FILE")
        ->group(group);
}

void add_publish_token_option(CLI::App& app, TokenSources& tokens) {
    with_example(app.add_option("--publish-token-file", tokens.publish_files,
                                "Require a token from this file to publish; default: the token in "
                                "SSE_PUBLISH_TOKEN, if set, otherwise a token for reading"),
                 "writers")
        ->type_name("FILE")
        ->group("Access");
}

sse::ServerOptions with_tokens(sse::ServerOptions options, const TokenSources& tokens) {
    auto& guard = options.guard;
    if (guard.cors.size() > 1 && std::count(guard.cors.begin(), guard.cors.end(), "*") > 0) {
        throw Failure(Exit::usage, "--cors * cannot be combined with other origins",
                      "give --cors * alone, or exact origins only");
    }
    if (guard.cors_credentials &&
        (guard.cors.empty() || std::count(guard.cors.begin(), guard.cors.end(), "*") > 0)) {
        throw Failure(Exit::usage, "--cors-credentials needs exact origins",
                      "for example --cors https://app.example --cors-credentials");
    }
    if (!guard.cors_headers.empty() && guard.cors.empty()) {
        throw Failure(Exit::usage, "--cors-header needs --cors",
                      "for example --cors https://app.example --cors-header X-Request-Id");
    }
    read_tokens(guard.read_tokens, tokens.read_files, tokens.open, "SSE_TOKEN", "--token-file");
    read_tokens(guard.publish_tokens, tokens.publish_files, tokens.open, "SSE_PUBLISH_TOKEN",
                "--publish-token-file");
    return options;
}

void open_through(const std::shared_ptr<sse::GivenFiles>& files, sse::ServerOptions& server,
                  TokenSources& tokens) {
    using Use = sse::GivenFiles::Use;
    const auto add = [&](const std::string& file) {
        if (!file.empty()) files->add(file, Use::read);
    };
    for (const auto& file : tokens.read_files) add(file);
    for (const auto& file : tokens.publish_files) add(file);
    add(server.tls.cert_file);
    add(server.tls.key_file);
    add(server.tls.client_ca_file);
    tokens.open =
        server.tls.open = [files](const std::string& path) { return files->open(path, Use::read); };
}

void reload_tokens_on_hangup(sse::Server& server, const TokenSources& tokens) {
    if (tokens.read_files.empty() && tokens.publish_files.empty()) return;
    server.on_signal(SIGHUP, [&server, &tokens] {
        try {
            sse::Tokens read, publish;
            read_tokens(read, tokens.read_files, tokens.open, "SSE_TOKEN", "--token-file");
            read_tokens(publish, tokens.publish_files, tokens.open, "SSE_PUBLISH_TOKEN",
                        "--publish-token-file");
            server.replace_tokens(read, publish);
            note("reloaded the tokens");
        } catch (const Failure& e) {
            warn(fmt::format("{}; keeping the previous tokens", e.what()));
        }
    });
}

void load_tls(sse::Server& server, const sse::TlsServerOptions& options) {
    if (options.cert_file.empty()) return;
    try {
        for (const auto& warning : server.load_tls()) warn(warning);
    } catch (const sse::Error& e) {
        throw Failure(exit_status(e.code()), e.what(),
                      "give --tls-cert a PEM file that begins with the server's certificate, and "
                      "--tls-key a PEM file with its unencrypted key");
    }
    server.on_signal(SIGHUP, [&server] {
        try {
            for (const auto& warning : server.load_tls()) warn(warning);
            note("reloaded the certificate and key");
        } catch (const sse::Error& e) {
            warn(fmt::format("{}; keeping the previous certificate", e.what()));
        }
    });
}

} // namespace cmd
