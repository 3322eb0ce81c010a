#include "cmd/cli/arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

namespace cmd {

namespace {

/// True if the word behind `word` is its value.
bool takes_next(const CLI::App& command, const std::string& word) {
    if (word.size() < 2 || word[0] != '-' || word.find('=') != word.npos) return false;
    const auto name = word.starts_with("--") ? word : std::string("-") + word.back();
    const auto* const option = command.get_option_no_throw(name);
    return option != nullptr && option->get_items_expected_min() > 0;
}

/// CLI11 takes `[a,b]` as a list, where a list may be: so it is given another beginning.
void guard_brackets(const CLI::App& command, std::vector<std::string>& words) {
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto& word = words[i];
        if (!word.starts_with('[') || !word.ends_with(']')) continue;
        if (!takes_next(command, words[i - 1]))
            word.insert(0, command.get_name() == "tail" ? "http://" : "./");
    }
}

} // namespace

std::vector<std::string> words_of(const CLI::App& app, char** begin, char** end) {
    std::vector<std::string> words;
    for (const std::string_view arg : std::vector<std::string_view>(begin, end)) {
        const bool empty_value = arg.starts_with("--") && arg.find('=') == arg.size() - 1;
        words.emplace_back(arg.substr(0, arg.size() - (empty_value ? 1 : 0)));
        if (empty_value) words.emplace_back();
    }
    if (!words.empty() && words.front() == "help") {
        words.erase(words.begin());
        words.resize(std::min<std::size_t>(words.size(), 1));
        words.emplace_back("--help");
    }
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (!words.empty() && words.front() == command->get_name()) guard_brackets(*command, words);
    }
    std::reverse(words.begin(), words.end());
    return words;
}

} // namespace cmd
