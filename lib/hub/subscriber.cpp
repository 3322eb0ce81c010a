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
    const auto search = [&](Search::In in) {
        search_ = std::make_unique<Search>(Search{in, std::string(last_event_id)});
        return history.end();
    };
    if (!shard_.opened()) return search(Search::In::opening);
    if (last_event_id.empty()) return start_without_id();
    if (const auto next = after(last_event_id)) return *next;
    if (shard_.has_log()) {
        shard_.locate(std::string(last_event_id));
        return search(Search::In::log);
    }
    if (shard_.may_find_more()) return search(Search::In::loading);
    gap_ = true;
    return history.begin();
}

std::uint64_t Subscriber::start_without_id() {
    const auto& history = shard_.history();
    const auto& start = shard_.options().start;
    switch (start.at) {
    case Start::At::oldest: return history.begin();
    case Start::At::newest: return history.end();
    case Start::At::last: return history.last(start.count);
    case Start::At::all: return shard_.has_log() ? shard_.log_begin() : history.begin();
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
    if (search_->in == Search::In::opening) {
        if (!shard_.opened()) return;
        const auto search = std::move(search_);
        cursor_.next = start(search->id);
        if (!search_ && search->id.empty()) prepend_position();
    } else if (const auto found = search_->in == Search::In::loading
                                      ? shard_.history().find(search_->id)
                                      : std::nullopt) {
        cursor_.next = *found + 1;
        search_.reset();
    } else if (search_->in == Search::In::log || shard_.may_find_more()) {
        cursor_.next = history.end();
    } else {
        begin_with_gap(history.begin());
    }
    shard_.progressed(cursor_.next);
}

bool Subscriber::located(std::string_view id, const LogPosition& position) {
    if (search_->in != Search::In::log || search_->id != id) return false;
    if (position.next && !position.gap) {
        cursor_.next = *position.next;
        search_.reset();
        return true;
    }
    if (shard_.may_find_more()) { // it may be of the input
        search_->in = Search::In::loading;
        seek();
        return !search_;
    }
    begin_with_gap(position.next.value_or(shard_.history().begin()));
    return true;
}

void Subscriber::begin_with_gap(std::uint64_t next) {
    search_.reset();
    gap_ = true;
    cursor_.next = next;
    prepend_gap();
}

void Subscriber::prepend_position() {
    if (shard_.options().start.at == Start::At::oldest && cursor_.next == 0) return;
    const auto id = position_id();
    if (id.empty()) return;
    std::string block;
    encode_id(id, block);
    prepend(block);
}

std::string_view Subscriber::position_id() const {
    constexpr std::uint64_t most = 1'000; // entries without an id, such as comments, in a row
    const auto& history = shard_.history();
    if (cursor_.next > history.end() || cursor_.next < history.begin()) return {};
    const auto held = std::min(most, cursor_.next - history.begin());
    for (std::uint64_t back = 1; back <= held; ++back) {
        if (const auto id = history.id(cursor_.next - back); !id.empty()) return id;
    }
    return held == cursor_.next ? shard_.start_id() : std::string_view{};
}

bool Subscriber::has_more() const {
    return has_prefix() || (!search_ && cursor_.next < shard_.history().end());
}

void Subscriber::on_wake(std::function<void()> wake) { wake_ = std::move(wake); }

void Subscriber::prepend(std::string_view block) {
    if (framing_ == Framing::chunked) append_chunk(block, extra().prefix);
    else extra().prefix.append(block);
}

Subscriber::Extra& Subscriber::extra() {
    if (!extra_) extra_ = std::make_unique<Extra>();
    return *extra_;
}

void Subscriber::release_extra() {
    if (extra_->missed == 0) extra_.reset();
    else *extra_ = {{}, 0, {}, extra_->missed, extra_->unreported};
}

void Subscriber::prepend_gap() {
    prepend_loss(shard_.has_log()
                     ? " gap: the last event ID is not in the store; events may be missing"
                     : " gap: the last event ID is not in the history; the stream starts at the "
                       "oldest event",
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
    std::size_t count = 0;
    if (extra_) {
        if (extra_->unreported > 0 && cursor_.sent == 0) { // not inside an event
            const auto missed = std::exchange(extra_->unreported, 0);
            if (missed < unknown_loss)
                prepend_loss(fmt::format(" missed {} events", missed), missed);
            else prepend_loss(" gap: the store has lost events", std::nullopt);
        }
        if (has_prefix() && !out.empty())
            out[count++] = std::string_view(extra_->prefix).substr(extra_->prefix_sent);
    }
    const auto& history = shard_.history();
    if (cursor_.next < history.begin()) return count + gather_pages(out.subspan(count));
    return count + gather_from(history, cursor_, out.subspan(count));
}

std::size_t Subscriber::gather_from(const History& events, Cursor at,
                                    std::span<std::string_view> out) const {
    return framing_ == Framing::chunked ? events.gather_chunks(at, out)
                                        : events.gather_blocks(at, out);
}

/// From the pages that are held, and the history where it follows them.
std::size_t Subscriber::gather_pages(std::span<std::string_view> out) {
    const auto& history = shard_.history();
    std::size_t count = 0;
    for (auto at = cursor_; count < out.size();) {
        const bool held = at.next >= history.begin();
        const auto* const events = held ? &history : shard_.find_page(at.next);
        if (!events) break;
        count += gather_from(*events, at, out.subspan(count));
        if (held) break;
        at = {events->end(), 0};
    }
    if (count == 0) shard_.request_page(*this);
    return count;
}

void Subscriber::consume(std::size_t bytes) {
    if (has_prefix()) {
        const auto from_prefix = std::min(bytes, extra_->prefix.size() - extra_->prefix_sent);
        extra_->prefix_sent += from_prefix;
        bytes -= from_prefix;
        if (extra_->prefix_sent == extra_->prefix.size()) release_extra();
    }
    const auto& history = shard_.history();
    const auto before = cursor_.next;
    if (cursor_.next < history.begin()) bytes = consume_pages(bytes);
    if (bytes > 0) advance(history, bytes);
    delivered_ += cursor_.next - before;
    shard_.counts().deliveries.add(cursor_.next - before);
    shard_.progressed(cursor_.next);
}

void Subscriber::advance(const History& events, std::size_t bytes) {
    cursor_ = framing_ == Framing::chunked ? events.advance_chunks(cursor_, bytes)
                                           : events.advance_blocks(cursor_, bytes);
}

/// Consumes what was gathered from pages; returns the bytes that were not.
std::size_t Subscriber::consume_pages(std::size_t bytes) {
    const auto& history = shard_.history();
    while (bytes > 0 && cursor_.next < history.begin()) {
        const auto& events = *shard_.find_page(cursor_.next);
        const auto left = framing_ == Framing::chunked ? events.chunk_bytes_from(cursor_)
                                                       : events.block_bytes_from(cursor_);
        const auto here = std::min(bytes, left);
        advance(events, here);
        bytes -= here;
    }
    // Nothing else would call gather() again.
    if (cursor_.next < history.begin() && !shard_.find_page(cursor_.next))
        shard_.request_page(*this);
    return bytes;
}

std::optional<Subscriber::Taken> Subscriber::take() {
    std::array<std::string_view, 1> next;
    if (extra_ && extra_->prefix.empty()) release_extra();
    if (gather(next) == 0) return std::nullopt;
    if (has_prefix()) {
        extra_->taken = std::exchange(extra_->prefix, {});
        return Taken{extra_->taken, {}};
    }
    const auto& history = shard_.history();
    const auto& events = cursor_.next < history.begin() ? *shard_.find_page(cursor_.next) : history;
    const Taken taken{events.block(cursor_.next), events.id(cursor_.next)};
    consume(taken.block.size());
    return taken;
}

bool Subscriber::ended() const {
    return shard_.ended() && !has_prefix() && !search_ && cursor_.next == shard_.history().end();
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
        extra().prefix.append(whole.substr(cursor_.sent));
        ++cursor_.next;
    }
    if (cursor_.next == begin) { // only the event just completed is evicted
        cursor_.sent = 0;
        return;
    }
    count_missed(begin);
    overrun_ = shard_.options().overflow == Overflow::disconnect;
}

void Subscriber::skip_lost(std::uint64_t begin) {
    // The rest of an event that was sent in part is gone as well: the client resumes before it.
    overrun_ = cursor_.sent > 0 || shard_.options().overflow == Overflow::disconnect;
    count_missed(begin);
}

void Subscriber::go_back(std::uint64_t lost_from) {
    if (lost_from == unknown_number) overrun_ = true;
    if (search_ || cursor_.next < lost_from || (cursor_.next == lost_from && cursor_.sent == 0))
        return;
    overrun_ = overrun_ || cursor_.sent > 0; // as in skip_lost()
    cursor_ = {lost_from, 0};
    prepend_loss(" gap: the store has lost events", std::nullopt);
}

void Subscriber::count_missed(std::uint64_t begin) {
    const auto lost = begin - cursor_.next;
    const auto known = lost < unknown_loss ? lost : 1; // at least
    shard_.counts().missed.add(known);
    shard_.counts().slow_client_skips.add();
    extra().missed += known;
    extra_->unreported += lost;
    cursor_ = {begin, 0};
}

} // namespace sse
