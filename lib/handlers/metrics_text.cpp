#include "handlers/metrics_text.hpp"

#include "base/utf8.hpp"

#include <fmt/format.h>
#include <iterator>

namespace sse {

namespace {

/// A backslash and a line feed are escaped everywhere, a quote in a label's value only.
std::string escaped(std::string_view text, bool quotes) {
    std::string valid, out;
    append_utf8(text, valid);
    for (const char c : valid) {
        if (c == '\n') out += "\\n";
        else if (c == '\\' || (c == '"' && quotes)) out.append(1, '\\').append(1, c);
        else out.push_back(c);
    }
    return out;
}

} // namespace

void MetricsText::begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name,
                   escaped(help, false), name, type);
}

void MetricsText::sample(std::uint64_t value) {
    fmt::format_to(std::back_inserter(text_), "{} {}\n", name_, value);
}

void MetricsText::sample(double value) {
    fmt::format_to(std::back_inserter(text_), "{} {}\n", name_, value);
}

void MetricsText::sample(std::string_view label, std::string_view label_value,
                         std::uint64_t value) {
    fmt::format_to(std::back_inserter(text_), "{}{{{}=\"{}\"}} {}\n", name_, label,
                   escaped(label_value, true), value);
}

} // namespace sse
