#include "server/exchange_body.hpp"

#include "base/error.hpp"

#include <utility>

namespace sse {

ExchangeBody::ExchangeBody(Exchange& exchange, RequestPhase& requests, ConnectionStats& stats,
                           std::chrono::milliseconds timeout)
    : exchange_(&exchange)
    , requests_(requests)
    , stats_(stats)
    , timeout_(timeout)
    , deadline_(Clock::now() + timeout) {}

void ExchangeBody::on_bytes(std::string_view bytes) {
    try {
        while (!requests_.has_whole_body() && !bytes.empty()) {
            const auto piece = requests_.next_body_piece(bytes);
            deadline_ = Clock::now() + timeout_;
            if (!piece.empty()) exchange_->on_body(piece);
            if (!exchange_) return;
        }
    } catch (const Error& e) {
        stats_.refused(Refusal::request);
        ended_ = true;
        return exchange_->on_body_error(e.code() == Errc::too_large ? 413 : 400, e.what());
    }
    if (requests_.has_whole_body()) {
        if (!bytes.empty()) requests_.keep_ahead(bytes);
        if (!std::exchange(ended_, true)) exchange_->on_body_end(requests_.trailers());
    }
}

bool ExchangeBody::has_timed_out(Clock::time_point now, bool paused) {
    if (ended_) return false;
    if (paused) deadline_ = now + timeout_;
    if (now < deadline_) return false;
    stats_.refused(Refusal::timeout);
    ended_ = true;
    exchange_->on_body_error(408, "the request took too long");
    return true;
}

} // namespace sse
