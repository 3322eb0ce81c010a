// The routes of the admin listener: /healthz, /readyz and /metrics.
#pragma once

#include "hub/counts.hpp"
#include "server/handler.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace sse {

class Server;

struct AdminOptions {
    /// With more channels, /metrics has no series by channel: a monitoring system stores each one.
    std::size_t max_channel_series = 100;
};

/// `GET /healthz` is 200 `ok`, or 503 `draining` once the server is stopping; `GET /readyz` is also
/// 503, with the reason, while events cannot be kept; `GET /metrics` is in the Prometheus text
/// format. Called on the threads of all loops.
class AdminHandler : public Handler {
public:
    /// `server` and `counts` must outlive the handler.
    AdminHandler(const Server& server, const CountsSource& counts, AdminOptions options = {});

    Response respond(const Request& request, std::size_t loop) override;
    /// The body of /metrics.
    std::string metrics() const;

private:
    Response health() const;
    Response readiness() const;

    const Server& server_;
    const CountsSource& counts_;
    const AdminOptions options_;
    const std::chrono::system_clock::time_point started_;
};

} // namespace sse
