#include "cmd/tail/event_filter.hpp"

#include "base/printable.hpp"
#include "cmd/cli/command.hpp"

#include <algorithm>
#include <clocale>
#include <fmt/format.h>
#include <regex.h>

namespace cmd {

/// POSIX, and not std::regex, whose stack grows with the text.
struct EventFilter::Expression {
    regex_t compiled;

    explicit Expression(const std::string& text) {
        const int error = ::regcomp(&compiled, text.c_str(), REG_EXTENDED | REG_NOSUB);
        if (error == 0) return;
        char why[128];
        ::regerror(error, &compiled, why, sizeof why);
        why[0] = static_cast<char>(why[0] >= 'A' && why[0] <= 'Z' ? why[0] - 'A' + 'a' : why[0]);
        throw Failure(
            Exit::usage,
            fmt::format("--grep \"{}\" is not a regular expression such as 'error|warning': {}",
                        sse::printable(text, 200), why),
            "a \\ makes a sign of it stand for itself: --grep '\\(x\\)'");
    }
    ~Expression() { ::regfree(&compiled); }
    Expression(const Expression&) = delete;
    Expression& operator=(const Expression&) = delete;

    bool found_in(std::string_view text) const {
        regmatch_t range{};
        range.rm_so = 0;
        range.rm_eo = static_cast<regoff_t>(text.size());
        return ::regexec(&compiled, text.data(), 1, &range, REG_STARTEND) == 0;
    }
};

EventFilter::EventFilter(const SelectOptions& options)
    : types_(options.types)
    , invert_(options.invert) {
    // Data is UTF-8, whatever the locale is, and `.` stands for a character of it. Where there is
    // no such locale it stands for a byte.
    if (!options.grep.empty()) std::setlocale(LC_CTYPE, "C.UTF-8");
    for (const auto& text : options.grep)
        expressions_.push_back(std::make_unique<Expression>(text));
}

EventFilter::~EventFilter() = default;

bool EventFilter::wants(const sse::EventView& event) const {
    if (!types_.selects(event.type)) return false;
    if (expressions_.empty()) return true;
    const bool found =
        std::any_of(expressions_.begin(), expressions_.end(),
                    [&](const auto& expression) { return expression->found_in(event.data); });
    return found != invert_;
}

} // namespace cmd
