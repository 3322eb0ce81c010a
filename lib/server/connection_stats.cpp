#include "server/connection_stats.hpp"

#include <utility>

namespace sse {

ConnectionStats::ConnectionStats(LoopCounts& counts, const ListenerContext& listener,
                                 std::string peer)
    : counts_(counts)
    , listener_(listener) {
    if (listener.log) record_ = std::make_unique<AccessRecord>(std::move(peer));
}

void ConnectionStats::refused(Refusal reason) {
    refusal_ = reason;
    if (reason != Refusal::none && !listener_.admin)
        counts_.refusals[static_cast<std::size_t>(reason)].add();
}

void ConnectionStats::responded(const Request* request, const Response& response) {
    refused(response.refusal);
    if (!listener_.admin) counts_.requests.add();
    if (!record_) return;
    record_->responded(request, response.status);
    record_->faults = response.faults;
}

void ConnectionStats::sent(std::size_t bytes) {
    if (!listener_.admin) counts_.bytes.add(bytes);
    if (record_) record_->bytes += bytes;
}

void ConnectionStats::stream_opened() {
    if (!listener_.admin) counts_.streams_opened.add();
}

void ConnectionStats::stream_closed() {
    if (!listener_.admin) counts_.streams_closed.add();
}

void ConnectionStats::streamed(const Feed& feed) {
    if (record_) record_->streamed(feed.counts());
}

void ConnectionStats::ended(EndReason reason, const Feed* feed) {
    if (end_ != EndReason::none) return;
    end_ = reason;
    if (!listener_.admin) {
        counts_.ends[static_cast<std::size_t>(reason)].add();
        if (reason == EndReason::stalled) counts_.stalls.add();
    }
    if (!record_) return;
    if (feed) record_->streamed(feed->counts());
    record_->end = reason;
    record_->refusal = refusal_;
    listener_.log->add(*record_);
    record_.reset();
}

} // namespace sse
