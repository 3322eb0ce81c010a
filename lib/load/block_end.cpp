#include "load/block_end.hpp"

namespace sse {

std::size_t end_of_blocks(std::string_view text, std::size_t from) {
    const auto ends_line = [&](std::size_t behind) {
        return behind == 0 || text[behind - 1] == '\n' || text[behind - 1] == '\r';
    };
    for (auto end = text.size(); end > from; --end) {
        const char last = text[end - 1];
        if (last != '\n' && last != '\r') continue;
        auto line = end - 1; // where this line ends, and begins if it is blank
        if (last == '\n' && line > 0 && text[line - 1] == '\r') --line;
        if (ends_line(line)) return end;
    }
    return 0;
}

} // namespace sse
