// Bodies of requests made comparable, and what two of them differ in. No I/O.
#pragma once

#include "base/json_select.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// `body` as a text that is equal for bodies of one meaning: JSON in its canonical form; multipart
/// (RFC 2046, 5.1) with one boundary for all; else as it is.
std::string comparable_body(std::string_view body);

/// Compares the body of a request with recorded ones.
class BodyMatch {
public:
    BodyMatch() = default;
    /// `ignored`: values in JSON bodies that are not compared.
    explicit BodyMatch(JsonPointers ignored)
        : ignored_(std::move(ignored)) {}

    /// Both are results of comparable_body(). A recorded value `***` was masked, and equals any.
    bool equal(const std::string& recorded, const std::string& asked) const;

    /// The first difference, for people: `at /messages/0/content: recorded "a", requested "b"`. ""
    /// if they are equal.
    std::string difference(const std::string& recorded, const std::string& asked) const;
    /// How many values differ; 1 for bodies that are not both JSON.
    std::size_t distance(const std::string& recorded, const std::string& asked) const;

private:
    JsonPointers ignored_;
};

} // namespace sse
