// Who may ask: the checks that come before any route. Pure: a request in, a refusal out.
#pragma once

#include "http/handler.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sse {

struct GuardOptions {
    /// Host names that a loopback listener answers to besides its own: without this list a page
    /// whose name was rebound to 127.0.0.1 could read what only this machine may.
    std::vector<std::string> allowed_hosts;
};

/// The refusal of `request`, or nullopt if it may go on: a foreign Host on a loopback listener (DNS
/// rebinding), and a foreign Origin there, are answered 403.
std::optional<Answer> guard(const Request& request, const GuardOptions& options);

} // namespace sse
