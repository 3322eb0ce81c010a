#include "recording/comparable_body.hpp"

#include "base/canonical_json.hpp"
#include "base/mask.hpp"
#include "base/printable.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

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

bool looks_like_json(std::string_view text) {
    return text.starts_with('{') || text.starts_with('[');
}

bool is_masked(std::string_view text) {
    return text.size() == mask_text.size() + 2 && text.substr(1, mask_text.size()) == mask_text &&
           text.front() == '"';
}

std::string shown_value(std::string_view text) { return printable(text, shown_value_bytes); }

/// True if `pointer` is `of`, or of a value within it.
bool is_within(std::string_view pointer, std::string_view of) {
    return pointer.starts_with(of) && (pointer.size() == of.size() || pointer[of.size()] == '/');
}

/// Calls `differ(recorded leaf, asked leaf)` for each difference, with nullptr for a leaf that the
/// other side lacks, until it returns false.
template <class Differ>
void each_difference(const std::string& recorded, const std::string& asked,
                     const JsonPointers& ignored, Differ differ) {
    const auto by_pointer = [](const JsonLeaf& x, const JsonLeaf& y) {
        return x.pointer < y.pointer;
    };
    auto ours = json_leaves(recorded, ignored), theirs = json_leaves(asked, ignored);
    std::vector<std::string> masked;
    for (const auto& leaf : ours) {
        if (is_masked(leaf.text)) masked.push_back(leaf.pointer);
    }
    const auto is_free = [&](const JsonLeaf& leaf) {
        return std::any_of(masked.begin(), masked.end(),
                           [&](const auto& of) { return is_within(leaf.pointer, of); });
    };
    if (!masked.empty()) {
        std::erase_if(ours, is_free);
        std::erase_if(theirs, is_free);
    }
    std::sort(ours.begin(), ours.end(), by_pointer);
    std::sort(theirs.begin(), theirs.end(), by_pointer);
    auto a = ours.begin(), b = theirs.begin();
    while (a != ours.end() || b != theirs.end()) {
        const bool only_a = b == theirs.end() || (a != ours.end() && by_pointer(*a, *b));
        const bool only_b = !only_a && (a == ours.end() || by_pointer(*b, *a));
        const auto* const left = only_b ? nullptr : &*a;
        const auto* const right = only_a ? nullptr : &*b;
        if ((left == nullptr || right == nullptr || left->text != right->text) &&
            !differ(left, right))
            return;
        if (!only_b) ++a;
        if (!only_a) ++b;
    }
}

} // namespace

std::string comparable_body(std::string_view body) {
    if (auto json = canonical_json(body)) return std::move(*json);
    std::string out(body);
    const std::string boundary(boundary_of(body));
    if (boundary.empty()) return out;
    constexpr std::string_view common = "--boundary";
    for (auto at = out.find(boundary); at != out.npos; at = out.find(boundary, at + common.size()))
        out.replace(at, boundary.size(), common);
    return out;
}

bool BodyMatch::equal(const std::string& recorded, const std::string& asked) const {
    if (recorded == asked) return true;
    const bool masked = recorded.find(fmt::format("\"{}\"", mask_text)) != recorded.npos;
    if ((!masked && ignored_.empty()) || !looks_like_json(recorded) || !looks_like_json(asked))
        return false;
    bool same = true;
    each_difference(recorded, asked, ignored_, [&](const auto*, const auto*) {
        same = false;
        return false;
    });
    return same;
}

std::size_t BodyMatch::distance(const std::string& recorded, const std::string& asked) const {
    if (equal(recorded, asked)) return 0;
    if (!looks_like_json(recorded) || !looks_like_json(asked)) return 1;
    std::size_t count = 0;
    each_difference(recorded, asked, ignored_, [&](const auto*, const auto*) {
        ++count;
        return true;
    });
    return count;
}

std::string BodyMatch::difference(const std::string& recorded, const std::string& asked) const {
    if (equal(recorded, asked)) return {};
    if (!looks_like_json(recorded) || !looks_like_json(asked)) {
        return fmt::format("recorded {}, requested {}",
                           recorded.empty() ? "no body" : shown_value(recorded),
                           asked.empty() ? "no body" : shown_value(asked));
    }
    std::string text;
    each_difference(recorded, asked, ignored_, [&](const JsonLeaf* ours, const JsonLeaf* theirs) {
        text = fmt::format("at {}: recorded {}, requested {}",
                           printable((ours != nullptr ? ours : theirs)->pointer, 200),
                           ours != nullptr ? shown_value(ours->text) : "nothing",
                           theirs != nullptr ? shown_value(theirs->text) : "nothing");
        return false;
    });
    return text;
}

} // namespace sse
