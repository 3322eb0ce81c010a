// What to change on which server, in words that can be pasted.
#pragma once

#include "check/check.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sse::checks {

struct Remedy {
    Cure cure;
    std::string_view server; ///< as --fix takes it: `nginx`
    std::string_view text;   ///< what to write, and where
    bool tried;              ///< by our tests; else from its documentation
};

/// All of them.
std::span<const Remedy> remedies();

/// The servers that `seen` names in Server, Via, CF-Ray, X-Powered-By and X-Varnish, as in
/// Remedy::server.
std::vector<std::string> servers_in(const Observations& seen);

/// The names that --fix accepts.
std::vector<std::string> known_servers();

/// What to do about a finding of `check`: first what holds for all servers, then what those of
/// `servers` need; where none of them is known, what every server needs.
std::vector<std::string> remedies_for(const Check& check, const std::vector<std::string>& servers);

} // namespace sse::checks
