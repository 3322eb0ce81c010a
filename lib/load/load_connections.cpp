#include "load/load_connections.hpp"

#include "base/errno_text.hpp"
#include "base/error.hpp"
#include "base/printable.hpp"
#include "client/backoff.hpp"
#include "http/media_type.hpp"
#include "http/stream_status.hpp"
#include "load/block_end.hpp"
#include "net/timed_receive.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <system_error>
#include <utility>

namespace sse {

namespace {

/// Empties `text`, and frees its memory.
void release(std::string& text) { std::string().swap(text); }

constexpr std::size_t kept_failures = 50; ///< reasons that are counted each

/// Makes the receive buffer small. Otherwise, the kernel buffers megabytes for a reader that reads
/// nothing, because loopback has large segments.
void receive_little(int fd) {
    const int window = 1024, segment = 536;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
    ::setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
}

} // namespace

LoadConnections::LoadConnections(const LoadOptions& options, LoadTargets& targets,
                                 ArrivalClock& clock, LoadMeasurement& measurement,
                                 std::vector<LoadSubscriber>& subscribers, LoadResult& result,
                                 LoadProgress& progress)
    : options_(options)
    , targets_(targets)
    , clock_(clock)
    , measurement_(measurement)
    , subscribers_(subscribers)
    , result_(result)
    , progress_(progress)
    , buffer_(options.read_bytes)
    , unfinished_(subscribers.size()) {
    result_.slow.subscribers = std::min(options.stalled + options.slow, subscribers.size());
    unfinished_ -= result_.slow.subscribers;
    for (const auto& request : options.requests) {
        if (request.url.tls && !tls_) tls_ = std::make_unique<TlsContext>(options.tls);
    }
}

LoadConnections::~LoadConnections() = default;

bool LoadConnections::all_ended() const {
    return unfinished_ == 0 && result_.slow.subscribers < subscribers_.size();
}

// ---- all subscribers ----

void LoadConnections::run_timers(Clock::time_point now) {
    while (!timers_.empty() && timers_.top().at <= now) {
        const auto number = timers_.top().subscriber;
        timers_.pop();
        if (subscribers_[number].state == State::waiting) start(number);
        else if (subscribers_[number].state == State::open) read_slowly(number);
    }
}

/// The sockets that are ready, or become ready before `until`.
std::span<const ReadySet::Ready> LoadConnections::wait(Clock::time_point until) {
    const auto looked = Clock::now();
    if (const auto list = ready_.wait(std::chrono::nanoseconds(0)); !list.empty()) return list;
    clock_.all_read(looked);
    if (!timers_.empty()) until = std::min(until, timers_.top().at);
    const auto list = ready_.wait(std::max(Clock::duration(0), until - looked));
    clock_.woke(!list.empty());
    return list;
}

void LoadConnections::wait_and_serve(Clock::time_point until) {
    const auto list = wait(until);
    const auto returned = Clock::now();
    clock_.adjust(returned);
    for (const auto& each : list) on_ready(each.number);
    if (ready_.was_complete()) clock_.all_read(returned);
}

void LoadConnections::check_timeouts(Clock::time_point now) {
    if (now < checked_ + std::chrono::seconds(1)) return;
    checked_ = now;
    if (!options_.dial.connect_timeout) return;
    for (std::uint32_t i = 0; i < subscribers_.size(); ++i) {
        const auto& subscriber = subscribers_[i];
        const bool waits = subscriber.fd.get() >= 0 && subscriber.state != State::open;
        if (waits && now >= subscriber.started + *options_.dial.connect_timeout)
            fail(i, "timed out");
    }
}

/// Closes its stream. It does not receive events that are on their way, unless it resumes.
void LoadConnections::cut(std::uint32_t number) {
    close(number, State::waiting);
    if (options_.resume == LoadResume::yes) return;
    measurement_.end_course(number);
}

/// Opens the stream again at once, as all that the storm has cut.
void LoadConnections::cut_by_storm(std::uint32_t number, Clock::time_point now) {
    stormed_at_ = now;
    subscribers_[number].stormed = true;
    cut(number);
    timers_.push({now, number});
}

std::string LoadConnections::last_id_of(std::uint32_t number) const {
    constexpr auto unknown = "sse-bench-stale";
    if (!subscribers_[number].was_open) return {};
    return options_.resume == LoadResume::stale ? unknown : measurement_.last_id(number);
}

// ---- one subscriber: connecting and requesting ----

void LoadConnections::start(std::uint32_t number) {
    auto& subscriber = subscribers_[number];
    const auto& request = targets_.request(number);
    subscriber.response = ResponseParser(request.method, options_.max_head_bytes);
    subscriber.body_begun = subscriber.full_read = false;
    release(subscriber.rest);
    while (true) {
        subscriber.address = static_cast<std::uint8_t>(targets_.address_number(number));
        subscriber.started = Clock::now();
        int error = 0;
        try {
            subscriber.fd = start_connecting(targets_.address(number), options_.dial, error,
                                             targets_.source(number));
        } catch (const std::system_error& e) { // no descriptor
            return fail(number, errno_text(e.code().value()));
        }
        if (subscriber.fd.get() >= 0) break;
        if (!targets_.try_next_address(number, subscriber.address))
            return fail(number, errno_text(error));
    }
    enable_arrival_times(subscriber.fd.get());
    if (options_.is_slow(number)) receive_little(subscriber.fd.get());
    subscriber.state = State::connecting;
    ready_.add(subscriber.fd.get(), number, POLLOUT);
}

void LoadConnections::on_ready(std::uint32_t number) {
    auto& subscriber = subscribers_[number];
    if (subscriber.fd.get() < 0) return; // closed since
    current_ = number;
    switch (subscriber.state) {
    case State::connecting: return on_connected(number);
    case State::handshake: return handshake(number);
    case State::sending: return send_request(number);
    case State::open:
        if (options_.is_slow(number)) return finish_stream(number); // not watched, so it has broken
        [[fallthrough]];
    case State::head: return subscriber.tls ? read_tls(number) : read(number);
    case State::waiting:
    case State::done: break;
    }
}

void LoadConnections::on_connected(std::uint32_t number) {
    auto& subscriber = subscribers_[number];
    if (const int error = connect_error(subscriber.fd.get()); error != 0) {
        if (!targets_.try_next_address(number, subscriber.address))
            return fail(number, errno_text(error));
        ready_.remove(subscriber.fd.get());
        subscriber.fd = Descriptor();
        return start(number);
    }
    result_.connect.add(Clock::now() - subscriber.started);
    const auto& url = targets_.request(number).url;
    if (!url.tls) {
        subscriber.rest = targets_.request_bytes(number, last_id_of(number));
        subscriber.state = State::sending;
        return send_request(number);
    }
    subscriber.session = tls_->begin(subscriber.fd.get(), url.host);
    subscriber.state = State::handshake;
    handshake(number);
}

void LoadConnections::handshake(std::uint32_t number) {
    auto& subscriber = subscribers_[number];
    short wanted = 0;
    try {
        wanted = TlsContext::handshake(subscriber.session.get(),
                                       targets_.request(number).url.endpoint());
    } catch (const Error& e) {
        return fail(number, e.what());
    }
    if (wanted != 0) return ready_.change(subscriber.fd.get(), number, wanted);
    subscriber.tls = std::make_unique<TlsStream>(subscriber.session.release(), subscriber.fd.get());
    subscriber.rest = targets_.request_bytes(number, last_id_of(number));
    subscriber.state = State::sending;
    send_request(number);
}

void LoadConnections::send_request(std::uint32_t number) {
    auto& subscriber = subscribers_[number];
    while (!subscriber.rest.empty()) {
        const std::array views{std::string_view(subscriber.rest)};
        const auto sent =
            subscriber.tls ? subscriber.tls->send(views) : send_some(subscriber.fd.get(), views);
        subscriber.rest.erase(0, sent.bytes);
        if (sent.closed) return fail(number, errno_text(sent.error != 0 ? sent.error : EPIPE));
        if (sent.again) return ready_.change(subscriber.fd.get(), number, POLLOUT);
    }
    release(subscriber.rest);
    subscriber.state = State::head;
    ready_.change(subscriber.fd.get(), number, POLLIN);
}

/// Reads the bytes of one second of a subscriber that is slow, but not stalled.
void LoadConnections::read_slowly(std::uint32_t number) {
    if (number < options_.stalled) return;
    auto& subscriber = subscribers_[number];
    current_ = number;
    for (auto left = options_.slow_bytes; left > 0 && subscriber.state == State::open;) {
        const auto room = std::span(buffer_).first(std::min(left, buffer_.size()));
        const auto got = subscriber.tls ? subscriber.tls->receive(room)
                                        : receive_some(subscriber.fd.get(), room);
        if (got.again) break;
        if (got.closed) return on_closed(number, got.error);
        left -= got.bytes;
        caught_up_ = false;
        take(number, {buffer_.data(), got.bytes}, Clock::now());
    }
    if (subscriber.state == State::open)
        timers_.push({Clock::now() + std::chrono::seconds(1), number});
}

// ---- one subscriber: reading ----

void LoadConnections::read(std::uint32_t number) {
    auto& subscriber = subscribers_[number];
    const auto got = receive_timed(subscriber.fd.get(), buffer_);
    if (got.again) return;
    if (got.closed) return on_closed(number, got.error);
    const auto now = Clock::now();
    const bool known = got.arrived.count() != 0;
    const auto arrived = clock_.arrival(got.arrived, now);
    const bool fills = got.bytes == buffer_.size();
    caught_up_ = !fills && !std::exchange(subscriber.full_read, fills);
    const auto untimed = measurement_.untimed();
    take(number, {buffer_.data(), got.bytes}, arrived);
    if (measurement_.began() && known) {
        const bool exact = untimed == measurement_.untimed();
        result_.behind.add(now - (exact ? arrived : clock_.bound()));
    }
}

/// The time of arrival is that of the first bytes that wait, because OpenSSL reads without asking
/// for one. So no event has an exact time over TLS.
void LoadConnections::read_tls(std::uint32_t number) {
    auto& subscriber = subscribers_[number];
    char byte = 0;
    const auto peeked = receive_timed(subscriber.fd.get(), {&byte, 1}, true);
    const auto now = Clock::now();
    const bool known = peeked.arrived.count() != 0;
    const auto arrived = clock_.arrival(peeked.arrived, now);
    if (measurement_.began() && known) result_.behind.add(now - arrived);
    caught_up_ = false;
    while (subscriber.fd.get() >= 0) {
        const auto got = subscriber.tls->receive(buffer_);
        if (got.again) return;
        if (got.closed) return on_closed(number, got.error);
        take(number, {buffer_.data(), got.bytes}, arrived);
    }
}

void LoadConnections::take(std::uint32_t number, std::string_view bytes,
                           Clock::time_point arrived) {
    auto& subscriber = subscribers_[number];
    const bool had_head = subscriber.state == State::open;
    measurement_.begin_read(number, bytes.size());
    body_ended_ = busy_ = false;
    refusal_.clear();
    try {
        subscriber.response.feed(bytes, *this);
    } catch (const Error& e) {
        measurement_.end_read(arrival(arrived, false));
        return fail(number, e.what());
    }
    if (!had_head && subscriber.state == State::open) on_open(number, arrived);
    measurement_.end_read(arrival(arrived, subscriber.rest.empty()));
    if (!refusal_.empty()) return refuse(number);
    if (body_ended_) finish_stream(number);
}

/// The time of arrival is exact for the last event of the bytes, unless other bytes follow it (not
/// `whole`). The earlier events arrived between the last poll of the sockets and that time.
ReadArrival LoadConnections::arrival(Clock::time_point at, bool whole) const {
    return {at, caught_up_ && at - clock_.bound() <= options_.max_uncertainty, caught_up_ && whole};
}

void LoadConnections::on_open(std::uint32_t number, Clock::time_point arrived) {
    auto& subscriber = subscribers_[number];
    result_.head.add(arrived - subscriber.started);
    if (std::exchange(subscriber.stormed, false)) result_.storm.add(arrived - stormed_at_);
    if (!options_.is_slow(number)) return;
    ready_.change(subscriber.fd.get(), number, 0);
    timers_.push({Clock::now() + std::chrono::seconds(1), number});
}

void LoadConnections::on_head(const Head& head, int status, const ResponseFraming&) {
    auto& subscriber = subscribers_[current_];
    const auto type = head.find("Content-Type");
    const bool expected = is_stream_status(targets_.request(current_).method, status);
    if (expected && type && essence(*type) == "text/event-stream") {
        subscriber.state = State::open;
        if (!subscriber.was_open) ++result_.opened;
        subscriber.was_open = true;
        progress_.open.add();
        return;
    }
    busy_ = status == 429 || status == 503;
    retry_after_.reset();
    if (const auto value = head.find("Retry-After"))
        retry_after_ = parse_retry_after(*value, std::chrono::system_clock::now());
    refusal_ =
        expected ? fmt::format("content type {}", type ? printable(essence(*type), 60) : "missing")
                 : fmt::format("HTTP status {}", status);
}

void LoadConnections::refuse(std::uint32_t number) {
    if (!busy_) return fail(number, refusal_);
    ++result_.busy;
    close(number, State::waiting);
    timers_.push({Clock::now() + retry_after_.value_or(options_.busy_wait), number});
}

void LoadConnections::on_body_piece(std::string_view bytes) {
    auto& subscriber = subscribers_[current_];
    if (subscriber.state != State::open) return;
    auto& rest = subscriber.rest;
    const bool joined = !rest.empty();
    std::size_t searched = 0;
    if (joined) {
        searched = rest.size() - std::min<std::size_t>(rest.size(), 3);
        if (rest.size() + bytes.size() > options_.max_event_bytes) {
            throw Error(Errc::too_large,
                        fmt::format("an event is larger than {} bytes", options_.max_event_bytes));
        }
        rest.append(bytes);
        bytes = rest;
    }
    const auto end = end_of_blocks(bytes, searched);
    if (end > 0) feed_blocks(bytes.substr(0, end));
    if (!joined) rest.assign(bytes.substr(end));
    else if (end == rest.size()) release(rest);
    else rest.erase(0, end);
}

void LoadConnections::feed_blocks(std::string_view blocks) {
    auto& subscriber = subscribers_[current_];
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    if (!std::exchange(subscriber.body_begun, true) && blocks.starts_with(mark))
        blocks.remove_prefix(mark.size());
    measurement_.feed(blocks);
}

// ---- one subscriber: the end ----

void LoadConnections::on_closed(std::uint32_t number, int error) {
    if (error != 0) return fail(number, errno_text(error));
    body_ended_ = false;
    try {
        subscribers_[number].response.finish(*this);
    } catch (const Error& e) {
        return fail(number, e.what());
    }
    finish_stream(number);
}

void LoadConnections::finish_stream(std::uint32_t number) {
    ++(options_.is_slow(number) ? result_.slow.cut : result_.ended);
    close(number, State::done);
}

void LoadConnections::fail(std::uint32_t number, const std::string& why) {
    const bool was_open = subscribers_[number].state == State::open;
    ++(!was_open ? result_.failed : options_.is_slow(number) ? result_.slow.cut : result_.broken);
    if (result_.failures.size() < kept_failures || result_.failures.contains(why))
        ++result_.failures[why];
    progress_.failed.add();
    close(number, State::done);
}

void LoadConnections::close(std::uint32_t number, State state) {
    auto& subscriber = subscribers_[number];
    if (subscriber.fd.get() >= 0) ready_.remove(subscriber.fd.get());
    if (subscriber.state == State::open) progress_.open.set(progress_.open.get() - 1);
    subscriber.tls.reset();
    subscriber.session.reset();
    subscriber.fd = Descriptor();
    release(subscriber.rest);
    subscriber.state = state;
    if (state == State::done && !options_.is_slow(number)) --unfinished_;
}

} // namespace sse
