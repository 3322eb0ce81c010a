// What to change on which server, in words that can be pasted.
#pragma once

#include "check/check.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sse::checks {

/// The servers that `seen` names in Server, Via, CF-Ray, X-Powered-By and X-Varnish, as
/// --fix takes them.
std::vector<std::string> servers_in(const Observations& seen);

/// The names that --fix accepts.
std::vector<std::string> known_servers();

/// What the remedies of `cure` are for, as `send each event at once`; "" for none.
std::string_view to_string(Cure cure);

/// What to do about a finding of `check` on any server.
std::vector<std::string> general_remedies(const Check& check);
/// What those of `servers` need; where none of them is known, what every server needs.
std::vector<std::string> server_remedies(Cure cure, const std::vector<std::string>& servers);
/// Both.
std::vector<std::string> remedies_for(const Check& check, const std::vector<std::string>& servers);

} // namespace sse::checks
