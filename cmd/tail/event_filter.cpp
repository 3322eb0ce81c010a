#include "cmd/tail/event_filter.hpp"

#include "base/printable.hpp"
#include "cmd/cli/command.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <re2/re2.h>

namespace cmd {

/// Compiled by RE2, whose matching time is linear in the text whatever the expression is: the text
/// comes from the network.
class EventFilter::Expression {
public:
    explicit Expression(const std::string& text)
        : compiled_(text, options()) {
        if (compiled_.ok()) return;
        throw Failure(Exit::usage,
                      fmt::format("--grep \"{}\" is not a regular expression: {}",
                                  sse::printable(text, 200),
                                  sse::printable(compiled_.error(), 200)),
                      "escape special characters with a backslash: --grep '\\(x\\)'");
    }

    bool matches(std::string_view text) const {
        return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled_);
    }

private:
    static RE2::Options options() {
        RE2::Options options;
        options.set_log_errors(false);
        options.set_dot_nl(true); // the data may have several lines
        return options;
    }

    RE2 compiled_;
};

EventFilter::EventFilter(const SelectOptions& options)
    : types_(options.types)
    , invert_(options.invert) {
    for (const auto& text : options.grep)
        expressions_.push_back(std::make_unique<Expression>(text));
}

EventFilter::~EventFilter() = default;

bool EventFilter::matches(const sse::EventView& event) const {
    const bool found =
        std::any_of(expressions_.begin(), expressions_.end(),
                    [&](const auto& expression) { return expression->matches(event.data); });
    return found != invert_;
}

} // namespace cmd
