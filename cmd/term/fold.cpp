#include "cmd/term/fold.hpp"

#include "cmd/term/columns.hpp"

#include <algorithm>

namespace cmd {

namespace {

/// A character, or an escape sequence (ECMA-48, 5.4: `ESC [`, parameters, a final byte), at
/// `column`.
Glyph first_unit(std::string_view text, std::size_t column) {
    if (text.front() == '\t') return {text.substr(0, 1), 8 - column % 8};
    if (!text.starts_with("\x1b[")) return first_glyph(text);
    const auto end =
        std::find_if(text.begin() + 2, text.end(), [](char c) { return c >= 0x40 && c <= 0x7E; });
    return {text.substr(0, static_cast<std::size_t>(end - text.begin()) + 1), 0};
}

/// `line` has no line end.
void fold_line(std::string_view line, std::size_t width, std::string& out) {
    const auto own = std::min(line.find_first_not_of(' '), line.size());
    const std::string indent(std::min(own + 2, width / 2), ' ');
    std::size_t column = 0;
    std::size_t space = 0, column_behind = 0; ///< the last space that may be a line end: its place
    while (!line.empty()) {
        const auto [unit, columns] = first_unit(line, column);
        line.remove_prefix(unit.size());
        if (column + columns > width && columns > 0) {
            if (space > 0) {
                out.replace(space, 1, "\n" + indent);
                column = indent.size() + column - column_behind;
            } else {
                out.append("\n").append(indent);
                column = indent.size();
            }
            space = 0;
        }
        out.append(unit);
        column += columns;
        if (unit == " " && column > width / 2) space = out.size() - 1, column_behind = column;
    }
}

} // namespace

void append_folded(std::string_view text, std::size_t width, std::string& out) {
    width = std::max<std::size_t>(width, 20);
    while (true) {
        const auto end = std::min(text.find('\n'), text.size());
        if (end <= width)
            out.append(text.substr(0, end)); // no more columns than bytes, but for TAB
        else fold_line(text.substr(0, end), width, out);
        if (end == text.size()) return;
        out.push_back('\n');
        text.remove_prefix(end + 1);
    }
}

} // namespace cmd
