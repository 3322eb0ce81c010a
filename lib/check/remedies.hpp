// The remedies: settings of particular servers, as they are written in their configuration.
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

/// The purpose of the remedies of `cure`, such as `send each event at once`; "" for none.
std::string_view to_string(Cure cure);

/// The remedies for a finding of `check` on any server.
std::vector<std::string> general_remedies(const Check& check);
/// The remedies for `servers`; those for all known servers if there are none for these.
std::vector<std::string> server_remedies(Cure cure, const std::vector<std::string>& servers);
/// The general remedies, then those for `servers`.
std::vector<std::string> remedies_for(const Check& check, const std::vector<std::string>& servers);

} // namespace sse::checks
