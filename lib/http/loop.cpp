#include "http/loop.hpp"

#include "http/session.hpp"

#include <algorithm>
#include <utility>

namespace sse {

Loop::Loop(const ServerOptions& server_options, Handler& routes, std::size_t index)
    : options(server_options)
    , handler(routes)
    , number(index)
    , tick_(context) {
    arm_tick();
}

Loop::~Loop() { cut_all(); }

void Loop::arm_tick() {
    tick_.expires_after(options.tick);
    tick_.async_wait([this](const std::error_code& error) {
        if (error) return;
        const auto now = Feed::Clock::now();
        for (std::size_t i = 0; i < sessions_.size();) {
            const auto session = sessions_[i]; // it may go, and another take its place
            session->tick(now);
            if (i < sessions_.size() && sessions_[i] == session) ++i;
        }
        handler.tick(number);
        arm_tick();
    });
}

void Loop::add(std::shared_ptr<Session> session) {
    if (cut_) return; // it came too late, and goes with this call
    session->slot = sessions_.size();
    if (!session->door().admin) ++clients_;
    sessions_.push_back(session);
    session->start();
    if (winding_down_ && !session->door().admin) session->wind_down();
}

void Loop::remove(Session& session) {
    const auto slot = session.slot;
    if (!session.door().admin) {
        --clients_;
        counts.closed.add();
        if (session.refused()) counts.refused_closed.add();
    }
    std::swap(sessions_[slot], sessions_.back());
    sessions_[slot]->slot = slot;
    const auto last = std::move(sessions_.back()); // dies when this returns, not before
    sessions_.pop_back();
    tell_if_empty();
}

void Loop::wind_down() {
    winding_down_ = true;
    const auto sessions = sessions_; // they may go
    for (const auto& session : sessions) {
        if (!session->door().admin) session->wind_down();
    }
    tell_if_empty();
}

void Loop::tell_if_empty() {
    if (winding_down_ && clients_ == 0 && on_empty && !std::exchange(said_empty_, true)) on_empty();
}

bool Loop::make_room() {
    // A client that has just come may not have had its turn yet, and none is slower than this.
    constexpr std::chrono::seconds patience{1};
    if (fresh.empty() || std::chrono::steady_clock::now() - fresh.front().since < patience)
        return false;
    fresh.front().session->yield_place();
    return true;
}

void Loop::cut_all() {
    cut_ = true;
    const auto sessions = sessions_;
    for (const auto& session : sessions) session->cut();
}

} // namespace sse
