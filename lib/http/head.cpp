#include "http/head.hpp"

#include "base/ascii.hpp"
#include "base/error.hpp"
#include "base/take_part.hpp"
#include "base/trimmed.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sse {

namespace {

bool is_forbidden(char c) { return is_control(c) && c != '\t'; }

[[noreturn]] void refuse(std::size_t line, const char* why) {
    throw Error(Errc::bad_input, fmt::format("line {} of the head {}", line, why));
}

} // namespace

bool is_token_char(char c) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') ||
           marks.find(c) != marks.npos;
}

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
               return ascii_lower(x) == ascii_lower(y);
           });
}

Head Head::parse(std::string_view bytes) {
    Head head;
    for (std::size_t line_number = 1;; ++line_number) {
        const auto end = bytes.find("\r\n");
        if (end == bytes.npos) refuse(line_number, "does not end in CRLF");
        const auto line = bytes.substr(0, end);
        bytes.remove_prefix(end + 2);
        if (std::any_of(line.begin(), line.end(), is_forbidden))
            refuse(line_number, "contains a control byte");
        if (line_number == 1) {
            if (line.empty()) refuse(line_number, "is empty");
            head.start_line_ = line;
            continue;
        }
        if (line.empty()) return head;
        if (line.front() == ' ' || line.front() == '\t') refuse(line_number, "is folded");
        const auto colon = line.find(':');
        if (colon == line.npos) refuse(line_number, "has no colon");
        const auto name = line.substr(0, colon);
        if (!is_token(name)) refuse(line_number, "has an invalid name");
        head.fields_.push_back({std::string(name), std::string(trimmed(line.substr(colon + 1)))});
    }
}

std::optional<std::string_view> Head::find(std::string_view name) const {
    for (const auto& field : fields_) {
        if (same_name(field.name, name)) return field.value;
    }
    return std::nullopt;
}

std::size_t Head::count(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(
        fields_.begin(), fields_.end(), [&](const Field& f) { return same_name(f.name, name); }));
}

std::vector<std::string_view> Head::members(std::string_view name) const {
    std::vector<std::string_view> all;
    for (const auto& field : fields_) {
        if (!same_name(field.name, name)) continue;
        for (std::string_view rest = field.value; !rest.empty();) {
            if (const auto member = trimmed(take_part(rest, ',')); !member.empty())
                all.push_back(member);
        }
    }
    return all;
}

bool Head::has_token(std::string_view name, std::string_view token) const {
    const auto all = members(name);
    return std::any_of(all.begin(), all.end(),
                       [&](std::string_view member) { return same_name(member, token); });
}

std::string write_head(std::string_view start_line, std::vector<FieldView> fields) {
    const auto lower_less = [](char a, char b) { return ascii_lower(a) < ascii_lower(b); };
    std::stable_sort(fields.begin(), fields.end(), [&](const FieldView& a, const FieldView& b) {
        return std::lexicographical_compare(a.name.begin(), a.name.end(), b.name.begin(),
                                            b.name.end(), lower_less);
    });
    constexpr std::string_view line_ends("\r\n\0", 3);
    std::string bytes(start_line);
    bytes += "\r\n";
    for (const auto& [name, value] : fields) {
        if (name.find_first_of(line_ends) != name.npos ||
            value.find_first_of(line_ends) != value.npos)
            continue;
        bytes.append(name).append(": ").append(value).append("\r\n");
    }
    return bytes += "\r\n";
}

} // namespace sse
