// The settings of the proxy, and what it reports. Not a command line.
#pragma once

#include "proxy/upstream_connection.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace sse {

struct RecordingProxyOptions {
    UpstreamOptions upstream;
    /// Bytes of a response's heads, interim responses included; as ClientResponseOptions.
    std::size_t max_head_bytes = 64 * 1024;
    /// Bytes that wait for a client beyond which the upstream server is not read: it feels a slow
    /// client as if it had that itself.
    std::size_t max_waiting_bytes = 64 * 1024;
    /// The same for the body of a request, on its way to the upstream server.
    std::size_t max_unsent_bytes = 256 * 1024;
    /// The clients' `Authorization: Bearer` and `?access_token=` are for this server, and are not
    /// passed on.
    bool hide_token = false;
};

/// Callbacks about exchanges; called on any loop's thread.
struct ProxyReports {
    std::function<void(const std::string&)> warning = [](const auto&) {}; ///< a line of text
    std::function<void()> recorded = [] {};   ///< an exchange was recorded to its end
    std::function<void()> failed = [] {};     ///< one failed or was cut by the upstream server
    std::function<void()> unrecorded = [] {}; ///< one could not be recorded
};

} // namespace sse
