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
    auto name = option.get_name();
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

/// The names of options in a message of CLI11, in order.
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

std::string example_hint(CLI::App& command, const std::string& name) {
    auto* const option = command.get_option_no_throw(name);
    return option == nullptr
               ? fmt::format("{} --help lists the options", full_name(command))
               : fmt::format("for example {} {}", full_name(command), usage_of(*option));
}

Failure unknown_option(const CLI::App& app, const CLI::App& command, const std::string& typed) {
    const auto name = typed.starts_with("--") ? typed.substr(0, typed.find('=')) : typed;
    const auto what = fmt::format("unknown option {}", sse::printable(name, 100));
    if (command.get_name() == "tail" && typed.find_first_not_of("fLNsS", 1) == typed.npos) {
        return {Exit::usage, what,
                fmt::format("remove {}: sse tail always behaves that way", typed)};
    }
    std::vector<std::string> names;
    for (const auto* option : command.get_options([](const CLI::Option*) { return true; })) {
        for (const auto& each : option->get_lnames()) names.push_back("--" + each);
    }
    if (const auto meant = nearest(name, names); !meant.empty())
        return {Exit::usage, what, fmt::format("did you mean {}?", meant)};
    for (const auto* other : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (other != &command && other->get_option_no_throw(name) != nullptr)
            return {Exit::usage, what, fmt::format("{} has this option", full_name(*other))};
    }
    return {Exit::usage, what, fmt::format("{} --help lists the options", full_name(command))};
}

Failure unknown_command(const CLI::App& app, const std::string& typed) {
    const auto what = fmt::format("unknown command {}", sse::printable(typed, 100));
    if (typed.find("://") != typed.npos || typed.starts_with(':'))
        return {Exit::usage, what,
                fmt::format("use sse tail {} to read this stream", sse::printable(typed, 100))};
    std::vector<std::string> names = {"help"};
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
        names.push_back(command->get_name());
    if (const auto meant = nearest(typed, names); !meant.empty())
        return {Exit::usage, what, fmt::format("did you mean {}?", meant)};
    return {Exit::usage, what, no_command().hint()};
}

/// For the arguments that CLI11 did not recognise.
Failure unknown(CLI::App& app) {
    auto& command = app.remaining().empty() ? command_in(app) : app;
    const auto rest = command.remaining();
    const auto is_option = [](const auto& word) { return word.size() > 1 && word[0] == '-'; };
    const auto option = std::find_if(rest.begin(), rest.end(), is_option);
    if (option != rest.end()) return unknown_option(app, command, *option);
    return unknown_command(app, rest.empty() ? "" : rest.front());
}

/// For an option without its value, with a value that it does not take, or repeated.
Failure wrong_number(CLI::App& command, const std::string& name) {
    auto* const option = command.get_option_no_throw(name);
    if (option != nullptr && is_flag(*option))
        return {Exit::usage, fmt::format("{} takes no value", name), example_hint(command, name)};
    if (option != nullptr && option->count() > 1) {
        return {Exit::usage, fmt::format("{} was given {} times", name, option->count()),
                "use it once"};
    }
    return {Exit::usage, fmt::format("{} needs a value", name), example_hint(command, name)};
}

/// True for an error about which options are given together, and not about the value of one.
bool is_about_several(const CLI::ParseError& error) {
    return dynamic_cast<const CLI::RequiredError*>(&error) != nullptr ||
           dynamic_cast<const CLI::RequiresError*>(&error) != nullptr ||
           dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr;
}

/// Reads the values of the options of `command`, which CLI11 does before it looks at which are
/// given together, or since 2.6 after it. Throws CLI::ParseError for the first that is refused.
void run_callbacks(CLI::App& command) {
    for (auto* option : command.get_options([](const CLI::Option*) { return true; })) {
        if (option->count() > 0) option->run_callback();
    }
}

} // namespace

void finish_options(CLI::App& app) {
    const auto not_empty = [](const std::string& value) {
        return value.empty() ? std::string("the value is empty") : std::string();
    };
    for (auto* option : app.get_options([](const CLI::Option*) { return true; })) {
        if (option->get_positional()) continue;
        // Without all three, some version of CLI11 splits a value in brackets at its commas.
        if (option->get_items_expected_max() > 1) option->expected(1)->take_all();
        option->allow_extra_args(false);
        if (is_flag(*option)) option->disable_flag_override();
        else if (!takes_empty_value(*option) && option->get_items_expected_min() > 0)
            option->check(not_empty, "");
    }
}

Failure usage_error(CLI::App& app, const CLI::ParseError& error) {
    auto& command = command_in(app);
    const std::string text = error.what();
    const auto names = options_in(text);
    const auto first = names.empty() ? std::string() : names.front();
    if (error.get_exit_code() == 0 || dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)
        return unknown(app); // help for an unknown command, or leftover arguments
    const auto first_word = text.substr(0, text.find(' '));
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
        const auto dashes = first_word.size() == 1 ? "-" : "--"; // CLI11 omits them for a flag
        return wrong_number(command, first.empty() ? dashes + first_word : first);
    }
    if (is_about_several(error)) {
        try {
            run_callbacks(command);
        } catch (const CLI::ParseError& e) {
            return usage_error(app, e);
        }
    }
    if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
        return {Exit::usage, fmt::format("{} is required", first_word),
                fmt::format("for example {} {}", full_name(command),
                            first_word == "URL" ? ":8080" : "run.jsonl")};
    }
    if (names.size() > 1 && dynamic_cast<const CLI::RequiresError*>(&error) != nullptr) {
        auto* const needed = command.get_option_no_throw(names[1]);
        return {Exit::usage, fmt::format("{} needs {}", first, names[1]),
                fmt::format("for example {} {}", needed ? usage_of(*needed) : names[1], first)};
    }
    if (names.size() > 1 && dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) {
        return {Exit::usage, fmt::format("{} and {} cannot be used together", first, names[1]),
                "use one of them"};
    }
    return {Exit::usage, text,
            example_hint(command, first)}; // a CLI::ValidationError that our options threw
}

Failure no_command() {
    return {Exit::usage, "no command was given",
            "use sse serve, sse tail, sse replay, sse record, sse check or sse bench; sse --help "
            "shows examples"};
}

} // namespace cmd
