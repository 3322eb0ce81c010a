#include "hub/subscriber.hpp"

#include "hub/shard.hpp"
#include "protocol/encoder.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

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
        if (const auto next = after(last_event_id)) return *next;
        if (shard_.may_find_more()) {
            sought_ = std::make_unique<const std::string>(last_event_id);
            return history.end();
        }
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

/// The sequence number after the event with that id, if it is held.
std::optional<std::uint64_t> Subscriber::after(std::string_view id) {
    if (const auto found = shard_.find(id)) return *found + 1;
    if (shard_.history().begin() == 0 && id == shard_.start_id()) return 0;
    return std::nullopt;
}

void Subscriber::seek() {
    const auto& history = shard_.history();
    if (const auto found = shard_.history().find(*sought_)) {
        cursor_.next = *found + 1;
        shard_.progressed(cursor_.next);
    } else if (shard_.may_find_more()) {
        cursor_.next = history.end();
        return shard_.progressed(cursor_.next);
    } else {
        gap_ = true;
        cursor_.next = history.begin();
        prepend_gap();
    }
    sought_.reset();
}

std::string_view Subscriber::position_id() const {
    constexpr std::uint64_t most = 1'000; // entries without an id, such as comments, in a row
    const auto& history = shard_.history();
    if (cursor_.next > history.end()) return {};
    const auto held = std::min(most, cursor_.next - history.begin());
    for (std::uint64_t back = 1; back <= held; ++back) {
        if (const auto id = history.id(cursor_.next - back); !id.empty()) return id;
    }
    return held == cursor_.next ? shard_.start_id() : std::string_view{};
}

bool Subscriber::has_more() const {
    return !prefix_.empty() || (!sought_ && cursor_.next < shard_.history().end());
}

void Subscriber::on_wake(std::function<void()> wake) { wake_ = std::move(wake); }

void Subscriber::prepend(std::string_view block) {
    if (framing_ == Framing::chunked) append_chunk(block, prefix_);
    else prefix_.append(block);
}

void Subscriber::prepend_gap() {
    prepend_loss(
        " gap: the last event ID is not in the history; the stream starts at the oldest event",
        std::nullopt);
}

void Subscriber::prepend_loss(std::string_view comment, std::optional<std::uint64_t> missed) {
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
        prepend_loss(fmt::format(" missed {} events", unreported_), unreported_);
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

std::optional<Subscriber::Taken> Subscriber::take() {
    std::array<std::string_view, 1> next;
    if (gather(next) == 0) return std::nullopt;
    if (!prefix_.empty()) {
        taken_ = std::exchange(prefix_, {});
        return Taken{taken_, {}};
    }
    const auto& history = shard_.history();
    const Taken taken{history.block(cursor_.next), history.id(cursor_.next)};
    consume(taken.block.size());
    return taken;
}

bool Subscriber::ended() const {
    return shard_.ended() && prefix_.empty() && !sought_ && cursor_.next == shard_.history().end();
}

std::string_view Subscriber::last_id() const {
    const auto& history = shard_.history();
    const auto held = std::min(delivered_, cursor_.next - std::min(cursor_.next, history.begin()));
    for (std::uint64_t back = 1; back <= held; ++back) { // comments have no id
        if (const auto id = history.id(cursor_.next - back); !id.empty()) return id;
    }
    return {};
}

bool Subscriber::charge(std::chrono::milliseconds time) {
    const auto sum = std::max<std::int64_t>(0, held_up_.count() + time.count());
    held_up_ = std::chrono::duration<std::uint32_t, std::milli>(static_cast<std::uint32_t>(sum));
    const auto& most = shard_.options().max_hold_up;
    if (most.count() > 0 && sum > most.count()) overrun_ = true;
    return sum > 0;
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
