// The names of this machine, as it knows them itself. No name service is asked.
#pragma once

#include <string>
#include <vector>

namespace sse {

/// The host name, its first label, and the first label in `.local` (multicast DNS), in lower case.
/// Empty if the machine has no name.
std::vector<std::string> own_host_names();

} // namespace sse
