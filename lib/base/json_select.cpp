#include "base/json_select.hpp"

#include "base/error.hpp"
#include "base/json_string.hpp"
#include "base/json_syntax.hpp"
#include "base/mask.hpp"
#include "base/printable.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sse {

namespace {

/// A part of a pointer with its escapes decoded; nullopt if they are none.
std::optional<std::string> decoded_part(std::string_view part) {
    std::string out;
    for (std::size_t i = 0; i < part.size(); ++i) {
        if (part[i] != '~') {
            out.push_back(part[i]);
        } else if (i + 1 < part.size() && (part[i + 1] == '0' || part[i + 1] == '1')) {
            out.push_back(part[++i] == '0' ? '~' : '/');
        } else {
            return std::nullopt;
        }
    }
    return out;
}

/// Calls a visitor for the values of a JSON text, each with its path. The text is JSON, and as deep
/// as its parser allows.
template <class Visitor>
class JsonWalk {
public:
    JsonWalk(std::string_view json, Visitor& visitor)
        : json_(json)
        , visitor_(visitor) {}

    void run() {
        skip_space();
        if (at_ < json_.size()) value();
    }

private:
    void skip_space() { at_ = std::min(json_.find_first_not_of(" \t\r\n", at_), json_.size()); }
    char peek() const { return at_ < json_.size() ? json_[at_] : '\0'; }

    /// The string at at_, with its quotes.
    std::string_view string() {
        const auto start = at_++;
        while (at_ < json_.size() && json_[at_] != '"') at_ += json_[at_] == '\\' ? 2 : 1;
        at_ = std::min(at_ + 1, json_.size());
        return json_.substr(start, at_ - start);
    }

    void value() {
        const auto start = at_;
        const bool inside = visitor_.enter(path_);
        const char first = peek();
        const auto nested = visits_;
        if (first == '{' || first == '[') {
            container(first == '{');
        } else if (first == '"') {
            string();
        } else {
            at_ = std::min(json_.find_first_of(",]} \t\r\n", at_), json_.size());
        }
        const bool leaf = visits_ == nested;
        if (inside) visitor_.leave(path_, start, at_, leaf);
        ++visits_;
    }

    void container(bool object) {
        ++at_;
        skip_space();
        for (std::size_t index = 0; at_ < json_.size() && peek() != '}' && peek() != ']'; ++index) {
            JsonPointers::Step step{{}, !object};
            if (object) {
                append_json_text(string(), step.name);
                skip_space();
                ++at_; // the colon
                skip_space();
            } else {
                step.name = std::to_string(index);
            }
            path_.push_back(std::move(step));
            value();
            path_.pop_back();
            skip_space();
            if (peek() == ',') ++at_;
            skip_space();
        }
        ++at_;
    }

    std::string_view json_;
    Visitor& visitor_;
    std::size_t at_ = 0, visits_ = 0;
    JsonPointers::Path path_;
};

/// Finds the places of selected values, the outermost ones.
struct SelectedPlaces {
    const JsonPointers& pointers;
    std::vector<std::pair<std::size_t, std::size_t>> places;
    std::size_t within = 0; ///< depth inside a selected value

    bool enter(const JsonPointers::Path& path) {
        if (within > 0 || !pointers.select(path)) return false;
        ++within;
        return true;
    }
    void leave(const JsonPointers::Path&, std::size_t start, std::size_t end, bool) {
        --within;
        places.emplace_back(start, end);
    }
};

struct Leaves {
    std::string_view json;
    const JsonPointers& ignored;
    std::vector<JsonLeaf> leaves;
    std::size_t ignored_depth = 0; ///< of the path to an ignored value that is being read; 0: none

    bool enter(const JsonPointers::Path& path) {
        if (ignored_depth != 0 && path.size() <= ignored_depth) ignored_depth = 0;
        if (ignored_depth != 0) return false;
        if (!ignored.empty() && ignored.select(path)) {
            ignored_depth = path.size();
            return false;
        }
        return true;
    }
    void leave(const JsonPointers::Path& path, std::size_t start, std::size_t end, bool leaf) {
        if (leaf) leaves.push_back({pointer_text(path), json.substr(start, end - start)});
    }
};

} // namespace

void JsonPointers::add(std::string_view pointer) {
    auto rest = pointer;
    std::vector<std::string> parts;
    bool fits = rest.starts_with('/');
    if (fits) {
        rest.remove_prefix(1);
        for (bool more = true; fits && more;) {
            const auto end = rest.find('/');
            more = end != rest.npos;
            auto part = decoded_part(rest.substr(0, end));
            fits = part.has_value();
            if (fits) parts.push_back(std::move(*part));
            if (more) rest.remove_prefix(end + 1);
        }
    }
    if (!fits) {
        throw Error(Errc::invalid_argument,
                    fmt::format("\"{}\" is not a JSON pointer such as /metadata/user_id",
                                printable(pointer, 60)));
    }
    pointers_.push_back(std::move(parts));
}

bool JsonPointers::select(const Path& path) const {
    const auto same = [](const std::string& part, const Step& step) {
        return part == step.name || (step.element && part == "*");
    };
    return std::any_of(pointers_.begin(), pointers_.end(), [&](const auto& parts) {
        return std::equal(parts.begin(), parts.end(), path.begin(), path.end(), same);
    });
}

std::string pointer_text(const JsonPointers::Path& path) {
    std::string out;
    for (const auto& step : path) {
        out.push_back('/');
        for (const char c : step.name) {
            if (c == '~') out.append("~0");
            else if (c == '/') out.append("~1");
            else out.push_back(c);
        }
    }
    return out;
}

std::optional<std::string> mask_json(std::string_view json, const JsonPointers& pointers,
                                     std::size_t* selected) {
    const std::string text(json);
    if (JsonSyntax().error(text) != nullptr) return std::nullopt;
    SelectedPlaces found{pointers, {}};
    JsonWalk(json, found).run();
    if (selected != nullptr) *selected = found.places.size();
    std::string out;
    std::size_t at = 0;
    for (const auto& [start, end] : found.places) {
        out.append(json.substr(at, start - at)).append(fmt::format("\"{}\"", mask_text));
        at = end;
    }
    return out.append(json.substr(at));
}

std::vector<JsonLeaf> json_leaves(std::string_view canonical, const JsonPointers& ignored) {
    Leaves found{canonical, ignored, {}};
    JsonWalk(canonical, found).run();
    return std::move(found.leaves);
}

} // namespace sse
