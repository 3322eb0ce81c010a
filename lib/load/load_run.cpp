#include "load/load_run.hpp"

#include "base/errno_text.hpp"
#include "base/error.hpp"
#include "base/posix.hpp"
#include "base/printable.hpp"
#include "base/run_delay.hpp"
#include "client/backoff.hpp"
#include "http/media_type.hpp"
#include "load/block_end.hpp"
#include "load/load_fairness.hpp"
#include "net/timed_receive.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <functional>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <system_error>
#include <utility>

namespace sse {

namespace {

using std::chrono::nanoseconds;

constexpr std::size_t connects_in_a_row = 200; ///< before the sockets are looked at again
constexpr std::size_t kept_failures = 50;      ///< reasons that are counted each
constexpr auto longest_wait = std::chrono::milliseconds(100); ///< a signal may wake another thread

/// Makes the receive buffer small. Otherwise, the kernel buffers megabytes for a reader that reads
/// nothing, because loopback has large segments.
void receive_little(int fd) {
    const int window = 1024, segment = 536;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
    ::setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
}

/// CPU time of this process, in seconds.
double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::int64_t count(LoadRun::Clock::time_point time) {
    return std::chrono::duration_cast<nanoseconds>(time.time_since_epoch()).count();
}

double seconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

} // namespace

LoadRun::LoadRun(LoadOptions options, Interrupt& interrupt)
    : options_(std::move(options))
    , interrupt_(interrupt)
    , targets_(options_)
    , subscribers_(options_.subscribers)
    , buffer_(options_.read_bytes)
    , parser_(*this, {.max_event_bytes = most_event_bytes}) {
    parser_.feed("\n"); // past the only place of a byte order mark; feed_blocks() removes that of
                        // each stream
    for (const auto& request : options_.requests) {
        if (request.url.tls && !tls_) tls_ = std::make_unique<TlsContext>(options_.tls);
        groups_.push_back({make_ledger(), false, {}});
    }
    result_.subscribers = options_.subscribers;
    result_.knows_sent = static_cast<bool>(options_.sent_at);
    result_.slow.subscribers = std::min(options_.stalled + options_.slow, options_.subscribers);
    unfinished_ = options_.subscribers - result_.slow.subscribers;
    keeps_ids_ = options_.resume == LoadResume::yes &&
                 (options_.leave_rate > 0 || options_.storm.has_value());
}

LoadRun::~LoadRun() = default;

void LoadRun::run() {
    started_ = checked_ = bound_ = Clock::now();
    for (auto now = started_; !is_over(now); now = Clock::now()) {
        start_due(now);
        cut_due(now);
        end_interval(now);
        check_timeouts(now);
        wait_and_serve();
    }
    end_run();
}

bool LoadRun::is_over(Clock::time_point now) {
    if (interrupt_ || (unfinished_ == 0 && options_.stalled + options_.slow < subscribers_.size()))
        return true;
    if (next_start_ < subscribers_.size()) return false;
    if (!measured_from_ && now >= all_started_ + options_.warm_up) begin_measuring();
    if (!measured_from_) return false;
    const bool ends = now >= *measured_from_ + options_.time ||
                      (options_.events && result_.events >= *options_.events);
    if (ends && !measured_to_) {
        measured_to_ = now;
        if (options_.on_measured) options_.on_measured();
    }
    return measured_to_ && now >= *measured_to_ + options_.last_deliveries;
}

void LoadRun::begin_measuring() {
    measured_from_ = all_started_ + options_.warm_up;
    cpu_at_start_ = cpu_seconds();
    bytes_at_start_ = bytes_;
    interval_began_ = *measured_from_;
    interval_ = {};
    interval_delays_.clear();
    progress_.measuring.set(1);
    if (options_.on_measuring) options_.on_measuring();
}

void LoadRun::start_due(Clock::time_point now) {
    while (!timers_.empty() && timers_.top().at <= now) {
        const auto number = timers_.top().subscriber;
        timers_.pop();
        if (subscribers_[number].state == State::waiting) start(number);
        else if (subscribers_[number].state == State::open) read_slowly(number);
    }
    if (next_start_ == subscribers_.size()) return;
    const auto due = static_cast<std::size_t>(seconds(now - started_) * options_.connect_rate) + 1;
    const auto end = std::min({due, subscribers_.size(), next_start_ + connects_in_a_row});
    while (next_start_ < end) {
        start(static_cast<std::uint32_t>(next_start_++));
        progress_.started.add();
    }
    if (next_start_ < subscribers_.size()) return;
    all_started_ = now;
    if (options_.on_all_started) options_.on_all_started();
    if (options_.warm_up.count() == 0) begin_measuring();
}

nanoseconds LoadRun::time_to_wait(Clock::time_point now) const {
    auto until = now + longest_wait;
    if (next_start_ < subscribers_.size()) {
        const auto due = static_cast<double>(next_start_) / options_.connect_rate;
        until = std::min(until, started_ + nanoseconds(static_cast<std::int64_t>(due * 1e9)));
    } else if (!measured_from_) {
        until = std::min(until, all_started_ + options_.warm_up);
    } else if (!measured_to_) {
        until = std::min(until, *measured_from_ + options_.time);
    } else {
        until = std::min(until, *measured_to_ + options_.last_deliveries);
    }
    if (!timers_.empty()) until = std::min(until, timers_.top().at);
    if (measured_from_) until = std::min(until, next_cut());
    return std::max(nanoseconds(0), nanoseconds(until - now));
}

/// The sockets that are ready. If it had to wait, the first bytes arrived when the wait ended,
/// except for the time in which this thread was waiting for a processor or the process was stopped.
std::span<const ReadySet::Ready> LoadRun::wait() {
    const auto looked = Clock::now();
    if (const auto list = ready_.wait(nanoseconds(0)); !list.empty()) return list;
    bound_ = looked;
    const auto list = ready_.wait(time_to_wait(looked));
    const auto delay = run_delay();
    const auto before = std::exchange(run_delay_, delay);
    const bool stopped = options_.was_stopped && options_.was_stopped();
    if (delay && before && !stopped && !list.empty())
        bound_ = std::max(bound_, Clock::now() - (*delay - *before));
    return list;
}

void LoadRun::wait_and_serve() {
    const auto list = wait();
    const auto returned = Clock::now();
    clock_offset_ =
        std::chrono::system_clock::now().time_since_epoch() - nanoseconds(count(returned));
    for (const auto& each : list) on_ready(each.number);
    if (ready_.was_complete()) bound_ = returned;
}

void LoadRun::check_timeouts(Clock::time_point now) {
    if (now < checked_ + std::chrono::seconds(1)) return;
    checked_ = now;
    if (!options_.dial.connect_timeout) return;
    for (std::uint32_t i = 0; i < next_start_; ++i) {
        const auto& subscriber = subscribers_[i];
        const bool waits = subscriber.fd.get() >= 0 && subscriber.state != State::open;
        if (waits && now >= subscriber.started + *options_.dial.connect_timeout)
            fail(i, "timed out");
    }
}

// ---- subscribers that are disconnected and reconnected ----

/// The time at which the next stream, or all of them, are closed.
LoadRun::Clock::time_point LoadRun::next_cut() const {
    auto next = Clock::time_point::max();
    if (options_.leave_rate > 0) {
        const auto due = static_cast<double>(cuts_ + 1) / options_.leave_rate;
        next = *measured_from_ + nanoseconds(static_cast<std::int64_t>(due * 1e9));
    }
    if (options_.storm && !stormed_at_) next = std::min(next, *measured_from_ + *options_.storm);
    return next;
}

void LoadRun::cut_due(Clock::time_point now) {
    if (!measured_from_ || measured_to_) return;
    if (options_.storm && !stormed_at_ && now >= *measured_from_ + *options_.storm) storm(now);
    while (options_.leave_rate > 0 && next_cut() <= now) {
        ++cuts_;
        // Selects an open one; if few are open, this may take several tries.
        for (int tries = 0; tries < 100; ++tries) {
            const auto number = static_cast<std::uint32_t>(random_.below(subscribers_.size()));
            if (subscribers_[number].state != State::open || is_slow(number)) continue;
            ++result_.left;
            cut(number);
            start(number);
            break;
        }
        if (options_.storm && !stormed_at_) return; // it may be due before the next one
    }
}

/// Closes all streams before it opens the first one again, as when a proxy restarts.
void LoadRun::storm(Clock::time_point now) {
    stormed_at_ = now;
    result_.storm_at = seconds(now - *measured_from_);
    for (std::uint32_t i = 0; i < subscribers_.size(); ++i) {
        auto& subscriber = subscribers_[i];
        if (subscriber.state != State::open || is_slow(i)) continue;
        if (!random_.chance(options_.storm_share)) continue;
        ++result_.storm_cut;
        subscriber.stormed = true;
        cut(i);
        timers_.push({now, i});
    }
}

/// Closes its stream. It does not receive events that are on their way, unless it resumes.
void LoadRun::cut(std::uint32_t number) {
    close(number, State::waiting);
    if (options_.resume == LoadResume::yes) return;
    groups_[targets_.group_of(number)].ledger->end_course(subscribers_[number].course);
}

std::string LoadRun::last_id_of(const LoadSubscriber& subscriber) const {
    constexpr auto unknown = "sse-bench-stale";
    if (!subscriber.was_open) return {};
    return options_.resume == LoadResume::stale ? unknown : subscriber.last_id;
}

// ---- one subscriber: connecting and requesting ----

void LoadRun::start(std::uint32_t number) {
    auto& subscriber = subscribers_[number];
    const auto& request = targets_.request(number);
    subscriber.response = ResponseParser(request.method, options_.max_head_bytes);
    subscriber.body_begun = subscriber.full_read = false;
    subscriber.rest = {};
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
    if (is_slow(number)) receive_little(subscriber.fd.get());
    subscriber.state = State::connecting;
    ready_.add(subscriber.fd.get(), number, POLLOUT);
}

void LoadRun::on_ready(std::uint32_t number) {
    auto& subscriber = subscribers_[number];
    if (subscriber.fd.get() < 0) return; // closed since
    current_ = number;
    switch (subscriber.state) {
    case State::connecting: return on_connected(number);
    case State::handshake: return handshake(number);
    case State::sending: return send_request(number);
    case State::open:
        if (is_slow(number)) return finish_stream(number); // not watched, so it has broken
        [[fallthrough]];
    case State::head: return subscriber.tls ? read_tls(number) : read(number);
    case State::waiting:
    case State::done: break;
    }
}

void LoadRun::on_connected(std::uint32_t number) {
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
        subscriber.rest = targets_.request_bytes(number, last_id_of(subscriber));
        subscriber.state = State::sending;
        return send_request(number);
    }
    subscriber.session = tls_->begin(subscriber.fd.get(), url.host);
    subscriber.state = State::handshake;
    handshake(number);
}

void LoadRun::handshake(std::uint32_t number) {
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
    subscriber.rest = targets_.request_bytes(number, last_id_of(subscriber));
    subscriber.state = State::sending;
    send_request(number);
}

void LoadRun::send_request(std::uint32_t number) {
    auto& subscriber = subscribers_[number];
    while (!subscriber.rest.empty()) {
        const std::array views{std::string_view(subscriber.rest)};
        const auto sent =
            subscriber.tls ? subscriber.tls->send(views) : send_some(subscriber.fd.get(), views);
        subscriber.rest.erase(0, sent.bytes);
        if (sent.closed) return fail(number, errno_text(sent.error != 0 ? sent.error : EPIPE));
        if (sent.again) return ready_.change(subscriber.fd.get(), number, POLLOUT);
    }
    subscriber.rest = {};
    subscriber.state = State::head;
    ready_.change(subscriber.fd.get(), number, POLLIN);
}

/// Reads the bytes of one second of a subscriber that is slow, but not stalled.
void LoadRun::read_slowly(std::uint32_t number) {
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

LoadRun::Clock::time_point LoadRun::steady(nanoseconds system) const {
    return Clock::time_point(system - clock_offset_);
}

void LoadRun::read(std::uint32_t number) {
    auto& subscriber = subscribers_[number];
    const auto got = receive_timed(subscriber.fd.get(), buffer_);
    if (got.again) return;
    if (got.closed) return on_closed(number, got.error);
    const auto now = Clock::now();
    const bool known = got.arrived.count() != 0;
    const auto arrived = known ? std::min(now, steady(got.arrived)) : now;
    const bool fills = got.bytes == buffer_.size();
    caught_up_ = !fills && !std::exchange(subscriber.full_read, fills);
    const auto untimed = untimed_;
    take(number, {buffer_.data(), got.bytes}, arrived);
    if (measured_from_ && known) result_.behind.add(now - (untimed == untimed_ ? arrived : bound_));
}

/// The time of arrival is that of the first bytes that wait, because OpenSSL reads without asking
/// for one. So no event has an exact time over TLS.
void LoadRun::read_tls(std::uint32_t number) {
    auto& subscriber = subscribers_[number];
    char byte = 0;
    const auto peeked = receive_timed(subscriber.fd.get(), {&byte, 1}, true);
    const auto now = Clock::now();
    const bool known = peeked.arrived.count() != 0;
    const auto arrived = known ? std::min(now, steady(peeked.arrived)) : now;
    if (measured_from_ && known) result_.behind.add(now - arrived);
    caught_up_ = false;
    while (subscriber.fd.get() >= 0) {
        const auto got = subscriber.tls->receive(buffer_);
        if (got.again) return;
        if (got.closed) return on_closed(number, got.error);
        take(number, {buffer_.data(), got.bytes}, arrived);
    }
}

void LoadRun::take(std::uint32_t number, std::string_view bytes, Clock::time_point arrived) {
    auto& subscriber = subscribers_[number];
    const bool had_head = subscriber.state == State::open;
    if (is_slow(number)) {
        result_.slow.bytes += bytes.size();
    } else {
        bytes_ += bytes.size();
        interval_.bytes += bytes.size();
    }
    body_ended_ = last_was_event_ = busy_ = false;
    refusal_.clear();
    deliveries_.clear();
    try {
        subscriber.response.feed(bytes, *this);
    } catch (const Error& e) {
        take_deliveries(arrived, true);
        return fail(number, e.what());
    }
    if (!had_head && subscriber.state == State::open) on_open(number, arrived);
    take_deliveries(arrived, !last_was_event_ || !subscriber.rest.empty());
    if (!refusal_.empty()) return refuse(number);
    if (body_ended_) finish_stream(number);
}

void LoadRun::on_open(std::uint32_t number, Clock::time_point arrived) {
    auto& subscriber = subscribers_[number];
    result_.head.add(arrived - subscriber.started);
    if (std::exchange(subscriber.stormed, false)) result_.storm.add(arrived - *stormed_at_);
    if (!is_slow(number)) return;
    ready_.change(subscriber.fd.get(), number, 0);
    timers_.push({Clock::now() + std::chrono::seconds(1), number});
}

void LoadRun::on_head(const Head& head, int status, const ResponseFraming&) {
    auto& subscriber = subscribers_[current_];
    const auto type = head.find("Content-Type");
    if (status == 200 && type && essence(*type) == "text/event-stream") {
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
    refusal_ = status == 200 ? fmt::format("content type {}",
                                           type ? printable(essence(*type), 60) : "missing")
                             : fmt::format("HTTP status {}", status);
}

void LoadRun::refuse(std::uint32_t number) {
    if (!busy_) return fail(number, refusal_);
    ++result_.busy;
    close(number, State::waiting);
    timers_.push({Clock::now() + retry_after_.value_or(options_.busy_wait), number});
}

void LoadRun::on_body_piece(std::string_view bytes) {
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
    else if (end == rest.size()) rest = {}; // with its memory
    else rest.erase(0, end);
}

void LoadRun::feed_blocks(std::string_view blocks) {
    auto& subscriber = subscribers_[current_];
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    if (!std::exchange(subscriber.body_begun, true) && blocks.starts_with(mark))
        blocks.remove_prefix(mark.size());
    parser_.feed(blocks);
}

void LoadRun::on_event(const EventView& event) {
    last_was_event_ = true;
    auto& group = groups_[targets_.group_of(current_)];
    if (is_slow(current_)) {
        ++result_.slow.events;
        subscribers_[current_].has_event = true;
        return;
    }
    progress_.deliveries.add();
    if (keeps_ids_ && event.id) subscribers_[current_].last_id.assign(*event.id);
    constexpr std::hash<std::string_view> hash;
    std::string found;
    std::string_view id = event.id.value_or("");
    if (options_.key_of) {
        auto text = options_.key_of(event.data);
        id = found = text ? std::move(*text) : std::string();
    }
    std::uint64_t key = hash(id);
    EventPlace place = 0;
    if (!id.empty()) {
        if (!std::exchange(group.has_ids, true)) forget_events(group);
        const auto number = group.order.place_of(id);
        if (!number) return deliveries_.push_back({});
        place = *number;
    } else if (group.has_ids || options_.key_of) { // such as a heartbeat
        return deliveries_.push_back({});
    } else {
        key = hash(event.data) * 31 + hash(event.type);
    }
    const auto received =
        group.ledger->receive(current_, subscribers_[current_].course, key, place, group.has_ids);
    auto& entry = group.ledger->event(received.slot);
    if (received.is_new) {
        progress_.events.add();
        if (options_.sent_at) {
            if (const auto sent = options_.sent_at(event.data))
                entry.sent_ns = count(steady(*sent));
        }
    }
    const bool first = received.receipt == EventLedger::Receipt::first;
    deliveries_.push_back({received.slot, first ? entry.place : 0, received.is_new});
}

/// Called at the first ID: earlier events, such as a greeting, have none and are not counted.
void LoadRun::forget_events(Group& group) {
    for (std::uint32_t i = 0; i < subscribers_.size(); ++i) {
        if (&groups_[targets_.group_of(i)] == &group) subscribers_[i].course = {};
    }
    for (auto& delivery : deliveries_) delivery.place = 0;
    group.ledger = make_ledger();
}

std::unique_ptr<EventLedger> LoadRun::make_ledger() {
    LedgerOptions options;
    options.subscribers = options_.subscribers;
    return std::make_unique<EventLedger>(
        options, [this](const LedgerEvent& event) { on_event_done(event); });
}

/// The time of arrival is exact for the last event of the bytes, unless other bytes follow it
/// (`later_bytes`). The earlier events arrived between the last poll of the sockets and that time.
void LoadRun::take_deliveries(Clock::time_point arrived, bool later_bytes) {
    auto& subscriber = subscribers_[current_];
    auto& ledger = *groups_[targets_.group_of(current_)].ledger;
    if (deliveries_.empty()) return;
    if (!std::exchange(subscriber.has_event, true))
        result_.first_event.add(arrived - subscriber.started);
    const bool measured = measured_from_ && arrived >= *measured_from_;
    const bool all_known = caught_up_ && arrived - bound_ <= options_.max_uncertainty;
    for (const auto& delivery : deliveries_) {
        const bool is_last = &delivery == &deliveries_.back();
        if (measured) {
            ++result_.deliveries, ++interval_.deliveries;
            result_.events += delivery.is_new, interval_.events += delivery.is_new;
        }
        if (delivery.place == 0) continue;
        auto& event = ledger.event(delivery.slot);
        if (event.place != delivery.place) continue; // forgotten since
        if (!all_known && !(caught_up_ && is_last && !later_bytes)) {
            ++untimed_;
            result_.untimed += measured;
            continue;
        }
        const auto at = count(arrived);
        event.first_ns = event.timed == 0 ? at : std::min(event.first_ns, at);
        event.last_ns = std::max(event.last_ns, at);
        ++event.timed;
        if (!measured) continue;
        const nanoseconds delay(at - (event.sent_ns != 0 ? event.sent_ns : event.first_ns));
        if (event.sent_ns != 0) result_.delivery.add(delay);
        if (event.sent_ns != 0 || !options_.sent_at) interval_delays_.add(delay);
        subscriber.delay_sum += std::max(0.0, seconds(delay));
        ++subscriber.delays;
    }
}

// ---- one subscriber: the end ----

void LoadRun::on_closed(std::uint32_t number, int error) {
    if (error != 0) return fail(number, errno_text(error));
    body_ended_ = false;
    try {
        subscribers_[number].response.finish(*this);
    } catch (const Error& e) {
        return fail(number, e.what());
    }
    finish_stream(number);
}

void LoadRun::finish_stream(std::uint32_t number) {
    ++(is_slow(number) ? result_.slow.cut : result_.ended);
    close(number, State::done);
}

void LoadRun::fail(std::uint32_t number, const std::string& why) {
    const bool was_open = subscribers_[number].state == State::open;
    ++(!was_open ? result_.failed : is_slow(number) ? result_.slow.cut : result_.broken);
    if (result_.failures.size() < kept_failures || result_.failures.contains(why))
        ++result_.failures[why];
    progress_.failed.add();
    close(number, State::done);
}

void LoadRun::close(std::uint32_t number, State state) {
    auto& subscriber = subscribers_[number];
    if (subscriber.fd.get() >= 0) ready_.remove(subscriber.fd.get());
    if (subscriber.state == State::open) progress_.open.set(progress_.open.get() - 1);
    subscriber.tls.reset();
    subscriber.session.reset();
    subscriber.fd = Descriptor();
    subscriber.rest = {};
    subscriber.state = state;
    if (state == State::done && !is_slow(number)) --unfinished_;
}

// ---- the figures ----

void LoadRun::end_interval(Clock::time_point now) {
    if (!measured_from_ || measured_to_ || now < interval_began_ + options_.interval) return;
    interval_.at = seconds(now - *measured_from_);
    interval_.seconds = seconds(now - interval_began_);
    interval_.open = progress_.open.get();
    if (interval_delays_.count() > 0) {
        interval_.p50 = interval_delays_.percentile(0.5);
        interval_.p99 = interval_delays_.percentile(0.99);
        interval_.max = interval_delays_.max();
    }
    result_.series.push_back(std::exchange(interval_, {}));
    interval_delays_.clear();
    interval_began_ = now;
    if (options_.on_interval) options_.on_interval(result_.series.back());
}

void LoadRun::on_event_done(const LedgerEvent& event) {
    if (!measured_from_ || event.timed < 2 || event.first_ns < count(*measured_from_)) return;
    result_.skew.add(nanoseconds(event.last_ns - event.first_ns));
}

void LoadRun::end_run() {
    const auto now = Clock::now();
    if (measured_from_) {
        result_.seconds = seconds(measured_to_.value_or(now) - *measured_from_);
        result_.bytes = bytes_ - bytes_at_start_;
        const auto cpu = cpu_seconds() - cpu_at_start_;
        result_.client.cpu = cpu / std::max(result_.seconds, 1e-9);
        if (result_.deliveries > 0)
            result_.client.cpu_per_delivery = cpu / static_cast<double>(result_.deliveries);
    }
    result_.client.resident_bytes = resident_bytes().value_or(0);
    std::vector<double> delays; // in the order of connecting
    for (std::uint32_t i = 0; i < subscribers_.size(); ++i) {
        auto& subscriber = subscribers_[i];
        if (subscriber.state == State::open) ++result_.open;
        if (subscriber.was_open && !subscriber.has_event) ++result_.silent;
        if (subscriber.delays > 0) delays.push_back(subscriber.delay_sum / subscriber.delays);
        groups_[targets_.group_of(i)].ledger->end_course(subscriber.course);
    }
    result_.fairness = load_fairness(delays);
    for (auto& group : groups_) {
        const auto counts = group.ledger->finish();
        result_.keyed_by_data |= !group.has_ids && counts.events > 0;
        result_.ledger.events += counts.events;
        result_.ledger.lost += counts.lost;
        result_.ledger.missed += counts.missed;
        result_.ledger.duplicates += counts.duplicates;
        result_.ledger.repeated += counts.repeated;
        result_.ledger.disordered += counts.disordered;
        result_.ledger.alone += counts.alone;
    }
}

} // namespace sse
