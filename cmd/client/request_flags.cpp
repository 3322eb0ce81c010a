#include "cmd/client/request_flags.hpp"

#include "base/base64.hpp"
#include "base/content_coding.hpp"
#include "base/errno_text.hpp"
#include "base/error.hpp"
#include "base/printable.hpp"
#include "base/take_part.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/option_traits.hpp"
#include "cmd/cli/text_option.hpp"
#include "cmd/client/credentials.hpp"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <string_view>
#include <system_error>

namespace cmd {

namespace {

/// The contents of a file; `-` is standard input. Throws Failure with `hint`.
std::string read_file(const std::string& name, const char* flag, const std::string& hint) {
    errno = 0;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        name == "-" ? stdin : std::fopen(name.c_str(), "rb"),
        name == "-" ? [](std::FILE*) { return 0; } : std::fclose);
    std::string text;
    char buffer[64 * 1024];
    std::size_t got = 0;
    while (file && (got = std::fread(buffer, 1, sizeof buffer, file.get())) > 0) {
        text.append(buffer, got);
        if (std::feof(file.get())) break; // at a terminal another read would wait for a second one
    }
    if (!file || std::ferror(file.get())) {
        throw Failure(Exit::usage,
                      fmt::format("cannot read {} for {}: {}", name, flag, sse::errno_text(errno)),
                      hint);
    }
    return text;
}

std::string read_file(const std::string& name, const char* flag) {
    return read_file(
        name, flag,
        fmt::format("use {0} @FILE to read a file, {0} @- to read standard input", flag));
}

/// The value of the first of `names` that is set in the environment; "" for none.
std::string environment_value(std::initializer_list<const char*> names) {
    for (const char* name : names) {
        if (const char* value = std::getenv(name); value && *value) return value;
    }
    return {};
}

std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

void take_header(std::string_view line, sse::ClientRequest& request) {
    const auto colon = line.find(':');
    if (colon == line.npos && line.ends_with(';')) {
        request.erase(line.substr(0, line.size() - 1));
        request.fields.push_back({std::string(line.substr(0, line.size() - 1)), ""});
        return;
    }
    if (colon == line.npos || colon == 0) {
        throw Failure(
            Exit::usage, fmt::format("-H \"{}\" is not a header", sse::printable(line, 100)),
            "use -H 'Name: value'; -H 'Name;' sends an empty value, -H 'Name:' removes the header");
    }
    const auto name = line.substr(0, colon), value = without_blanks(line.substr(colon + 1));
    if (value.empty()) {
        request.erase(name);
        request.suppressed.emplace_back(name);
    } else {
        request.fields.push_back({std::string(name), std::string(value)});
    }
}

/// `values`, with each `@file` replaced by the lines of the file.
std::vector<std::string> read_headers(const std::vector<std::string>& values) {
    std::vector<std::string> lines;
    for (const auto& value : values) {
        if (!value.starts_with('@')) {
            lines.push_back(value);
            continue;
        }
        const auto text = read_file(value.substr(1), "-H");
        std::string_view rest = text;
        while (!rest.empty()) {
            if (const auto line = sse::take_line(rest); !line.empty()) lines.emplace_back(line);
        }
    }
    return lines;
}

/// The body of -d. As in curl, CR, LF and NUL of files are removed, and pieces are joined with `&`.
std::string form_body(const std::vector<std::string>& pieces) {
    std::string body;
    for (const auto& piece : pieces) {
        if (&piece != &pieces.front()) body.push_back('&');
        if (!piece.starts_with('@')) {
            body += piece;
            continue;
        }
        for (const char c : read_file(piece.substr(1), "-d")) {
            if (c != '\r' && c != '\n' && c != '\0') body.push_back(c);
        }
    }
    return body;
}

std::string json_body(const std::vector<std::string>& pieces) {
    std::string body;
    for (const auto& piece : pieces)
        body += piece.starts_with('@') ? read_file(piece.substr(1), "--json") : piece;
    return body;
}

std::string cookie_text(const std::vector<std::string>& cookies) {
    for (const auto& text : cookies) {
        if (text.find('=') == text.npos) {
            throw Failure(Exit::usage,
                          fmt::format("-b \"{}\" is not NAME=VALUE", sse::printable(text, 100)),
                          "use the form -b 'a=1; b=2'; cookie files are not supported");
        }
    }
    return fmt::to_string(fmt::join(cookies, "; "));
}

std::string netrc_path(const RequestFlags& flags) {
    if (!flags.netrc_file.empty()) return flags.netrc_file;
    if (!flags.netrc) return {};
    const char* home = std::getenv("HOME");
    return std::string(home ? home : "") + "/.netrc";
}

/// The entry for the host in the netrc file that the flags name.
std::optional<Login> netrc_login(const RequestFlags& flags, const sse::Url& url) {
    const auto path = netrc_path(flags);
    if (path.empty()) return std::nullopt;
    const auto text = read_file(path, flags.netrc_file.empty() ? "--netrc" : "--netrc-file",
                                "use lines such as: machine HOST login USER password PASSWORD");
    return find_login(text, path, url.host, url.user);
}

void authorize(const RequestFlags& flags, sse::ClientRequest& request) {
    if (!flags.bearer.empty()) return request.set("Authorization", "Bearer " + flags.bearer);
    const auto& url = request.url;
    std::string credentials;
    if (!flags.user.empty()) credentials = flags.user;
    else if (!url.password.empty()) credentials = url.user + ":" + url.password;
    else if (const auto login = netrc_login(flags, url))
        credentials = login->user + ":" + login->password;
    else if (url.has_user) credentials = url.user + ":";
    else return;
    std::string value = "Basic ";
    sse::append_base64(credentials, value);
    request.set("Authorization", value);
}

} // namespace

void add_request_flags(CLI::App& app, RequestFlags& flags) {
    const auto group = "Request (as in curl)";
    with_example(add_text(app, "-X,--request", flags.method, "METHOD",
                          "Request method (default GET, or POST with data)"),
                 "POST")
        ->group(group);
    with_example(add_texts(app, "-H,--header", flags.headers, "HEADER",
                           "Send this header: 'Name: value', 'Name;' for an empty value, 'Name:' "
                           "to remove it, or @FILE; repeatable"),
                 "'Name: value'")
        ->group(group);
    with_example(
        add_texts(app, "-d,--data", flags.data, "DATA",
                  "POST this data, @FILE, or @- for stdin; repeated values are joined with &",
                  Empty::taken),
        "a=1")
        ->group(group);
    with_example(add_texts(app, "--json", flags.json, "DATA",
                           "POST this JSON, @FILE, or @- for stdin, with JSON headers; repeated "
                           "values are concatenated",
                           Empty::taken),
                 "'{}'")
        ->group(group);
    with_example(add_text(app, "-u,--user", flags.user, "USER:PASSWORD",
                          "User and password for Basic authentication; without a colon, read the "
                          "password from the terminal"),
                 "alice:secret")
        ->group(group);
    app.add_flag("--netrc", flags.netrc, "Read user and password from ~/.netrc")->group(group);
    with_example(add_text(app, "--netrc-file", flags.netrc_file, "FILE",
                          "Read user and password from this netrc file"),
                 "netrc")
        ->group(group);
    with_example(add_text(app, "--bearer", flags.bearer, "TOKEN",
                          "Send the header Authorization: Bearer TOKEN"),
                 "\"$KEY\"")
        ->group(group);
    app.add_flag(
           "--compressed", flags.compressed,
           fmt::format("Request a compressed response ({}) and decompress it", sse::known_codings))
        ->group(group);
    with_example(add_text(app, "-A,--user-agent", flags.agent, "NAME",
                          "Send this User-Agent; \"\" sends none", Empty::taken),
                 "monitor/1")
        ->group(group);
    with_example(add_text(app, "-x,--proxy", flags.proxy, "[USER:PASSWORD@]HOST[:PORT]",
                          "Connect through this HTTP proxy; \"\" uses no proxy, even if the "
                          "environment names one",
                          Empty::taken),
                 "proxy.example:3128")
        ->group(group);
    with_example(
        add_text(
            app, "--noproxy", flags.no_proxy, "HOSTS",
            "Connect to these hosts without a proxy: names or addresses separated by commas, or * "
            "for all",
            Empty::taken),
        "localhost")
        ->group(group);
    with_example(add_texts(app, "-b,--cookie", flags.cookies, "NAME=VALUE; ...",
                           "Send these cookies; repeatable"),
                 "session=7f3a")
        ->group(group);
}

void complete(RequestFlags& flags) {
    if (!flags.data.empty() && !flags.json.empty())
        throw Failure(Exit::usage, "-d and --json cannot be used together", "use one of them");
    if (!flags.user.empty() && !flags.bearer.empty())
        throw Failure(Exit::usage, "-u and --bearer cannot be used together", "use one of them");
    flags.headers = read_headers(flags.headers);
    if (!flags.data.empty()) flags.body = form_body(flags.data);
    if (!flags.json.empty()) flags.body = json_body(flags.json);
    if (!flags.user.empty() && flags.user.find(':') == flags.user.npos)
        flags.user += ":" + ask_password(flags.user);
}

sse::ProxyOptions proxies_of(const RequestFlags& flags) {
    sse::ProxyOptions proxies;
    proxies.no_proxy = flags.no_proxy.value_or(environment_value({"no_proxy", "NO_PROXY"}));
    if (flags.proxy) {
        proxies.http = proxies.https = *flags.proxy;
        return proxies;
    }
    const auto all = environment_value({"all_proxy", "ALL_PROXY"});
    const bool from_a_request = std::getenv("REQUEST_METHOD") != nullptr;
    proxies.http = from_a_request ? environment_value({"http_proxy"})
                                  : environment_value({"http_proxy", "HTTP_PROXY"});
    proxies.https = environment_value({"https_proxy", "HTTPS_PROXY"});
    if (proxies.http.empty()) proxies.http = all;
    if (proxies.https.empty()) proxies.https = all;
    return proxies;
}

sse::ClientRequest make_request(const RequestFlags& flags, const sse::Url& url) {
    sse::ClientRequest request;
    request.url = url;
    request.body = flags.body;
    for (const auto& header : flags.headers) take_header(header, request);
    const auto unless_given = [&](const char* name, const std::string& value) {
        if (!request.find(name)) request.fields.push_back({name, value});
    };
    if (!flags.data.empty()) {
        unless_given("Content-Type", "application/x-www-form-urlencoded");
    } else if (!flags.json.empty()) {
        unless_given("Content-Type", "application/json");
        unless_given(
            "Accept",
            "application/json, text/event-stream"); // required by MCP; curl sends the first
    }
    request.method = !flags.method.empty() ? flags.method : request.body ? "POST" : "GET";
    unless_given("Accept", "text/event-stream"); // lib/protocol/RULES.md, 1
    unless_given("Cache-Control", "no-cache");   // and 2
    if (!flags.agent || !flags.agent->empty())
        unless_given("User-Agent", flags.agent.value_or("sse/" SSE_VERSION));
    else if (!request.find("User-Agent")) request.suppressed.emplace_back("User-Agent");
    if (flags.compressed) unless_given("Accept-Encoding", std::string(sse::known_codings));
    if (!flags.cookies.empty()) unless_given("Cookie", cookie_text(flags.cookies));
    if (!request.find("Authorization")) authorize(flags, request);
    return request;
}

} // namespace cmd
