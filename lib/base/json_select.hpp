// Values of a JSON text that JSON pointers select (RFC 6901), by their places in it: to mask them,
// to leave them out of a comparison, and to say where two texts differ. Not a parser: the text has
// been found to be JSON before (canonical_json(), JsonSyntax).
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// Pointers, each of which selects a value. A part `*` selects every element of an array; in an
/// object it is a name like any other.
class JsonPointers {
public:
    /// Adds `pointer`: begins with `/`, and each `~` in it is followed by 0 or 1. Throws Error
    /// (invalid_argument) that quotes it.
    void add(std::string_view pointer);
    bool empty() const { return pointers_.empty(); }

    /// A step from a value to one that it contains.
    struct Step {
        std::string name;
        bool element; ///< of an array; `name` is its index
    };
    using Path = std::vector<Step>;
    bool select(const Path& path) const;

private:
    std::vector<std::vector<std::string>> pointers_;
};

/// A pointer to the value at `path`.
std::string pointer_text(const JsonPointers::Path& path);

/// `json` with each value that is selected replaced by the string `***`, and nothing else changed;
/// nullopt if it is not JSON. `selected`: set to how many values those are.
std::optional<std::string> mask_json(std::string_view json, const JsonPointers& pointers,
                                     std::size_t* selected = nullptr);

/// Compares two results of canonical_json() and calls `differ` for each place where they differ, in
/// the order of the texts, until it returns false. A side that lacks the place is ""; a value that
/// only one side has, or of another type, is given whole. Values that `ignored` selects are not
/// compared, nor is a value `***` of `recorded`, which was masked; one side may lack them, and
/// objects and arrays that hold nothing else. Takes linear time.
void each_json_difference(
    std::string_view recorded, std::string_view asked, const JsonPointers& ignored,
    const std::function<bool(const JsonPointers::Path& path, std::string_view recorded,
                             std::string_view asked)>& differ);

} // namespace sse
