#include "cmd/cli/option_traits.hpp"

#include <CLI/CLI.hpp>
#include <limits>
#include <utility>

namespace cmd {

namespace {

constexpr auto example_trait = "example", empty_trait = "may be empty";

/// A validator is all that CLI11 lets an option carry. This one is bound to an argument number that
/// no command line reaches, so it never runs during a parse.
CLI::Option* attach(CLI::Option* option, const char* trait, std::string value) {
    CLI::Validator carrier(
        [value = std::move(value)](std::string& out) {
            out = value;
            return std::string();
        },
        "", trait);
    carrier.application_index(std::numeric_limits<int>::max());
    return option->transform(std::move(carrier));
}

/// False if `option` does not carry `trait`; else `value` is what it holds.
bool read_trait(CLI::Option& option, const char* trait, std::string& value) {
    try {
        (*option.get_validator(trait))(value);
        return true;
    } catch (const CLI::OptionNotFound&) {
        return false;
    }
}

} // namespace

CLI::Option* with_example(CLI::Option* option, std::string value) {
    return attach(option, example_trait, std::move(value));
}

std::string example_of(CLI::Option& option) {
    std::string value;
    read_trait(option, example_trait, value);
    return value;
}

CLI::Option* with_empty_value(CLI::Option* option) { return attach(option, empty_trait, ""); }

bool takes_empty_value(CLI::Option& option) {
    std::string none;
    return read_trait(option, empty_trait, none);
}

} // namespace cmd
