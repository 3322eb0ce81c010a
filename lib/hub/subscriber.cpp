#include "hub/subscriber.hpp"

#include "hub/shard.hpp"
#include "protocol/encoder.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sse {

Subscriber::Subscriber(Shard& shard, Framing framing, std::string_view last_event_id)
    : shard_(shard)
    , framing_(framing) {
    cursor_.next = start(last_event_id);
    shard_.subscribe(*this);
    shard_.progressed(cursor_.next); // what it does not ask for is not kept for it
}

Subscriber::~Subscriber() { shard_.unsubscribe(*this); }

std::uint64_t Subscriber::start(std::string_view last_event_id) {
    auto& history = shard_.history();
    if (!last_event_id.empty()) {
        if (const auto found = shard_.find(last_event_id)) return *found + 1;
        gap_ = true;
        return history.begin();
    }
    const auto& start = shard_.options().start;
    switch (start.at) {
    case Start::At::oldest: return history.begin();
    case Start::At::newest: return history.end();
    case Start::At::last: return history.last(start.count);
    }
    return history.begin();
}

void Subscriber::listen(std::function<void()> wake) { wake_ = std::move(wake); }

void Subscriber::say(std::string_view block) {
    if (framing_ == Framing::chunked) append_chunk(block, rest_);
    else rest_.append(block);
}

void Subscriber::say_gap(std::string_view comment, std::optional<std::uint64_t> missed) {
    std::string block;
    encode_comment(comment, block);
    if (const auto& type = shard_.options().gap_event; !type.empty()) {
        const auto count = missed ? fmt::to_string(*missed) : "null";
        encode({type, fmt::format("{{\"missed\":{}}}", count), std::nullopt}, block);
    }
    say(block);
}

std::size_t Subscriber::gather(std::span<std::string_view> out) {
    if (untold_ > 0 && cursor_.sent == 0) { // else it would stand in the middle of an event
        say_gap(fmt::format(" missed {} events", untold_), untold_);
        untold_ = 0;
    }
    std::size_t count = 0;
    if (!rest_.empty() && !out.empty()) out[count++] = std::string_view(rest_).substr(rest_sent_);
    const auto& history = shard_.history();
    out = out.subspan(count);
    count += framing_ == Framing::chunked ? history.gather_chunks(cursor_, out)
                                          : history.gather_blocks(cursor_, out);
    return count;
}

void Subscriber::consume(std::size_t bytes) {
    if (!rest_.empty()) {
        const auto of_rest = std::min(bytes, rest_.size() - rest_sent_);
        rest_sent_ += of_rest;
        bytes -= of_rest;
        if (rest_sent_ == rest_.size()) {
            std::string().swap(rest_); // it was rare: an idle subscriber keeps no buffer
            rest_sent_ = 0;
        }
    }
    const auto& history = shard_.history();
    const auto before = cursor_.next;
    cursor_ = framing_ == Framing::chunked ? history.advance_chunks(cursor_, bytes)
                                           : history.advance_blocks(cursor_, bytes);
    delivered_ += cursor_.next - before;
    shard_.counts().deliveries.add(cursor_.next - before);
    shard_.progressed(cursor_.next);
}

bool Subscriber::ended() const {
    return shard_.ended() && rest_.empty() && cursor_.next == shard_.history().end();
}

std::string_view Subscriber::last_id() const {
    const auto& history = shard_.history();
    const auto had = std::min(delivered_, cursor_.next - std::min(cursor_.next, history.begin()));
    for (std::uint64_t back = 1; back <= had; ++back) { // over comments, which have none
        if (const auto id = history.id(cursor_.next - back); !id.empty()) return id;
    }
    return {};
}

void Subscriber::skip_to(std::uint64_t begin) {
    if (cursor_.sent > 0) { // it has half of an event: keep the other half
        const auto& history = shard_.history();
        const auto whole = framing_ == Framing::chunked ? history.chunk(cursor_.next)
                                                        : history.block(cursor_.next);
        rest_.append(whole.substr(cursor_.sent));
        ++cursor_.next;
    }
    if (cursor_.next == begin) { // it was that one which is pushed out, and it has it
        cursor_.sent = 0;
        return;
    }
    shard_.counts().missed.add(begin - cursor_.next);
    shard_.counts().slow_client_skips.add();
    missed_ += begin - cursor_.next;
    untold_ += begin - cursor_.next;
    cursor_ = {begin, 0};
    overrun_ = shard_.options().overflow == Overflow::disconnect;
}

} // namespace sse
