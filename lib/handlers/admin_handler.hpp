// The routes of those who run the server: /healthz and /metrics. For a listener of its own.
#pragma once

#include "hub/activity.hpp"
#include "server/handler.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace sse {

class Server;

struct AdminOptions {
    /// Channels beyond which /metrics no longer has a series for each: a monitor keeps every one.
    std::size_t max_channel_series = 100;
};

/// Answers `GET /healthz` with 200 `ok`, or 503 `draining` once the server is to stop, and
/// `GET /metrics` in Prometheus' text format. Any loop's thread.
class AdminHandler : public Handler {
public:
    /// Both must outlive it.
    AdminHandler(const Server& server, const Activity& activity, AdminOptions options = {});

    Response respond(const Request& request, std::size_t loop) override;
    std::string metrics() const;

private:
    const Server& server_;
    const Activity& activity_;
    const AdminOptions options_;
    const std::chrono::system_clock::time_point started_;
};

} // namespace sse
