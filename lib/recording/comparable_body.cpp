#include "recording/comparable_body.hpp"

#include "base/canonical_json.hpp"
#include "base/mask.hpp"
#include "base/printable.hpp"

#include <fmt/format.h>

namespace sse {

namespace {

/// Bytes of a value in the text of a difference.
constexpr std::size_t shown_value_bytes = 60;

/// The boundary of a multipart body, with its dashes; "" if it is not one.
std::string_view boundary_of(std::string_view body) {
    if (!body.starts_with("--")) return {};
    const auto line = body.substr(0, body.find("\r\n"));
    const bool fits = line.size() > 2 && line.size() <= 72 && line.size() < body.size();
    const auto end = std::string(line) + "--";
    return fits && body.find("\r\n" + end) != body.npos ? line : std::string_view();
}

std::string shown_value(std::string_view text, const char* none) {
    return text.empty() ? none : printable(text, shown_value_bytes);
}

/// `body` with `boundary` replaced.
std::string with_common_boundary(std::string_view body, std::string_view boundary) {
    std::string out;
    while (!body.empty()) {
        const auto at = body.find(boundary);
        out.append(body.substr(0, at));
        if (at == body.npos) break;
        out.append("--boundary");
        body.remove_prefix(at + boundary.size());
    }
    return out;
}

} // namespace

ComparableBody comparable_body(std::string_view body) {
    if (auto json = canonical_json(body)) {
        const bool structured = json->starts_with('{') || json->starts_with('[');
        return {std::move(*json), structured};
    }
    const auto boundary = boundary_of(body);
    return {boundary.empty() ? std::string(body) : with_common_boundary(body, boundary)};
}

bool BodyMatch::equal(const ComparableBody& recorded, const ComparableBody& asked) const {
    if (recorded == asked) return true;
    const bool masked = recorded.text.find(fmt::format("\"{}\"", mask_text)) != recorded.text.npos;
    if ((!masked && ignored_.empty()) || !recorded.is_json || !asked.is_json) return false;
    bool same = true;
    each_json_difference(recorded.text, asked.text, ignored_,
                         [&](const auto&, auto, auto) { return same = false; });
    return same;
}

std::size_t BodyMatch::distance(const ComparableBody& recorded, const ComparableBody& asked) const {
    if (recorded == asked) return 0;
    if (!recorded.is_json || !asked.is_json) return 1;
    std::size_t count = 0;
    each_json_difference(recorded.text, asked.text, ignored_, [&](const auto&, auto, auto) {
        ++count;
        return true;
    });
    return count;
}

std::string BodyMatch::difference(const ComparableBody& recorded,
                                  const ComparableBody& asked) const {
    if (recorded == asked) return {};
    if (!recorded.is_json || !asked.is_json) {
        return fmt::format("recorded {}, requested {}", shown_value(recorded.text, "no body"),
                           shown_value(asked.text, "no body"));
    }
    std::string text;
    each_json_difference(
        recorded.text, asked.text, ignored_, [&](const auto& path, auto ours, auto theirs) {
            text = fmt::format("at {}: recorded {}, requested {}",
                               path.empty() ? "the root" : printable(pointer_text(path), 200),
                               shown_value(ours, "nothing"), shown_value(theirs, "nothing"));
            return false;
        });
    return text;
}

} // namespace sse
