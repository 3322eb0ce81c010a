#include "server/server_connection.hpp"

#include "base/posix.hpp"
#include "net/socket.hpp"
#include "server/guard.hpp"

#include <asio/post.hpp>
#include <utility>

namespace sse {

namespace {

/// Bytes that a stream's client may send behind its request before it is disconnected.
constexpr std::uint64_t max_unexpected_bytes = 64 * 1024;
/// Receive calls in one turn of the loop, so that a fast sender does not keep it from the others.
constexpr int max_reads_per_turn = 4;
/// How long we wait for the client's FIN after ours, so that a RST does not discard our last bytes.
constexpr std::chrono::milliseconds linger{2'000};

} // namespace

ServerConnection::ServerConnection(Loop& loop, int fd, const ListenerContext& listener,
                                   Refusal refusal, std::uint64_t address_key)
    : loop_(loop)
    , listener_(listener)
    , transport_(Descriptor(fd))
    , stats_(loop.counts, listener, listener.log ? peer_address(fd) : std::string())
    , requests_(loop, listener, refusal, address_key)
    , deadline_(Clock::now() + loop.options.head_timeout)
    , place_(listener.admin ? loop.admin_waiting : loop.waiting) {
    if (!accepted_inherits_options) disable_nagle(fd);
}

ServerConnection::~ServerConnection() = default;

void ServerConnection::start() {
    place_.move(*this, Waiting::incomplete);
    if (listener_.tls) {
        if (!transport_.begin_tls(*listener_.tls)) return close(EndReason::aborted);
        state_ = State::handshaking;
        return update_watch();
    }
    receive(); // the request is often there already
}

// ---- receiving ----

void ServerConnection::handshake() {
    switch (transport_.handshake()) {
    case TlsStream::Handshake::done: state_ = State::reading; return;
    case TlsStream::Handshake::wants_read: return;
    case TlsStream::Handshake::wants_write: writing_ = true; return;
    case TlsStream::Handshake::failed:
        stats_.refused(Refusal::tls);
        return close(EndReason::refused);
    case TlsStream::Handshake::plain_http:
        state_ = State::reading;
        return refuse(400, "this port speaks HTTPS: use https://", Refusal::tls);
    }
}

void ServerConnection::on_ready(Readiness ready) {
    const auto self = shared_from_this(); // close() may drop the last other owner
    if (ready.writable && std::exchange(writing_, false)) {
        if (state_ == State::handshaking) on_readable();
        else send(false);
    }
    if (ready.readable && wants_input()) on_readable();
    update_watch();
}

/// Reads what there is, and waits for more.
void ServerConnection::receive() {
    on_readable();
    update_watch();
}

/// Requests that a client sends ahead stay with the kernel: here they would be kept, and copied for
/// each response.
bool ServerConnection::wants_input() const {
    return state_ != State::closed && !requests_.has_ahead() &&
           !(state_ == State::responding && keep_alive_) &&
           !(exchange_ && !exchange_->wants_bytes());
}

void ServerConnection::update_watch() {
    const Readiness wanted{wants_input(), writing_ && state_ != State::closed};
    const auto before = std::exchange(watched_, wanted);
    if (loop_.sockets.change(transport_.fd(), *this, before, wanted)) return;
    watched_ = before;
    close(EndReason::aborted);
}

void ServerConnection::on_readable() {
    if (state_ == State::handshaking) handshake();
    if (state_ == State::handshaking || state_ == State::closed) return;
    auto& scratch = loop_.scratch;
    for (int reads = 0; reads < max_reads_per_turn; ++reads) {
        const auto got = transport_.receive(scratch);
        if (got.again) return;
        if (got.closed) return close(got.timed_out ? EndReason::stalled : EndReason::client_closed);
        on_bytes({scratch.data(), got.bytes});
        if (!wants_input() || !transport_.may_hold_more(got, scratch.size())) return;
    }
}

void ServerConnection::on_bytes(std::string_view bytes) {
    if (exchange_) return exchange_->on_bytes(bytes);
    if (state_ != State::reading) return on_unexpected_bytes(bytes.size());
    for (;;) {
        switch (requests_.read(bytes, transport_)) {
        case RequestPhase::Step::incomplete:
            if (requests_.empty() || place_.kind() != Waiting::idle) return;
            place_.move(*this, Waiting::incomplete);
            deadline_ = Clock::now() + loop_.options.head_timeout;
            return;
        case RequestPhase::Step::body:
            place_.move(*this, Waiting::incomplete);
            deadline_ = Clock::now() + loop_.options.body_timeout;
            if (requests_.wants_continue()) {
                sender_.add("HTTP/1.1 100 Continue\r\n\r\n");
                pump();
            }
            if (state_ != State::reading || bytes.empty()) return;
            break;
        case RequestPhase::Step::answered: return send_response(requests_.take_response());
        }
    }
}

void ServerConnection::on_unexpected_bytes(std::size_t count) {
    unexpected_ += count;
    // A refused body is read for a while: a RST would discard the response that says why.
    const auto limit = max_unexpected_bytes +
                       (state_ == State::streaming ? 0 : loop_.options.request.max_body_bytes);
    if (unexpected_ <= limit) return;
    stats_.refused(Refusal::request);
    close(EndReason::refused);
}

void ServerConnection::on_sent_ahead() {
    if (state_ != State::reading) return;
    on_bytes(requests_.take_ahead());
    update_watch();
}

// ---- the request phase ----

/// What was received is not a request that could be read.
void ServerConnection::refuse(int status, const std::string& why, Refusal reason) {
    send_response({nullptr, text_response(status, why + "\n", reason), false});
}

void ServerConnection::send_response(RequestPhase::Answer answer) {
    if (answer.response.later) return await_response(std::move(answer));
    auto& [request, response, keep_alive] = answer;
    if (response.exchange) return start_exchange(std::move(answer));
    place_.move(*this, Waiting::none);
    state_ = State::responding;
    keep_alive_ = keep_alive && !draining_;
    stats_.responded(request, response);
    const auto framing = request ? request->framing : Framing::chunked;
    if (request) add_policy_headers(*request, *listener_.guard, response);
    sender_.add(
        loop_.writer.bytes(request ? request->method : "GET", framing, keep_alive_, response));
    requests_.finish();
    deadline_ = Clock::now() + loop_.options.stall_timeout;
    if (response.feed) start_stream(std::move(response.feed), framing);
    else pump();
}

void ServerConnection::await_response(RequestPhase::Answer answer) {
    place_.move(*this, Waiting::none);
    state_ = State::responding;
    keep_alive_ = answer.keep_alive; // what is sent ahead waits
    deadline_ = Clock::time_point::max();
    const auto later = std::move(answer.response.later);
    later([weak = weak_from_this(), request = answer.request,
           keep_alive = answer.keep_alive](Response response) {
        const auto self = weak.lock();
        if (!self || self->state_ != State::responding) return;
        self->send_response({request, std::move(response), keep_alive});
    });
}

void ServerConnection::next_request() {
    state_ = State::reading;
    requests_.begin();
    deadline_ = Clock::now() + loop_.options.idle_timeout;
    place_.move(*this, Waiting::idle);
    if (!requests_.has_ahead()) return update_watch();
    // Not from here: a thousand small requests would be as deep a stack.
    asio::post(loop_.context, [self = shared_from_this()] { self->on_sent_ahead(); });
}

// ---- exchanges ----

void ServerConnection::start_exchange(RequestPhase::Answer answer) {
    auto& response = answer.response;
    place_.move(*this, Waiting::none);
    keep_alive_ = answer.keep_alive && !draining_;
    stats_.responded(answer.request, response);
    if (!listener_.guard->cors.empty()) {
        add_policy_headers(*answer.request, *listener_.guard, response);
        response.exchange->set_policy_fields(response.headers);
    }
    exchange_ = std::make_unique<ExchangeBody>(*response.exchange, requests_, stats_,
                                               loop_.options.body_timeout);
    const auto ahead = requests_.take_ahead();
    const auto self = shared_from_this(); // it may end within these calls
    start_stream(std::move(response.exchange), Framing::close_delimited);
    if (exchange_) exchange_->on_bytes(ahead);
}

/// The response has been sent: waits for the next request, if both sides can go on.
void ServerConnection::finish_exchange() {
    const bool again =
        exchange_->keeps_connection() && keep_alive_ && !draining_ && !stream_->ending();
    const auto reason = stream_->ending()  ? EndReason::expired
                        : loop_.stopping() ? EndReason::drained
                                           : EndReason::responded;
    if (!again) return close_gracefully(reason);
    stats_.streamed(stream_->feed());
    release_stream();
    requests_.finish();
    next_request();
}

// ---- sending, and the stream phase ----

void ServerConnection::start_stream(std::unique_ptr<Feed> feed, Framing framing) {
    if (!exchange_) requests_.take_ahead();
    state_ = State::streaming;
    update_watch(); // to see the client close
    const auto& options = loop_.options;
    if (options.unsent_bytes > 0) limit_unsent(transport_.fd(), options.unsent_bytes);
    stream_ = std::make_unique<ResponseStream>(
        std::move(feed), framing,
        ResponseStream::expiry(Clock::now(), options.max_stream_time, loop_.random));
    stats_.stream_opened();
    stream_->feed().attach([this] { // the feed is destroyed before this connection
        const auto self = shared_from_this();
        pump();
        if (exchange_) update_watch(); // it may want more of the body
    });
    pump();
}

/// There may be more to send.
void ServerConnection::pump() {
    if (pumping_ || grouped_ || state_ == State::closed) return;
    if (writing_) {
        cut_if_asked();
        return;
    }
    if (!loop_.sends.collecting() || state_ != State::streaming) return send(true);
    grouped_ = true;
    loop_.sends.add(shared_from_this());
}

std::string_view ServerConnection::gather_for_group(Clock::time_point now, std::string& sealed) {
    if (state_ != State::streaming || stream_->ending()) return {};
    return sender_.prepare(transport_, stream_->feed(), now, sealed);
}

void ServerConnection::sent_by_group(std::string_view gathered, const Transfer& sent) {
    if (state_ == State::closed) return; // by what followed from the sending of another
    grouped_ = false;
    pumping_ = true;
    const auto result = sender_.sent(transport_, stream_->feed(), gathered, sent);
    pumping_ = false;
    follow_up(result);
}

void ServerConnection::leave_group() {
    if (std::exchange(grouped_, false)) pump();
}

/// Closes the connection if its feed wants it to be cut.
bool ServerConnection::cut_if_asked() {
    const auto cut = stream_ ? stream_->feed().cut() : Feed::Cut::no;
    if (cut == Feed::Cut::no) return false;
    const bool overrun = stream_->feed().counts().missed > 0;
    close(overrun ? EndReason::overrun : EndReason::aborted, cut == Feed::Cut::reset);
    return true;
}

/// Sends what there is. `new_data`: the socket has accepted everything before, so that a stall
/// begins now.
void ServerConnection::send(bool new_data) {
    const auto self = shared_from_this(); // close() may drop the last other owner
    const auto now = Clock::now();
    pumping_ = true;
    const auto sent =
        sender_.send(transport_, stream_ && !stream_->ending() ? &stream_->feed() : nullptr, now);
    pumping_ = false;
    const bool blocked = sent.outcome == Sender::Outcome::blocked;
    if ((state_ == State::responding || state_ == State::closing) &&
        (sent.bytes > 0 || (new_data && blocked))) {
        deadline_ = now + loop_.options.stall_timeout;
    }
    follow_up(sent);
}

void ServerConnection::follow_up(const Sender::Result& sent) {
    stats_.sent(sent.bytes);
    switch (sent.outcome) {
    case Sender::Outcome::all_sent: return on_all_sent();
    case Sender::Outcome::blocked: writing_ = true; return update_watch();
    case Sender::Outcome::cut: cut_if_asked(); return;
    case Sender::Outcome::disconnected: return close(EndReason::client_closed);
    case Sender::Outcome::timed_out: return close(EndReason::stalled);
    }
}

/// The socket has accepted everything that there is now.
void ServerConnection::on_all_sent() {
    switch (state_) {
    case State::streaming:
        if (stream_->feed().cut() != Feed::Cut::no) return pump();
        if (!stream_->feed().ended() && !stream_->ending()) {
            return stream_->arm_timer(loop_.context, [self = shared_from_this()] { self->pump(); });
        }
        return end_stream();
    case State::responding:
        if (keep_alive_ && !draining_) return next_request();
        return close_gracefully(stats_.refusal() == Refusal::none ? EndReason::responded
                                                                  : EndReason::refused);
    case State::closing: return finish_sending();
    case State::handshaking:
    case State::reading:
    case State::closed: return;
    }
}

/// Ends the body of the stream; when that has been sent, the connection.
void ServerConnection::end_stream() {
    if (exchange_) return finish_exchange();
    if (const auto last = stream_->end_of_body(); !last.empty()) {
        sender_.add(last);
        return pump();
    }
    close_gracefully(stream_->ending()  ? EndReason::expired
                     : loop_.stopping() ? EndReason::drained
                                        : EndReason::stream_ended);
}

void ServerConnection::tick(Clock::time_point now) {
    if (state_ == State::streaming) return tick_stream(now);
    if (now < deadline_) return;
    if (state_ == State::reading && !requests_.empty())
        return refuse(408, "the request took too long", Refusal::timeout);
    if (state_ == State::handshaking) stats_.refused(Refusal::tls);
    close(state_ == State::responding ? EndReason::stalled : EndReason::idle);
}

void ServerConnection::tick_stream(Clock::time_point now) {
    switch (stream_->timeout(now, transport_, writing_, loop_.options.stall_timeout)) {
    case ResponseStream::Timeout::stalled: return close(EndReason::stalled, true);
    case ResponseStream::Timeout::overdue: return close(EndReason::expired);
    case ResponseStream::Timeout::expired: stream_->set_ending(); return end_stream();
    case ResponseStream::Timeout::none: break;
    }
    // A client that is not read for now, since the body of its request waits for the upstream
    // server.
    const bool paused = !watched_.readable;
    if (exchange_ && paused && transport_.is_broken()) return close(EndReason::client_closed);
    if (exchange_ && exchange_->has_timed_out(now, paused)) return;
    if (!writing_) stream_->feed().tick(now);
}

// ---- the end ----

void ServerConnection::drain() {
    draining_ = true;
    if (state_ == State::handshaking || (state_ == State::reading && requests_.empty()))
        close(EndReason::drained);
}

void ServerConnection::abort() { close(EndReason::aborted); }

void ServerConnection::evict() {
    if (place_.kind() == Waiting::idle) return close(EndReason::idle);
    stats_.refused(Refusal::timeout);
    close(EndReason::refused);
}

void ServerConnection::close_gracefully(EndReason reason) {
    stats_.ended(reason, stream_ ? &stream_->feed() : nullptr);
    state_ = State::closing;
    if (!accepted_to_refuse()) place_.move(*this, Waiting::idle); // it has all it asked for
    release_stream();
    requests_.take_ahead();
    deadline_ = Clock::now() + linger;
    finish_sending();
}

void ServerConnection::finish_sending() {
    writing_ = !transport_.shutdown_send();
    update_watch();
}

void ServerConnection::release_stream() {
    if (!stream_) return;
    stats_.stream_closed();
    if (exchange_) exchange_->detach();
    stream_->cancel_timer();
    // Later, as it may be what called us; and until then it may call us again.
    asio::post(loop_.context, [self = shared_from_this(), exchange = std::move(exchange_),
                               stream = std::move(stream_)]() mutable { stream.reset(); });
}

void ServerConnection::close(EndReason reason, bool reset) {
    if (state_ == State::closed) return;
    stats_.ended(reason, stream_ ? &stream_->feed() : nullptr);
    place_.move(*this, Waiting::none);
    requests_.leave_address();
    state_ = State::closed;
    const auto self = shared_from_this();
    update_watch();
    transport_.close(reset);
    release_stream();
    loop_.remove(*this);
}

} // namespace sse
