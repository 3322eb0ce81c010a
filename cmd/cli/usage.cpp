#include "cmd/cli/usage.hpp"

#include "base/printable.hpp"
#include "cmd/cli/edit_distance.hpp"
#include "cmd/cli/option_traits.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <string_view>
#include <utility>
#include <vector>

namespace cmd {

namespace {

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

/// `--option value` as one would type it.
std::string usage_of(CLI::Option& option) {
    const auto name = option.get_name();
    if (is_flag(option)) return name;
    const auto example = example_of(option);
    const auto& value = example.empty() ? option.get_default_str() : example;
    // A value that may be absent has to be attached.
    const char between = option.get_items_expected_min() == 0 ? '=' : ' ';
    return fmt::format("{}{}{}", name, between, value);
}

CLI::App& command_in(CLI::App& app) {
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

std::string way_out(CLI::App& command, const std::string& name) {
    auto* const option = command.get_option_no_throw(name);
    return option == nullptr
               ? fmt::format("{} --help lists what there is", full_name(command))
               : fmt::format("for example {} {}", full_name(command), usage_of(*option));
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
Failure unknown(CLI::App& app) {
    auto& command = app.remaining().empty() ? command_in(app) : app;
    const auto rest = command.remaining();
    const auto is_option = [](const auto& word) { return word.size() > 1 && word[0] == '-'; };
    const auto option = std::find_if(rest.begin(), rest.end(), is_option);
    if (option != rest.end()) return unknown_option(app, command, *option);
    return unknown_command(app, rest.empty() ? "" : rest.front());
}

/// An option that is given without its value, more often than it may be, or with one it takes not.
Failure wrong_number(CLI::App& command, const std::string& name) {
    auto* const option = command.get_option_no_throw(name);
    if (option != nullptr && is_flag(*option))
        return {Exit::usage, fmt::format("{} takes no value", name), way_out(command, name)};
    if (option != nullptr && option->count() > 1) {
        return {Exit::usage, fmt::format("{} is given {} times", name, option->count()),
                "give it once"};
    }
    return {Exit::usage, fmt::format("{} needs a value", name), way_out(command, name)};
}

} // namespace

void reject_empty_values(CLI::App& app) {
    const auto not_empty = [](const std::string& value) {
        return value.empty() ? std::string("it is empty") : std::string();
    };
    for (auto* option : app.get_options([](const CLI::Option*) { return true; })) {
        if (option->get_positional()) continue;
        if (is_flag(*option)) option->disable_flag_override();
        else if (!takes_empty_value(*option) && option->get_items_expected_min() > 0)
            option->check(not_empty, "");
    }
}

Failure misuse(CLI::App& app, const CLI::ParseError& e) {
    auto& command = command_in(app);
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
        auto* const needed = command.get_option_no_throw(names[1]);
        return {Exit::usage, fmt::format("{} needs {}", first, names[1]),
                fmt::format("for example {} {}", needed ? usage_of(*needed) : names[1], first)};
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
