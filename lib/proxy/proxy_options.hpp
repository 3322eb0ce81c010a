// The settings of the proxy, and what it reports. Not a command line.
#pragma once

#include "proxy/upstream_connection.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace sse {

struct RecordingProxyOptions {
    UpstreamOptions upstream;
    /// Maximum size in bytes of the heads of a response, including interim responses; as in
    /// ClientResponseOptions.
    std::size_t max_head_bytes = 64 * 1024;
    /// While more bytes than this wait for a client, nothing is read from the upstream server, so
    /// that it sends only as fast as the client reads.
    std::size_t max_waiting_bytes = 64 * 1024;
    /// While more bytes of a request body than this wait for the upstream server, nothing is read
    /// from the client.
    std::size_t max_unsent_bytes = 256 * 1024;
    /// `Authorization: Bearer` and `?access_token=` of requests are for this server, and are not
    /// forwarded.
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
