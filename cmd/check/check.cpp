// sse check: find out why a stream arrives late, is cut or does not resume.
#include "check/check.hpp"
#include "base/child_process.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/printable.hpp"
#include "base/take_part.hpp"
#include "check/exchange.hpp"
#include "check/gather.hpp"
#include "check/measures.hpp"
#include "check/remedies.hpp"
#include "cmd/check/check_options.hpp"
#include "cmd/check/report.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/help.hpp"
#include "cmd/cli/output.hpp"
#include "cmd/cli/signals.hpp"
#include "cmd/client/connection_hints.hpp"
#include "cmd/term/terminal.hpp"
#include "cmd/term/terminal_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <optional>
#include <system_error>
#include <unistd.h>

namespace {

using cmd::CheckOptions;
using cmd::Exit;
using cmd::Failure;
using sse::checks::Check;
using sse::checks::Severity;
using sse::checks::Verdict;

constexpr auto known_ids = "list the checks with sse check --explain all";

bool is_chosen(std::string_view id, std::string_view pattern) {
    return id == pattern || (id.starts_with(pattern) && id.substr(pattern.size()).starts_with('-'));
}

/// The IDs of the checks in comma-separated lists. `resume` stands for all that begin with
/// `resume-`.
std::vector<std::string> read_ids(const char* flag, const std::vector<std::string>& lists) {
    std::vector<std::string> ids;
    for (const auto& list : lists) {
        for (std::string_view rest = list; !rest.empty();) {
            const auto pattern = sse::take_part(rest, ',');
            const auto before = ids.size();
            for (const auto* check : sse::checks::catalogue()) {
                if (is_chosen(check->id, pattern)) ids.emplace_back(check->id);
            }
            if (ids.size() == before) {
                throw Failure(Exit::usage,
                              fmt::format("{} \"{}\" is not the ID of a check", flag,
                                          sse::printable(pattern, 60)),
                              known_ids);
            }
        }
    }
    return ids;
}

bool contains(const std::vector<std::string>& ids, std::string_view id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

struct LevelChange {
    std::vector<std::string> ids;
    Severity severity;
};

std::vector<LevelChange> read_levels(const std::vector<std::string>& texts) {
    std::vector<LevelChange> changes;
    for (const auto& text : texts) {
        const auto equals = std::min(text.find('='), text.size());
        const auto level = std::string_view(text).substr(std::min(equals + 1, text.size()));
        std::optional<Severity> severity;
        for (const auto each : {Severity::error, Severity::warning, Severity::note}) {
            if (level == to_string(each)) severity = each;
        }
        if (!severity) {
            throw Failure(Exit::usage,
                          fmt::format("--severity \"{}\" is not ID=error, ID=warn or ID=note",
                                      sse::printable(text, 60)),
                          "use the form --severity no-ids=note");
        }
        changes.push_back({read_ids("--severity", {text.substr(0, equals)}), *severity});
    }
    return changes;
}

void check_servers(const std::vector<std::string>& names) {
    const auto known = sse::checks::known_servers();
    for (const auto& name : names) {
        if (contains(known, name)) continue;
        throw Failure(Exit::usage,
                      fmt::format("--fix \"{}\" is not a server for which there are remedies",
                                  sse::printable(name, 60)),
                      fmt::format("use one of {}", fmt::join(known, ", ")));
    }
}

/// The options about verdicts, validated before anything is sent.
struct Policy {
    std::vector<std::string> required, ignored;
    std::vector<LevelChange> levels;
    Severity fail_on;

    explicit Policy(const CheckOptions& o)
        : required(read_ids("--require", o.require))
        , ignored(read_ids("--ignore", o.ignore))
        , levels(read_levels(o.severity))
        , fail_on(o.fail_on) {
        check_servers(o.fix);
    }

    void apply(std::vector<sse::checks::Result>& results) const {
        std::erase_if(results,
                      [&](const auto& result) { return contains(ignored, result.check->id); });
        for (auto& result : results) {
            if (contains(required, result.check->id)) result.verdict.severity = Severity::error;
            for (const auto& change : levels) {
                if (contains(change.ids, result.check->id))
                    result.verdict.severity = change.severity;
            }
        }
    }

    bool fails(const sse::checks::Result& result) const {
        const bool needed = contains(required, result.check->id);
        if (result.verdict.kind == Verdict::Kind::unknown) return needed;
        return result.verdict.kind == Verdict::Kind::finding &&
               (needed || result.verdict.severity >= fail_on);
    }
};

sse::Url read_url_of(const char* flag, const std::string& text) {
    try {
        return sse::Url::parse(text);
    } catch (const sse::Error& e) {
        throw Failure(Exit::usage, fmt::format("{}: {}", flag, e.what()),
                      "use the form http://HOST:PORT/PATH");
    }
}

/// An origin as browsers send it: scheme, host and port, and no path.
std::string read_origin(const std::string& text) {
    if (text.empty()) return {};
    const auto url = read_url_of("--origin", text);
    return fmt::format("{}://{}", url.tls ? "https" : "http", url.authority());
}

/// Runs the command of --trigger, with `token` in place of %s and its output on standard error.
/// Returns why it failed; "" if it succeeded.
std::string run_trigger(const std::string& command, const std::string& token,
                        sse::Interrupt& interrupt) {
    constexpr std::chrono::milliseconds poll{10}, limit{10'000}, grace{200};
    auto text = command;
    for (auto at = text.find("%s"); at != text.npos; at = text.find("%s", at + token.size()))
        text.replace(at, 2, token);
    try {
        sse::Child child({"/bin/sh", "-c", "exec 1>&2\n" + text});
        const auto start = sse::Interrupt::Clock::now();
        while (true) {
            if (const auto status = child.status()) {
                return *status == 0
                           ? ""
                           : fmt::format("the command of --trigger exited with status {}", *status);
            }
            const auto now = sse::Interrupt::Clock::now();
            if (now - start > limit || !interrupt.sleep_until(now + poll)) {
                child.end(grace);
                return "the command of --trigger did not end";
            }
        }
    } catch (const std::system_error& e) {
        return e.what();
    }
}

sse::checks::GatherOptions gather_options(const CheckOptions& o, sse::Interrupt& interrupt) {
    sse::checks::GatherOptions options;
    auto request = o.request;
    cmd::complete(request);
    cmd::apply(request, o.connection, o.url, options.client);
    options.time = o.time.value_or(o.long_watch ? o.long_time : o.short_time);
    auto& connect_timeout = options.client.dial.connect_timeout;
    connect_timeout = std::min(connect_timeout.value_or(options.time), options.time);
    options.max_connections = o.max_connections;
    options.single = o.single;
    options.long_watch = o.long_watch;
    options.origin = read_origin(o.origin);
    options.credentials = o.credentials;
    if (!o.direct.empty()) options.direct = read_url_of("--direct", o.direct);
    if (!o.trigger.empty()) {
        if (o.trigger.find("%s") == o.trigger.npos) {
            throw Failure(Exit::usage,
                          "--trigger contains no %s, which is replaced by the text to wait for",
                          "use the form --trigger 'redis-cli publish news %s'");
        }
        options.trigger = [&o, &interrupt](const std::string& token) {
            return run_trigger(o.trigger, token, interrupt);
        };
    }
    if (!o.publish.empty()) {
        auto publisher = options.client;
        cmd::RequestFlags own = request;
        own.body.reset();
        own.method = "POST";
        publisher.request = cmd::make_request(own, read_url_of("--publish", o.publish));
        publisher.request.set("Accept", "*/*");
        options.trigger = [publisher, &interrupt](const std::string& token) {
            return sse::checks::publish_text(publisher, token, interrupt);
        };
    }
    return options;
}

std::size_t report_width() {
    const auto columns = cmd::terminal_columns(STDOUT_FILENO);
    return columns > 40 ? std::min<std::size_t>(columns, 100) : 80;
}

int show(const std::string& text) {
    cmd::Output output(STDOUT_FILENO);
    output.text() += text;
    output.flush();
    return Exit::done;
}

int explain(const CheckOptions& o) {
    auto checks = sse::checks::catalogue();
    if (o.explain != "all") {
        const auto* check = sse::checks::find_check(o.explain);
        if (!check) {
            throw Failure(Exit::usage,
                          fmt::format("--explain \"{}\" is not the ID of a check",
                                      sse::printable(o.explain, 60)),
                          known_ids);
        }
        checks = {check};
    }
    if (o.format == cmd::CheckFormat::json) return show(cmd::explanation_json(checks));
    std::string text;
    for (const auto* check : checks) {
        if (!text.empty()) text.push_back('\n');
        text += cmd::explanation(*check, report_width());
    }
    return show(text);
}

/// check has no -v, which the hints for all commands name.
std::string hint_of(const sse::Error& e, const sse::ClientOptions& options) {
    auto hint = cmd::connection_hint(e, options);
    if (!hint.empty()) return hint;
    switch (e.code()) {
    case sse::Errc::http_status:
    case sse::Errc::timeout:
    case sse::Errc::tls_handshake:
    case sse::Errc::receive: return "try the URL with sse tail -v, which shows each step";
    default: return cmd::hint_for(e.code());
    }
}

/// Watches the stream, with a progress line on a terminal.
sse::checks::Observations watch(const sse::checks::GatherOptions& options,
                                sse::Interrupt& interrupt) {
    sse::checks::Progress progress;
    std::optional<cmd::TerminalLine> line;
    const auto start = std::chrono::steady_clock::now();
    if (cmd::has_terminal_line()) {
        line.emplace([&] {
            const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
            return fmt::format("sse: checking, {:.0f}s of at most {:.0f}s: {}, {}, {}",
                               passed.count(), std::chrono::duration<double>(options.time).count(),
                               progress.head ? "open" : "no response yet",
                               sse::checks::counted(progress.events, "event"),
                               sse::checks::counted(progress.connections, "connection"));
        });
    }
    try {
        return sse::checks::gather(options, interrupt, progress);
    } catch (const sse::Error& e) {
        throw Failure(cmd::exit_status(e.code()), e.what(), hint_of(e, options.client));
    }
}

std::string report_text(const CheckOptions& o, const cmd::CheckReport& report) {
    switch (o.format) {
    case cmd::CheckFormat::text:
        return cmd::text_report(report, cmd::wants_colour(o.colour), report_width());
    case cmd::CheckFormat::json: return cmd::json_report(report);
    case cmd::CheckFormat::junit: return cmd::junit_report(report);
    case cmd::CheckFormat::github: return cmd::github_report(report);
    }
    return {};
}

int run(const CheckOptions& o) {
    if (!o.explain.empty()) return explain(o);
    if (o.url.empty())
        throw Failure(Exit::usage, "URL is required",
                      "for example sse check http://localhost:8080/");
    const Policy policy(o);
    sse::Interrupt interrupt;
    const auto options = gather_options(o, interrupt);
    const cmd::Signals signals(interrupt);
    cmd::CheckReport report;
    report.seen = watch(options, interrupt);
    if (signals.caught() != 0) return 128 + signals.caught();
    report.results = sse::checks::judge(report.seen);
    policy.apply(report.results);
    report.servers = o.fix.empty() ? sse::checks::servers_in(report.seen) : o.fix;
    show(report_text(o, report));
    const bool failed = std::any_of(report.results.begin(), report.results.end(),
                                    [&](const auto& result) { return policy.fails(result); });
    return failed ? Exit::incomplete : Exit::done;
}

constexpr auto check_examples =
    "  $ sse check https://host/events           why does it arrive all at once?\n"
    "  $ sse check --direct http://127.0.0.1:3000/events https://host/events\n"
    "  $ sse check --publish https://host/events https://host/events\n"
    "  $ sse check --json @body.json --bearer \"$KEY\" https://api.example/v1/chat\n"
    "  $ sse check -o junit --require resume https://host/events > check.xml\n"
    "  $ sse check --explain held-back           explain a check and its remedies\n";

} // namespace

void cmd::add_check(CLI::App& command, Run& chosen) {
    set_help(command, check_examples);
    const auto options = std::make_shared<CheckOptions>();
    add_check_options(command, *options);
    command.callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}
