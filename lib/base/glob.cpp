#include "base/glob.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace sse {

namespace {

/// The bytes of the character at `at`: one of UTF-8, or a byte that begins none.
std::string_view character(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    if (static_cast<unsigned char>(text[at]) < 0xC0) return text.substr(at, 1);
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    return text.substr(at, end - at);
}

/// The character of a pattern at `at`, behind a `\` if there is one; moves `at` behind it.
std::string_view literal(std::string_view pattern, std::size_t& at) {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
    const auto result = character(pattern, at);
    at += result.size();
    return result;
}

/// Matches `c` with the set that begins at `at`, and moves `at` behind it; nullopt, with `at` as it
/// was, if the set has no end. UTF-8 sorts by bytes as by code points, so ranges compare bytes.
std::optional<bool> matches_set(std::string_view pattern, std::size_t& at, std::string_view c) {
    auto next = at + 1;
    const bool negated = next < pattern.size() && (pattern[next] == '!' || pattern[next] == '^');
    if (negated) ++next;
    bool found = false;
    for (bool first = true; next < pattern.size(); first = false) {
        if (pattern[next] == ']' && !first) {
            at = next + 1;
            return found != negated;
        }
        const auto low = literal(pattern, next);
        auto high = low;
        if (next + 1 < pattern.size() && pattern[next] == '-' && pattern[next + 1] != ']') {
            ++next;
            high = literal(pattern, next);
        }
        found = found || (low <= c && c <= high);
    }
    return std::nullopt;
}

/// Matches one character `c` with what stands at `at`, which is no `*`, and moves `at` behind it.
bool matches_one(std::string_view pattern, std::size_t& at, std::string_view c) {
    if (pattern[at] == '?') return ++at, true;
    if (pattern[at] == '[') {
        if (const auto matched = matches_set(pattern, at, c)) return *matched;
    }
    return literal(pattern, at) == c;
}

} // namespace

bool matches_glob(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0;
    std::size_t star = pattern.npos, retry = 0; // behind the last `*`; where its match ends
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = ++p;
            retry = t;
            continue;
        }
        const auto c = character(text, t);
        if (p < pattern.size() && matches_one(pattern, p, c)) {
            t += c.size();
        } else if (star != pattern.npos) { // the last `*` matches one character more
            p = star;
            t = retry += character(text, retry).size();
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

GlobList::GlobList(const std::vector<std::string>& globs) {
    for (const auto& glob : globs) {
        if (glob.starts_with('!')) excluded_.push_back(glob.substr(1));
        else included_.push_back(glob);
    }
}

bool GlobList::allows(std::string_view name) const {
    const auto matches = [&](const std::string& glob) { return matches_glob(glob, name); };
    return (included_.empty() || std::any_of(included_.begin(), included_.end(), matches)) &&
           std::none_of(excluded_.begin(), excluded_.end(), matches);
}

} // namespace sse
