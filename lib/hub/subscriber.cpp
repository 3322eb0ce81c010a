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
    shard_.progressed(cursor_.next); // events before its start need not be kept for it
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

void Subscriber::on_wake(std::function<void()> wake) { wake_ = std::move(wake); }

void Subscriber::prepend(std::string_view block) {
    if (framing_ == Framing::chunked) append_chunk(block, prefix_);
    else prefix_.append(block);
}

void Subscriber::prepend_gap(std::string_view comment, std::optional<std::uint64_t> missed) {
    std::string block;
    encode_comment(comment, block);
    if (const auto& type = shard_.options().gap_event; !type.empty()) {
        const auto count = missed ? fmt::to_string(*missed) : "null";
        encode({type, fmt::format("{{\"missed\":{}}}", count), std::nullopt}, block);
    }
    prepend(block);
}

std::size_t Subscriber::gather(std::span<std::string_view> out) {
    if (unreported_ > 0 && cursor_.sent == 0) { // not inside an event
        prepend_gap(fmt::format(" missed {} events", unreported_), unreported_);
        unreported_ = 0;
    }
    std::size_t count = 0;
    if (!prefix_.empty() && !out.empty())
        out[count++] = std::string_view(prefix_).substr(prefix_sent_);
    const auto& history = shard_.history();
    out = out.subspan(count);
    count += framing_ == Framing::chunked ? history.gather_chunks(cursor_, out)
                                          : history.gather_blocks(cursor_, out);
    return count;
}

void Subscriber::consume(std::size_t bytes) {
    if (!prefix_.empty()) {
        const auto from_prefix = std::min(bytes, prefix_.size() - prefix_sent_);
        prefix_sent_ += from_prefix;
        bytes -= from_prefix;
        if (prefix_sent_ == prefix_.size()) {
            std::string().swap(prefix_); // rarely used: an idle subscriber keeps no buffer
            prefix_sent_ = 0;
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
    return shard_.ended() && prefix_.empty() && cursor_.next == shard_.history().end();
}

std::string_view Subscriber::last_id() const {
    const auto& history = shard_.history();
    const auto held = std::min(delivered_, cursor_.next - std::min(cursor_.next, history.begin()));
    for (std::uint64_t back = 1; back <= held; ++back) { // comments have no id
        if (const auto id = history.id(cursor_.next - back); !id.empty()) return id;
    }
    return {};
}

void Subscriber::skip_to(std::uint64_t begin) {
    if (cursor_.sent > 0) { // half of an event was sent: keep the other half
        const auto& history = shard_.history();
        const auto whole = framing_ == Framing::chunked ? history.chunk(cursor_.next)
                                                        : history.block(cursor_.next);
        prefix_.append(whole.substr(cursor_.sent));
        ++cursor_.next;
    }
    if (cursor_.next == begin) { // only the event just completed is evicted
        cursor_.sent = 0;
        return;
    }
    shard_.counts().missed.add(begin - cursor_.next);
    shard_.counts().slow_client_skips.add();
    missed_ += begin - cursor_.next;
    unreported_ += begin - cursor_.next;
    cursor_ = {begin, 0};
    overrun_ = shard_.options().overflow == Overflow::disconnect;
}

} // namespace sse
