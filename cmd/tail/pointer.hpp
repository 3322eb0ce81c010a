// Values out of JSON data by JSON pointers (RFC 6901).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cmd {

/// Reads one document at a time, and answers pointers into it. One thread at a time.
class JsonValues {
public:
    JsonValues();
    ~JsonValues();

    /// What `pointer` points to in `json`: a string's text, anything else as it is written there
    /// (numbers keep every digit), without line ends. nullopt if it is not there, or `json` is no
    /// JSON.
    std::optional<std::string> find(std::string_view json, const std::string& pointer);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Throws sse::Error (invalid_argument) that quotes `pointer` unless it is "" or begins with `/`,
/// and every `~` in it is `~0` or `~1`.
void check_pointer(const std::string& pointer);

} // namespace cmd
