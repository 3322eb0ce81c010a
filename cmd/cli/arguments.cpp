#include "cmd/cli/arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

namespace cmd {

namespace {

/// True if the argument after `argument` is its value.
bool takes_next(const CLI::App& command, const std::string& argument) {
    if (argument.size() < 2 || argument[0] != '-' || argument.find('=') != argument.npos)
        return false;
    const auto name = argument.starts_with("--") ? argument : std::string("-") + argument.back();
    const auto* const option = command.get_option_no_throw(name);
    return option != nullptr && option->get_items_expected_min() > 0;
}

/// CLI11 reads a positional `[a,b]` as a list: a prefix that changes nothing else prevents that.
void guard_brackets(const CLI::App& command, std::vector<std::string>& arguments) {
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        auto& argument = arguments[i];
        if (!argument.starts_with('[') || !argument.ends_with(']')) continue;
        if (!takes_next(command, arguments[i - 1]))
            argument.insert(0, command.get_name() == "tail" ? "http://" : "./");
    }
}

/// `--long URL`: an option that can do without a value would take the positional for one where that
/// is optional, too. There, it has one only after `=`.
void end_optional_values(const CLI::App& command, std::vector<std::string>& arguments) {
    const auto options = command.get_options([](const CLI::Option* option) {
        return option->get_positional() && option->get_required();
    });
    if (!options.empty()) return;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (!arguments[i].starts_with("--") || takes_next(command, arguments[i - 1])) continue;
        if (i + 1 < arguments.size() && arguments[i + 1].empty()) continue; // `--long=`
        const auto* const option = command.get_option_no_throw(arguments[i]);
        if (option && option->get_items_expected_min() == 0 &&
            option->get_items_expected_max() == 1)
            arguments.insert(arguments.begin() + static_cast<std::ptrdiff_t>(++i), "");
    }
}

/// Since 2.5, CLI11 reads `[[aabb]]`, each character twice, as `[ab]`, whatever the option: such a
/// value is written in that form here, so that it arrives as it is.
void escape_brackets([[maybe_unused]] std::string& argument) {
#if CLI11_VERSION_MAJOR > 2 || (CLI11_VERSION_MAJOR == 2 && CLI11_VERSION_MINOR >= 5)
    std::size_t at = 0; // where the value begins
    if (argument.starts_with("--")) at = std::min(argument.find('='), argument.size() - 1) + 1;
    else if (argument.starts_with('-')) at = 2;
    const auto value = std::string_view(argument).substr(std::min(at, argument.size()));
    if (!value.starts_with("[[") || !value.ends_with("]]")) return;
    std::string escaped = argument.substr(0, at) + "[[";
    for (const char c : value.substr(1, value.size() - 2)) escaped.append(2, c);
    argument = escaped + "]]";
#endif
}

} // namespace

std::vector<std::string> arguments_for(const CLI::App& app, char** begin, char** end) {
    std::vector<std::string> arguments;
    for (const std::string_view arg : std::vector<std::string_view>(begin, end)) {
        const bool empty_value = arg.starts_with("--") && arg.find('=') == arg.size() - 1;
        arguments.emplace_back(arg.substr(0, arg.size() - (empty_value ? 1 : 0)));
        if (empty_value) arguments.emplace_back();
    }
    if (!arguments.empty() && arguments.front() == "help") {
        arguments.erase(arguments.begin());
        arguments.resize(std::min<std::size_t>(arguments.size(), 1));
        arguments.emplace_back("--help");
    }
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (arguments.empty() || arguments.front() != command->get_name()) continue;
        guard_brackets(*command, arguments);
        end_optional_values(*command, arguments);
    }
    for (auto& argument : arguments) escape_brackets(argument);
    std::reverse(arguments.begin(), arguments.end());
    return arguments;
}

} // namespace cmd
