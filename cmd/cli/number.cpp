#include "cmd/cli/number.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace cmd {

std::string format_size(std::size_t bytes) {
    constexpr std::array suffixes = {"", "kb", "mb", "gb"};
    std::size_t unit = 0;
    while (unit + 1 < suffixes.size() && bytes != 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        ++unit;
    }
    return fmt::format("{}{}", bytes, suffixes.at(unit));
}

CLI::Option* add_size(CLI::App& app, const std::string& name, std::size_t& field, std::size_t least,
                      std::size_t most, const std::string& help) {
    const auto store = [&field, name, least, most](const std::string& text) {
        auto bytes = text;
        try {
            CLI::AsSizeValue(false)(bytes);
        } catch (const CLI::ValidationError&) {
            bytes.clear();
        }
        std::size_t value = 0;
        const auto end = bytes.data() + bytes.size();
        const auto [stop, error] = std::from_chars(bytes.data(), end, value);
        if (error != std::errc() || stop != end || value < least || value > most) {
            const auto range = most == std::numeric_limits<std::size_t>::max()
                                   ? fmt::format("of {} or more", least)
                                   : fmt::format("from {} to {}", least, format_size(most));
            throw CLI::ValidationError(
                name, fmt::format("\"{}\" is not a size {}, such as {}", sse::printable(text, 60),
                                  range, format_size(std::min(most, std::size_t{16} << 20U))));
        }
        field = value;
    };
    return app.add_option_function<std::string>(name, store, help)
        ->type_name("BYTES")
        ->default_str(format_size(field));
}

} // namespace cmd
