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
        if (!arguments.empty() && arguments.front() == command->get_name())
            guard_brackets(*command, arguments);
    }
    std::reverse(arguments.begin(), arguments.end());
    return arguments;
}

} // namespace cmd
