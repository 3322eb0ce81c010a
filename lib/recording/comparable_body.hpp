// Bodies of requests made comparable, and what two of them differ in. No I/O.
#pragma once

#include "base/json_select.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace sse {

/// A text that is equal for bodies of one meaning.
struct ComparableBody {
    std::string text;
    bool is_json = false; ///< `text` is the canonical form of a JSON object or array

    friend bool operator==(const ComparableBody&, const ComparableBody&) = default;
};

/// JSON in its canonical form; multipart (RFC 2046, 5.1) with one boundary for all; else `body` as
/// it is. Takes linear time.
ComparableBody comparable_body(std::string_view body);

/// Compares the body of a request with recorded ones, in linear time.
class BodyMatch {
public:
    BodyMatch() = default;
    /// `ignored`: values in JSON bodies that are not compared.
    explicit BodyMatch(JsonPointers ignored)
        : ignored_(std::move(ignored)) {}

    /// A recorded value `***` was masked, and equals any.
    bool equal(const ComparableBody& recorded, const ComparableBody& asked) const;

    /// The first difference, for people: `at /messages/0/content: recorded "a", requested "b"`. ""
    /// if they are equal.
    std::string difference(const ComparableBody& recorded, const ComparableBody& asked) const;
    /// The number of places where they differ; 1 for bodies that are not both JSON.
    std::size_t distance(const ComparableBody& recorded, const ComparableBody& asked) const;

private:
    JsonPointers ignored_;
};

} // namespace sse
