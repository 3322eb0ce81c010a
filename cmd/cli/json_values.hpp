// Finds values in JSON data by JSON pointers (RFC 6901).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cmd {

/// Parses each document as far as a pointer needs. One thread at a time.
class JsonValues {
public:
    JsonValues();
    ~JsonValues();

    /// The value at `pointer` in `json`: the text of a string, or any other value as it is written
    /// there (numbers keep every digit), without line ends. nullopt if there is no such value or
    /// `json` is not JSON.
    std::optional<std::string> find(std::string_view json, const std::string& pointer);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Throws sse::Error (invalid_argument) that quotes `pointer`, unless it is "" or begins with `/`
/// and every `~` in it is followed by 0 or 1.
void check_pointer(const std::string& pointer);

} // namespace cmd
