#include "server/sender.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace sse {

Sender::Result Sender::send(Transport& transport, Feed* feed, Feed::Clock::time_point now) {
    std::array<std::string_view, 16> views; // each is a batch, or what is left of one
    for (std::size_t total = 0;;) {
        if (feed && feed->cut() != Feed::Cut::no) return {Outcome::cut, total};
        std::size_t count = 0;
        if (own_sent_ < own_.size()) views[count++] = std::string_view(own_).substr(own_sent_);
        if (feed) count += feed->gather(now, std::span(views).subspan(count));
        if (count == 0 && !transport.pending()) return {Outcome::all_sent, total};
        const auto gathered = std::span(views).first(count);
        std::size_t wanted = 0;
        for (const auto view : gathered) wanted += view.size();
        const auto sent = transport.send(gathered);
        if (sent.closed)
            return {sent.timed_out ? Outcome::timed_out : Outcome::disconnected, total};
        total += sent.bytes;
        consume(sent.bytes, feed);
        if (sent.again || sent.bytes < wanted) return {Outcome::blocked, total};
        if (count < views.size()) return {Outcome::all_sent, total};
    }
}

std::string_view Sender::prepare(Transport& transport, Feed& feed, Feed::Clock::time_point now,
                                 std::string& sealed) {
    if (!own_.empty() || feed.cut() != Feed::Cut::no) return {};
    std::array<std::string_view, 2> views;
    if (feed.gather(now, views) != 1) return {};
    piece_ = views[0].size();
    return transport.prepare(views[0], sealed);
}

Sender::Result Sender::sent(Transport& transport, Feed& feed, std::string_view prepared,
                            const Transfer& transfer) {
    const auto sent = transport.was_sent(piece_, prepared, transfer);
    if (sent.closed) return {sent.timed_out ? Outcome::timed_out : Outcome::disconnected, 0};
    if (sent.bytes > 0) feed.consume(sent.bytes);
    const bool blocked = sent.again || sent.bytes < piece_;
    return {blocked ? Outcome::blocked : Outcome::all_sent, sent.bytes};
}

void Sender::consume(std::size_t bytes, Feed* feed) {
    if (own_sent_ < own_.size()) {
        const auto taken = std::min(bytes, own_.size() - own_sent_);
        own_sent_ += taken;
        bytes -= taken;
        if (own_sent_ == own_.size()) {
            std::string().swap(own_); // an idle connection keeps no buffer
            own_sent_ = 0;
        }
    }
    if (bytes > 0) feed->consume(bytes);
}

} // namespace sse
