// What is counted and logged of one connection. Not the connection: it decides nothing.
#pragma once

#include "server/access_log.hpp"
#include "server/listener_context.hpp"
#include "server/server_counts.hpp"

#include <cstddef>
#include <memory>

namespace sse {

/// Owned by its connection, used on its loop's thread only. The connections of an admin listener
/// are not counted.
class ConnectionStats {
public:
    /// Both must outlive it. `peer`: the address for the log.
    ConnectionStats(LoopCounts& counts, const ListenerContext& listener, std::string peer);

    void refused(Refusal reason);
    /// Why the last request was refused, or Refusal::none.
    Refusal refusal() const { return refusal_; }
    /// `request` is nullptr where there was none to read.
    void responded(const Request* request, const Response& response);
    void sent(std::size_t bytes);
    void stream_opened();
    void stream_closed();
    /// The stream of an exchange has ended, and the connection goes on.
    void streamed(const Feed& feed);
    /// Counts and logs the end of the connection; only the first call counts. `feed`: of its
    /// stream, or nullptr.
    void ended(EndReason reason, const Feed* feed);

private:
    LoopCounts& counts_;
    const ListenerContext& listener_;
    std::unique_ptr<AccessRecord> record_; ///< if there is a log, until the end
    Refusal refusal_ = Refusal::none;
    EndReason end_ = EndReason::none;
};

} // namespace sse
