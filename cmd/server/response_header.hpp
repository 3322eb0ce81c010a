// A header field of responses, as --header takes it.
#pragma once

#include <string>
#include <utility>

namespace cmd {

/// Parses `Name: value`. Throws CLI::ValidationError for what is no header field, and for a field
/// that frames the body, which sse sets itself.
std::pair<std::string, std::string> response_header(const std::string& line);

} // namespace cmd
