#include "cmd/cli/help.hpp"

#include "base/take_part.hpp"
#include "http/libraries.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>
#include <string_view>

namespace cmd {

namespace {

constexpr std::size_t help_columns = 80, name_columns = 30;

/// `text` wrapped at words to lines that start at column `indent` and end before the last column.
std::string wrapped(std::string_view text, std::size_t indent) {
    std::string out;
    std::size_t at = indent;
    while (!text.empty()) {
        const auto word = sse::take_part(text, ' ');
        if (at != indent && at + 1 + word.size() >= help_columns) {
            out.append("\n").append(indent, ' ');
            at = indent;
        } else if (at != indent) {
            out.push_back(' ');
            ++at;
        }
        out.append(word);
        at += word.size();
    }
    return out;
}

class Formatter : public CLI::Formatter {
public:
    Formatter() { label("Positionals", "Arguments"); }

    std::string make_help(const CLI::App* app, std::string name,
                          CLI::AppFormatMode mode) const override {
        auto out = fmt::format("{}\n\n{}\n", app->get_description(), app->get_footer());
        out += make_usage(app, std::move(name));
        out += make_positionals(app);
        out += make_subcommands(app, mode);
        for (const auto& group : app->get_groups()) {
            const auto options = app->get_options([&](const CLI::Option* option) {
                return option->get_group() == group && option->nonpositional();
            });
            if (!options.empty()) out += make_group(group, false, options);
        }
        return out;
    }

    std::string make_usage(const CLI::App* app, std::string name) const override {
        if (app->get_parent() == nullptr) return "Usage: sse COMMAND [OPTION...] [ARGUMENT...]\n";
        auto out = fmt::format("Usage: {} [OPTION...]", name);
        for (const auto* option : app->get_options([](auto* o) { return o->get_positional(); })) {
            const bool repeated = option->get_items_expected_max() > 1;
            const auto each = option->get_name(true) + (repeated ? "..." : "");
            out += option->get_required() ? " " + each : fmt::format(" [{}]", each);
        }
        return out + "\n";
    }

    std::string make_option(const CLI::Option* option, bool is_positional) const override {
        auto name = "  " + make_option_name(option, is_positional);
        auto text = option->get_description();
        if (!is_positional && option->get_type_size() != 0) {
            name += " " + option->get_type_name();
            if (const auto shown = option->get_default_str(); !shown.empty())
                text += fmt::format(" (default {})", shown);
        }
        return entry(name, text);
    }

    std::string make_subcommand(const CLI::App* command) const override {
        return entry("  " + command->get_name(), command->get_description());
    }

private:
    static std::string entry(std::string name, const std::string& text) {
        if (name.size() + 1 < name_columns) name.resize(name_columns, ' ');
        else name += "\n" + std::string(name_columns, ' ');
        return name + wrapped(text, name_columns) + "\n";
    }
};

} // namespace

void set_help(CLI::App& app, const std::string& examples) {
    static const auto formatter = std::make_shared<Formatter>();
    app.formatter(formatter);
    app.footer(examples);
    if (app.get_parent() == nullptr) return;
    app.set_help_flag("-h,--help", "Show this help");
}

std::string version_text() {
    auto libraries = std::string("libraries:");
    for (const auto& each : sse::libraries())
        libraries += fmt::format(" {} {},", each.name, each.version);
    libraries += fmt::format(" fmt {}.{}.{}, CLI11 {}", FMT_VERSION / 10000,
                             FMT_VERSION / 100 % 100, FMT_VERSION % 100, CLI11_VERSION);
    return fmt::format("sse {}\n{}\nfeatures: {}", SSE_VERSION, wrapped(libraries, 0),
                       sse::features());
}

} // namespace cmd
