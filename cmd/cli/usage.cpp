#include "cmd/cli/usage.hpp"

#include "base/printable.hpp"
#include "cmd/cli/edit_distance.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <string_view>
#include <utility>
#include <vector>

namespace cmd {

namespace {

/// A value that will do, for each option that has no default and is not one of several words.
constexpr std::pair<std::string_view, std::string_view> values_that_do[] = {
    {"--access-log", "access.log"},
    {"--admin", "127.0.0.1:9090"},
    {"--allow-host", "sse.example"},
    {"--bearer", "\"$KEY\""},
    {"--cacert", "ca.pem"},
    {"--cert", "client.pem"},
    {"--cookie", "session=7f3a"},
    {"--corrupt", "0.001"},
    {"--cors", "https://app.example"},
    {"--count", "10"},
    {"--cut-after", "1000"},
    {"--drop-every", "3"},
    {"--end-event", "end"},
    {"--event", "update"},
    {"--exec", "'wc -c'"},
    {"--format", "'{id} {data}'"},
    {"--from", "1m30s"},
    {"--gap-event", "gap"},
    {"--grep", "error"},
    {"--header", "'Name: value'"},
    {"--key", "key.pem"},
    {"--last-event-id", "42"},
    {"--name", "staging=https://example.org/events"},
    {"--netrc-file", "netrc"},
    {"--pointer", "/choices/0/delta/content"},
    {"--port-file", "port"},
    {"--post", "http://localhost:8080/in"},
    {"--publish-token-file", "writers"},
    {"--rate", "20"},
    {"--record", "run.jsonl"},
    {"--request", "POST"},
    {"--resolve", "example.org:443:127.0.0.1"},
    {"--retries", "5"},
    {"--socket-mode", "0660"},
    {"--speed", "10"},
    {"--split", "1"},
    {"--stall-after", "3"},
    {"--state", "last-id"},
    {"--stats-file", "stats.json"},
    {"--status", "503"},
    {"--threads", "4"},
    {"--times", "2"},
    {"--tls-cert", "cert.pem"},
    {"--tls-client-ca", "ca.pem"},
    {"--tls-key", "key.pem"},
    {"--to", "2m"},
    {"--token-file", "readers"},
    {"--unix-socket", "/run/app.sock"},
    {"--until", "done"},
    {"--user", "www-data"},
    {"--user-agent", "monitor/1"},
};

/// Options that mean something with an empty value.
constexpr std::string_view may_be_empty[] = {
    "--data",    "--format",          "--json",  "--last-event-id", "--noproxy",
    "--pointer", "--pointer-default", "--proxy", "--until-data",    "--user-agent"};

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

std::string example_of(const CLI::App& app, const CLI::Option& option) {
    auto name = option.get_name();
    if (is_flag(option)) return name;
    if (name == "--user" && app.get_name() == "tail") return "--user alice:secret";
    if (name == "--loop") return "--loop=3"; // its value may be absent, so it does not stand apart
    const auto type = option.get_type_name();
    const auto* const found = std::find_if(std::begin(values_that_do), std::end(values_that_do),
                                           [&](const auto& e) { return e.first == name; });
    const auto value = found != std::end(values_that_do)   ? std::string(found->second)
                       : !option.get_default_str().empty() ? option.get_default_str()
                       : type.find('|') != type.npos
                           ? type.substr(0, type.find('|'))
                           : std::string(type == "N" ? "10" : "5s"); // or a duration
    return fmt::format("{} {}", name, value);
}

const CLI::App& command_in(const CLI::App& app) {
    const auto chosen = app.get_subcommands();
    return chosen.empty() ? app : *chosen.front();
}

std::string full_name(const CLI::App& command) {
    return command.get_parent() == nullptr ? "sse" : "sse " + command.get_name();
}

/// The names of options in CLI11's text, in their order.
std::vector<std::string> options_in(const std::string& text) {
    std::vector<std::string> names;
    for (auto at = text.find('-'); at != text.npos; at = text.find('-', at)) {
        const auto end =
            std::find_if_not(text.begin() + std::ptrdiff_t(at), text.end(), [](char c) {
                return c == '-' || std::isalnum(static_cast<unsigned char>(c));
            });
        names.push_back(text.substr(at, std::size_t(end - text.begin()) - at));
        at += names.back().size();
    }
    return names;
}

std::string way_out(const CLI::App& command, const std::string& name) {
    const auto* const option = command.get_option_no_throw(name);
    return option == nullptr
               ? fmt::format("{} --help lists what there is", full_name(command))
               : fmt::format("for example {} {}", full_name(command), example_of(command, *option));
}

Failure unknown_option(const CLI::App& app, const CLI::App& command, const std::string& typed) {
    const auto name = typed.starts_with("--") ? typed.substr(0, typed.find('=')) : typed;
    const auto what = fmt::format("no option {}", sse::printable(name, 100));
    if (command.get_name() == "tail" && typed.find_first_not_of("fLNsS", 1) == typed.npos) {
        return {Exit::usage, what,
                fmt::format("what {} asks of curl, sse tail does by itself: leave it out", typed)};
    }
    std::vector<std::string> names;
    for (const auto* option : command.get_options([](const CLI::Option*) { return true; })) {
        for (const auto& each : option->get_lnames()) names.push_back("--" + each);
    }
    if (const auto meant = nearest(name, names); !meant.empty())
        return {Exit::usage, what, fmt::format("did you mean {}?", meant)};
    for (const auto* other : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (other != &command && other->get_option_no_throw(name) != nullptr)
            return {Exit::usage, what, fmt::format("{} has it", full_name(*other))};
    }
    return {Exit::usage, what, fmt::format("{} --help lists what there is", full_name(command))};
}

Failure unknown_command(const CLI::App& app, const std::string& typed) {
    const auto what = fmt::format("no command {}", sse::printable(typed, 100));
    if (typed.find("://") != typed.npos || typed.starts_with(':'))
        return {Exit::usage, what, fmt::format("sse tail {} reads it", sse::printable(typed, 100))};
    std::vector<std::string> names = {"help"};
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
        names.push_back(command->get_name());
    if (const auto meant = nearest(typed, names); !meant.empty())
        return {Exit::usage, what, fmt::format("did you mean {}?", meant)};
    return {Exit::usage, what, no_command().hint()};
}

/// What is left when all that is known is taken.
Failure unknown(const CLI::App& app) {
    const auto& command = app.remaining().empty() ? command_in(app) : app;
    const auto rest = command.remaining();
    const auto is_option = [](const auto& word) { return word.size() > 1 && word[0] == '-'; };
    const auto option = std::find_if(rest.begin(), rest.end(), is_option);
    if (option != rest.end()) return unknown_option(app, command, *option);
    return unknown_command(app, rest.empty() ? "" : rest.front());
}

/// An option that is given without its value, more often than it may be, or with one it takes not.
Failure wrong_number(const CLI::App& command, const std::string& name) {
    const auto* const option = command.get_option_no_throw(name);
    if (option != nullptr && is_flag(*option))
        return {Exit::usage, fmt::format("{} takes no value", name), way_out(command, name)};
    if (option != nullptr && option->count() > 1) {
        return {Exit::usage, fmt::format("{} is given {} times", name, option->count()),
                "give it once"};
    }
    return {Exit::usage, fmt::format("{} needs a value", name), way_out(command, name)};
}

} // namespace

void tighten(CLI::App& app) {
    const auto not_empty = [](const std::string& value) {
        return value.empty() ? std::string("it is empty") : std::string();
    };
    for (auto* option : app.get_options([](const CLI::Option*) { return true; })) {
        if (option->get_positional()) continue;
        const auto name = option->get_name();
        if (is_flag(*option)) option->disable_flag_override();
        else if (std::count(std::begin(may_be_empty), std::end(may_be_empty), name) == 0 &&
                 option->get_items_expected_min() > 0)
            option->check(not_empty, "");
    }
}

Failure misuse(const CLI::App& app, const CLI::ParseError& e) {
    const auto& command = command_in(app);
    const std::string text = e.what();
    const auto names = options_in(text);
    const auto first = names.empty() ? std::string() : names.front();
    if (e.get_exit_code() == 0 || dynamic_cast<const CLI::ExtrasError*>(&e) != nullptr)
        return unknown(app); // it asked for help, with what is no command
    const auto first_word = text.substr(0, text.find(' '));
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&e) != nullptr) {
        const auto dashes = first_word.size() == 1 ? "-" : "--"; // of a flag it leaves them out
        return wrong_number(command, first.empty() ? dashes + first_word : first);
    }
    if (dynamic_cast<const CLI::RequiredError*>(&e) != nullptr) {
        return {Exit::usage, fmt::format("{} is required", first_word),
                fmt::format("for example {} run.jsonl", full_name(command))};
    }
    if (names.size() > 1 && dynamic_cast<const CLI::RequiresError*>(&e) != nullptr) {
        const auto* const needed = command.get_option_no_throw(names[1]);
        return {Exit::usage, fmt::format("{} needs {}", first, names[1]),
                fmt::format("for example {} {}", needed ? example_of(command, *needed) : names[1],
                            first)};
    }
    if (names.size() > 1 && dynamic_cast<const CLI::ExcludesError*>(&e) != nullptr) {
        return {Exit::usage, fmt::format("{} and {} exclude each other", first, names[1]),
                "give one of them"};
    }
    return {Exit::usage, text, way_out(command, first)}; // a CLI::ValidationError of ours
}

Failure no_command() {
    return {Exit::usage, "no command", "sse serve, sse tail or sse replay; sse --help shows how"};
}

} // namespace cmd
