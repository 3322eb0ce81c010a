#include "server/server_connection.hpp"

#include "net/socket.hpp"
#include "server/address_counts.hpp"
#include "server/guard.hpp"

#include <algorithm>
#include <asio/post.hpp>
#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

/// What a stream's client may send after its request before it is taken for something else.
constexpr std::size_t max_ignored_bytes = 64 * 1024;
/// How long we wait for the client's FIN after ours, so that a RST does not eat our last bytes.
constexpr std::chrono::milliseconds linger{2'000};

} // namespace

ServerConnection::ServerConnection(Loop& loop, int fd, const ListenerContext& listener,
                                   Refusal refused, std::uint64_t address)
    : loop_(loop)
    , listener_(listener)
    , transport_(loop.context, fd)
    , reader_(std::make_unique<RequestReader>(loop.options.request))
    , deadline_(Clock::now() + loop.options.head_timeout)
    , address_(address)
    , refused_(refused) {
    send_at_once(fd);
    if (listener.log) access_record_ = std::make_unique<AccessRecord>(peer_of(fd));
}

ServerConnection::~ServerConnection() = default;

void ServerConnection::start() {
    if (!listener_.admin) {
        place_ = loop_.fresh.insert(loop_.fresh.end(), {this, Clock::now()});
        fresh_ = true;
    }
    if (listener_.tls) {
        if (!transport_.begin_tls(*listener_.tls)) return close(End::cut);
        state_ = State::shaking;
    }
    wait_readable();
}

void ServerConnection::shake_hands() {
    switch (transport_.shake_hands()) {
    case TlsStream::Shake::done: state_ = State::reading; return;
    case TlsStream::Shake::wants_read: return;
    case TlsStream::Shake::wants_write:
        if (!writing_) wait_writable();
        return;
    case TlsStream::Shake::failed: note_refusal(Refusal::tls); return close(End::refused);
    case TlsStream::Shake::plain_http:
        state_ = State::reading;
        return refuse(400, "this port speaks HTTPS: ask with https://", Refusal::tls);
    }
}

void ServerConnection::wait_readable() {
    transport_.when_readable([self = shared_from_this()](const std::error_code& error) {
        if (error || self->state_ == State::closed) return;
        self->on_readable();
        self->paused_ = true;
        self->read_on();
    });
}

/// What a client sends ahead of the answers it waits for stays with the system: it would be kept
/// here, and copied for each of them.
bool ServerConnection::reads() const {
    return state_ != State::closed && pipelined_.empty() &&
           !(state_ == State::responding && keep_alive_);
}

void ServerConnection::read_on() {
    if (reads() && std::exchange(paused_, false)) wait_readable();
}

void ServerConnection::on_readable() {
    if (state_ == State::shaking) shake_hands();
    if (state_ == State::shaking || state_ == State::closed) return;
    auto& scratch = loop_.scratch;
    for (;;) {
        const auto got = transport_.receive(scratch);
        if (got.again) return;
        if (got.closed) return close(got.timed_out ? End::stalled : End::client);
        take({scratch.data(), got.bytes});
        if (!reads() || !transport_.may_hold_more(got, scratch.size())) return;
    }
}

void ServerConnection::take(std::string_view bytes) {
    if (state_ != State::reading) {
        if ((ignored_ += bytes.size()) <= max_ignored_bytes) return;
        note_refusal(Refusal::request);
        return close(End::refused);
    }
    const bool was_empty = reader_->empty();
    const bool in_head = reader_->state() == RequestReader::State::head;
    switch (reader_->feed(bytes)) {
    case RequestReader::State::head:
        if (was_empty && !reader_->empty()) deadline_ = Clock::now() + loop_.options.head_timeout;
        return;
    case RequestReader::State::body:
        if (in_head) deadline_ = Clock::now() + loop_.options.body_timeout;
        if (reader_->wants_continue()) {
            sender_.add("HTTP/1.1 100 Continue\r\n\r\n");
            pump();
        }
        return;
    case RequestReader::State::refused:
        return refuse(reader_->refusal().status, reader_->refusal().why);
    case RequestReader::State::done: pipelined_.assign(bytes); return respond();
    }
}

void ServerConnection::respond() {
    auto& request = reader_->request();
    request.peer = peer_of(transport_.fd());
    request.loopback = listener_.loopback;
    request.secure = transport_.secure();
    if (refused_ != Refusal::none) {
        const auto why = refused_ == Refusal::address ? "too many clients of this address\n"
                                                      : "too many clients\n";
        auto busy = text_response(503, why, refused_);
        busy.headers = {{"Retry-After", "5"}};
        return send_response(&request, std::move(busy), false);
    }
    if (auto refusal = guard(request, *listener_.guard)) {
        return send_response(&request, std::move(*refusal), reader_->keep_alive());
    }
    auto response = listener_.handler->respond(request, loop_.number);
    const bool keep_alive = reader_->keep_alive() && !response.feed && !winding_down_;
    send_response(&request, std::move(response), keep_alive);
}

void ServerConnection::refuse(int status, const std::string& why, Refusal refusal) {
    send_response(nullptr, text_response(status, why + "\n", refusal), false);
}

void ServerConnection::note_refusal(Refusal refusal) {
    refusal_ = refusal;
    if (refusal != Refusal::none && !listener_.admin)
        loop_.counts.refusals[static_cast<std::size_t>(refusal)].add();
}

void ServerConnection::send_response(const Request* request, Response response, bool keep_alive) {
    not_fresh();
    state_ = State::responding;
    keep_alive_ = keep_alive;
    note_refusal(response.refusal);
    if (!listener_.admin) loop_.counts.requests.add();
    if (access_record_) {
        access_record_->answered(request, response.status);
        access_record_->faults = std::move(response.faults);
    }
    framing_ = request ? request->framing : Framing::chunked;
    if (request) add_cors_headers(*request, *listener_.guard, response);
    sender_.add(
        loop_.codec.encode(request ? request->method : "GET", framing_, keep_alive, response));
    reader_.reset();
    deadline_ = Clock::now() + loop_.options.stall_timeout;
    if (response.feed) begin_stream(std::move(response.feed));
    else pump();
}

void ServerConnection::begin_stream(std::unique_ptr<Feed> feed) {
    std::string().swap(pipelined_);
    state_ = State::streaming;
    read_on(); // to see it go
    if (const auto bytes = loop_.options.unsent_bytes) limit_unsent(transport_.fd(), bytes);
    feed_ = std::move(feed);
    if (!listener_.admin) loop_.counts.streams_opened.add();
    feed_->attach([this] { pump(); }); // the feed dies before this session: see drop_feed()
    pump();
}

/// There may be more to send.
void ServerConnection::pump() {
    if (pumping_ || state_ == State::closed) return;
    if (!writing_) return send_on(true);
    cut_if_asked();
}

/// True if the feed wants the connection to be cut, which has then been done.
bool ServerConnection::cut_if_asked() {
    const auto cut = feed_ ? feed_->cut() : Feed::Cut::no;
    if (cut == Feed::Cut::no) return false;
    close(feed_->counts().missed > 0 ? End::overrun : End::cut, cut == Feed::Cut::reset);
    return true;
}

/// Sends what there is. `afresh`: the socket has taken all that there was before, so that a stall
/// begins now.
void ServerConnection::send_on(bool afresh) {
    const auto self = shared_from_this(); // close() may let go of the last other owner
    const auto now = Clock::now();
    pumping_ = true;
    const auto sent = sender_.send(transport_, feed_.get(), now);
    pumping_ = false;
    if (!listener_.admin) loop_.counts.bytes.add(sent.bytes);
    if (access_record_) access_record_->bytes += sent.bytes;
    const bool blocked = sent.outcome == Sender::Outcome::blocked;
    if ((state_ == State::responding || state_ == State::closing) &&
        (sent.bytes > 0 || (afresh && blocked))) {
        deadline_ = now + loop_.options.stall_timeout;
    }
    switch (sent.outcome) {
    case Sender::Outcome::all: return sent_all();
    case Sender::Outcome::blocked: return wait_writable();
    case Sender::Outcome::cut: cut_if_asked(); return;
    case Sender::Outcome::gone: return close(End::client);
    case Sender::Outcome::silent: return close(End::stalled);
    }
}

void ServerConnection::wait_writable() {
    writing_ = true;
    transport_.when_writable([self = shared_from_this()](const std::error_code& error) {
        self->writing_ = false;
        if (error || self->state_ == State::closed) return;
        if (self->state_ == State::shaking) self->on_readable();
        else self->send_on(false);
    });
}

/// Everything that there is now has been taken by the socket.
void ServerConnection::sent_all() {
    switch (state_) {
    case State::streaming:
        if (feed_->cut() != Feed::Cut::no) return pump();
        if (!feed_->ended()) return arm_due();
        if (framing_ == Framing::chunked && !std::exchange(last_sent_, true)) {
            sender_.add(last_chunk);
            return pump();
        }
        return close_gently(loop_.told_to_stop() ? End::drained : End::finished);
    case State::responding:
        if (!keep_alive_ || winding_down_)
            return close_gently(refusal_ == Refusal::none ? End::answered : End::refused);
        state_ = State::reading;
        reader_ = std::make_unique<RequestReader>(loop_.options.request);
        deadline_ = Clock::now() + loop_.options.idle_timeout;
        // Not from here: a thousand small requests would be as deep a stack.
        if (!pipelined_.empty())
            asio::post(loop_.context, [self = shared_from_this()] { self->take_next(); });
        else read_on();
        return;
    case State::closing: return end_sending();
    case State::shaking:
    case State::reading:
    case State::closed: return;
    }
}

void ServerConnection::take_next() {
    if (state_ != State::reading) return;
    take(std::exchange(pipelined_, {}));
    read_on();
}

void ServerConnection::arm_due() {
    const auto due = feed_->due();
    if (!due) return;
    if (!due_timer_) {
        using Timer = std::remove_reference_t<decltype(*due_timer_)>;
        due_timer_ = std::make_unique<Timer>(loop_.context.get_executor());
    }
    due_timer_->expires_at(*due);
    due_timer_->async_wait([self = shared_from_this()](const std::error_code& error) {
        if (!error) self->pump();
    });
}

void ServerConnection::tick(Clock::time_point now) {
    if (state_ == State::streaming) {
        if (takes_nothing(now)) return close(End::stalled, true);
        if (!writing_) feed_->tick(now);
        return;
    }
    if (now < deadline_) return;
    if (state_ == State::reading && !reader_->empty())
        return refuse(408, "the request took too long", Refusal::timeout);
    if (state_ == State::shaking) note_refusal(Refusal::tls);
    close(state_ == State::responding ? End::stalled : End::idle);
}

/// True once the peer has acknowledged no byte of what waits for it for the stall timeout. Not when
/// the socket last took some, which may be long ago for a slow peer, or now for one that has
/// vanished; and TCP_USER_TIMEOUT also ends a peer that takes little at a time.
bool ServerConnection::takes_nothing(Clock::time_point now) {
    const auto sent = transport_.sent();
    if (!writing_ && sent == taken_) return false;
    const auto queued = transport_.queued();
    const bool had_all = std::exchange(looked_, sent) == taken_;
    if (std::exchange(taken_, sent - queued) != sent - queued || had_all)
        deadline_ = now + loop_.options.stall_timeout;
    return (writing_ || queued > 0) && now >= deadline_;
}

void ServerConnection::wind_down() {
    winding_down_ = true;
    if (state_ == State::shaking || (state_ == State::reading && reader_->empty()))
        close(End::drained);
}

void ServerConnection::cut() { close(End::cut); }

void ServerConnection::yield_place() {
    note_refusal(Refusal::timeout);
    close(End::refused);
}

void ServerConnection::not_fresh() {
    if (std::exchange(fresh_, false)) loop_.fresh.erase(place_);
}

/// Counts and logs the connection's end. Before the feed goes, and once.
void ServerConnection::settle(End end) {
    if (end_ != End::open) return;
    end_ = end;
    if (!listener_.admin) {
        loop_.counts.ends[static_cast<std::size_t>(end)].add();
        if (end == End::stalled) loop_.counts.stalls.add();
    }
    if (!access_record_) return;
    if (feed_) access_record_->streamed(feed_->counts());
    access_record_->end = end;
    access_record_->refusal = refusal_;
    listener_.log->add(*access_record_);
    access_record_.reset();
}

void ServerConnection::close_gently(End end) {
    settle(end);
    state_ = State::closing;
    drop_feed();
    std::string().swap(pipelined_);
    read_on();
    deadline_ = Clock::now() + linger;
    end_sending();
}

void ServerConnection::end_sending() {
    if (!transport_.end()) wait_writable();
}

void ServerConnection::drop_feed() {
    if (!feed_) return;
    if (!listener_.admin) loop_.counts.streams_closed.add();
    // Later, as it may be the one that called us; and until then it may call us again.
    asio::post(loop_.context,
               [self = shared_from_this(), feed = std::move(feed_)]() mutable { feed.reset(); });
}

void ServerConnection::close(End end, bool reset) {
    if (state_ == State::closed) return;
    settle(end);
    not_fresh();
    if (address_ != 0) listener_.addresses->leave(std::exchange(address_, 0));
    state_ = State::closed;
    const auto self = shared_from_this();
    if (due_timer_) due_timer_->cancel();
    transport_.close(reset);
    drop_feed();
    loop_.remove(*this);
}

} // namespace sse
