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
        if (first == '{' || first == '[') {
            container(first == '{');
        } else if (first == '"') {
            string();
        } else {
            at_ = std::min(json_.find_first_of(",]} \t\r\n", at_), json_.size());
        }
        if (inside) visitor_.leave(start, at_);
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
    std::size_t at_ = 0;
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
    void leave(std::size_t start, std::size_t end) {
        --within;
        places.emplace_back(start, end);
    }
};

/// Reads a canonical text, which has no white space, value by value.
class CanonicalReader {
public:
    explicit CanonicalReader(std::string_view json)
        : json_(json) {}

    char peek() const { return at_ < json_.size() ? json_[at_] : '\0'; }
    bool is_at(std::string_view text) const { return json_.substr(at_).starts_with(text); }
    void skip() { at_ = std::min(at_ + 1, json_.size()); }
    /// The string that begins here, with its quotes.
    std::string_view string() {
        const auto start = at_++;
        while (at_ < json_.size() && json_[at_] != '"') at_ += json_[at_] == '\\' ? 2 : 1;
        at_ = std::min(at_ + 1, json_.size());
        return json_.substr(start, at_ - start);
    }
    /// The value that begins here.
    std::string_view value() {
        const auto start = at_;
        std::size_t depth = 0;
        do {
            const char c = peek();
            if (c == '"') string();
            else if (c == '{' || c == '[') ++depth, skip();
            else if (c == '}' || c == ']') --depth, skip();
            else if (c == ',' || c == ':') skip();
            else at_ = std::min(json_.find_first_of(",]}", at_), json_.size());
        } while (depth > 0 && at_ < json_.size());
        return json_.substr(start, at_ - start);
    }

private:
    std::string_view json_;
    std::size_t at_ = 0;
};

/// The members of the object or array that begins at a reader. The reader is at the value of the
/// current one, or, at their end, behind them.
class Members {
public:
    explicit Members(CanonicalReader& from)
        : from_(from)
        , array_(from.peek() == '[') {
        from_.skip();
        read_name();
    }
    bool end() const { return end_; }
    bool before(const Members& other) const { return !array_ && step_.name < other.step_.name; }
    const JsonPointers::Step& step() const { return step_; }
    /// Call after the value was read.
    void next() {
        if (from_.peek() == ',') from_.skip();
        ++index_;
        read_name();
    }

private:
    void read_name() {
        step_ = {array_ ? std::to_string(index_) : std::string(), array_};
        end_ = from_.peek() == '}' || from_.peek() == ']' || from_.peek() == '\0';
        if (!end_ && !array_) append_json_text(from_.string(), step_.name);
        if (end_ || !array_) from_.skip(); // the bracket or the colon
    }

    CanonicalReader& from_;
    bool array_, end_ = false;
    std::size_t index_ = 0;
    JsonPointers::Step step_;
};

/// Walks through two texts at once. The members of objects have one order in both.
template <class Differ>
class DifferenceWalk {
public:
    DifferenceWalk(std::string_view recorded, std::string_view asked, const JsonPointers& ignored,
                   const Differ& differ)
        : recorded_(recorded)
        , asked_(asked)
        , ignored_(ignored)
        , differ_(differ) {}

    /// Compares the values at both readers. False: `differ` wants no more.
    bool values() {
        const char first = recorded_.peek();
        const bool container = first == '{' || first == '[';
        if (is_free() || first != asked_.peek() || !container) {
            const bool compared = !is_free();
            const auto ours = recorded_.value(), theirs = asked_.value();
            return !compared || ours == theirs || differ_(path_, ours, theirs);
        }
        Members ours(recorded_), theirs(asked_);
        while (!ours.end() || !theirs.end()) {
            const bool only_ours = theirs.end() || (!ours.end() && ours.before(theirs));
            const bool only_theirs = !only_ours && (ours.end() || theirs.before(ours));
            path_.push_back(only_theirs ? theirs.step() : ours.step());
            const bool more = only_ours ? lone_recorded() : only_theirs ? lone_asked() : values();
            path_.pop_back();
            if (!more) return false;
            if (!only_theirs) ours.next();
            if (!only_ours) theirs.next();
        }
        return true;
    }

private:
    /// The value at recorded_ equals any.
    bool is_free() const {
        return recorded_.is_at(masked_) || (!ignored_.empty() && ignored_.select(path_));
    }
    bool lone_recorded() {
        auto again = recorded_;
        const auto value = recorded_.value();
        return may_lack(again, true) || differ_(path_, value, std::string_view());
    }
    bool lone_asked() {
        auto again = asked_;
        const auto value = asked_.value();
        return may_lack(again, false) || differ_(path_, std::string_view(), value);
    }
    /// Reads the value at `reader`, of one side. True if the other side may lack it: it equals any,
    /// or is a member with nothing but such values in it.
    bool may_lack(CanonicalReader& reader, bool recorded) {
        const bool free =
            (recorded && reader.is_at(masked_)) || (!ignored_.empty() && ignored_.select(path_));
        const bool container = reader.peek() == '{' || reader.peek() == '[';
        const bool element = !path_.empty() && path_.back().element;
        if (free || !container || element) {
            reader.value();
            return free;
        }
        Members members(reader);
        bool all = !members.end();
        for (; !members.end(); members.next()) {
            path_.push_back(members.step());
            if (all) all = may_lack(reader, recorded);
            else reader.value();
            path_.pop_back();
        }
        return all;
    }

    CanonicalReader recorded_, asked_;
    const JsonPointers& ignored_;
    const Differ& differ_;
    const std::string masked_ = fmt::format("\"{}\"", mask_text);
    JsonPointers::Path path_;
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

void each_json_difference(std::string_view recorded, std::string_view asked,
                          const JsonPointers& ignored,
                          const std::function<bool(const JsonPointers::Path&, std::string_view,
                                                   std::string_view)>& differ) {
    DifferenceWalk(recorded, asked, ignored, differ).values();
}

} // namespace sse
