#include "proxy/proxy_exchange.hpp"

#include "base/mask.hpp"
#include "base/printable.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

/// Written bytes are removed from the buffer once there are this many.
constexpr std::size_t max_sent_kept = 64 * 1024;
/// Pieces of a body whose memory is kept from one read to the next.
constexpr std::size_t max_pieces_kept = 32;

RequestFraming framing_of(const Request& request, bool whole) {
    const bool chunked = request.head.count("Transfer-Encoding") > 0;
    const auto length = request.head.find("Content-Length");
    if (whole && request.trailers.empty() && (chunked || length))
        return {false, request.body.size()};
    if (chunked) return {true, std::nullopt};
    if (!length) return {};
    std::uint64_t bytes = 0; // the reader of the request has checked it
    std::from_chars(length->data(), length->data() + length->size(), bytes);
    return {false, bytes};
}

const char* reason_phrase(int status) {
    switch (status) {
    case 400: return "Bad Request";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 504: return "Gateway Timeout";
    default: return "Bad Gateway";
    }
}

} // namespace

ProxyExchange::ProxyExchange(UpstreamLoop& loop, const RecordingProxyOptions& options,
                             RecordingStore& store, const ProxyReports& reports,
                             const Request& request, bool whole)
    : options_(options)
    , reports_(reports)
    , request_(request)
    , whole_(whole)
    , request_framing_(framing_of(request, whole))
    , upstream_(std::make_shared<UpstreamConnection>(
          loop, static_cast<UpstreamConnection::Owner&>(*this)))
    , parser_(request.method, options.max_head_bytes) {
    auto url = options.upstream.url;
    auto target = origin_target(request_, options.hide_token);
    url.target = forwarded_target(request_, options.upstream.url, options.hide_token);
    recorder_ =
        std::make_unique<ExchangeRecorder>(store, request_, std::move(url), std::move(target));
    form_.http_1_0 = request.framing == Framing::close_delimited;
}

ProxyExchange::~ProxyExchange() {
    upstream_->close();
    if (!ended_ && !broken_) end_recording("client", "the client ended the connection");
}

/// `POST /v1/messages`, for messages.
std::string ProxyExchange::label() const {
    return printable(
        fmt::format("{} {}", request_.method, mask_url(origin_target(request_, false))), 200);
}

/// Calls `action` with the recorder. If it fails, the exchange continues without a recording.
template <class Action>
void ProxyExchange::record(Action action) {
    if (!recorder_) return;
    try {
        action(*recorder_);
    } catch (const Error& e) {
        recorder_.reset();
        reports_.unrecorded();
        reports_.warning(fmt::format("{} is not recorded further: {}", label(), e.what()));
    }
}

/// Records that the exchange was cut now, as in RecordedClose.
void ProxyExchange::end_recording(std::string_view how, std::string_view why) {
    if (recorder_) recorder_->arrive();
    record([&](auto& it) { it.close(how, why); });
}

void ProxyExchange::wake() {
    if (wake_ && !starting_) wake_();
}

// ---- the request ----

void ProxyExchange::attach(std::function<void()> wake) {
    wake_ = std::move(wake);
    upstream_->send(forwarded_request_head(request_, options_.upstream.url, request_framing_,
                                           options_.hide_token, !whole_));
    upstream_->start();
    if (whole_ && !ended_) {
        on_body(request_.body);
        std::string().swap(request_.body);
        on_body_end(request_.trailers);
    }
    starting_ = false;
}

void ProxyExchange::on_body(std::string_view bytes) {
    if (ended_ || broken_) return;
    record([&](auto& it) {
        if (!it.add_body(bytes))
            reports_.warning(fmt::format("the request body of {} is too large to be recorded; the "
                                         "recording will match any body",
                                         label()));
    });
    if (!request_framing_.chunked) return upstream_->send(bytes);
    std::string chunk;
    append_chunk(bytes, chunk);
    upstream_->send(chunk);
}

void ProxyExchange::on_body_end(std::string_view trailers) {
    if (std::exchange(body_complete_, true)) return; // a whole body has ended in attach()
    if (ended_ || broken_) return;
    if (request_framing_.chunked) upstream_->send(chunked_end(trailers));
    record([](auto& it) { it.end_body(); });
}

void ProxyExchange::on_body_error(int status, const std::string& why) {
    if (ended_ || broken_) return;
    upstream_->close(); // it must not take the part for the whole
    if (!parser_.has_head()) {
        respond(status, why + "\n");
    } else {
        broken_ = true;
        end_recording("client", why);
    }
    wake();
}

bool ProxyExchange::wants_body() const {
    return ended_ || broken_ || upstream_->unsent() < options_.max_unsent_bytes;
}

void ProxyExchange::on_sent() { wake(); }

// ---- the response ----

void ProxyExchange::on_bytes(std::string_view bytes) {
    if (recorder_) recorder_->arrive();
    try {
        parser_.feed(bytes, *this);
    } catch (const Error& e) {
        record_arrived();
        return fail(e, false);
    }
    if (ended_) return end_response();
    if (waiting() >= options_.max_waiting_bytes) {
        upstream_paused_ = true;
        upstream_->set_reading(false);
    }
    wake(); // may end the stream, but this object is destroyed later
    record_arrived();
}

/// Records what on_bytes() was given: the views are of its bytes.
void ProxyExchange::record_arrived() {
    for (const auto piece : arrived_) record([&](auto& it) { it.bytes(piece); });
    if (arrived_.capacity() > max_pieces_kept) std::vector<std::string_view>().swap(arrived_);
    else arrived_.clear();
}

/// Sends and records what is left, and then sends the bytes that were held back.
void ProxyExchange::end_response() {
    if (waiting() > 0) wake();
    record_arrived();
    const bool recorded = recorder_ != nullptr;
    record([](auto& it) { it.close("eof"); });
    if (recorded && recorder_) reports_.recorded();
    held_ = 0;
    wake();
}

void ProxyExchange::on_pause() {
    record([](auto& it) { it.flush(); });
}

void ProxyExchange::on_end() {
    try {
        parser_.finish(*this);
    } catch (const Error& e) {
        return fail(e, false);
    }
    if (recorder_) recorder_->arrive();
    end_response();
}

void ProxyExchange::on_failure(const Error& error, bool reset) { fail(error, reset); }

void ProxyExchange::on_interim(const Head& head) {
    // After the whole body, the server's 100 would answer an Expect that was not passed on.
    const bool known = whole_ && head.start_line().find(" 100") == 8;
    if (!form_.http_1_0 && !known) out_.append(forwarded_interim_head(head));
}

void ProxyExchange::on_head(const Head& head, int status, const ResponseFraming& framing) {
    status_ = status;
    const bool endless = framing.kind == BodyFraming::chunked || framing.kind == BodyFraming::close;
    form_.chunked = endless && !form_.http_1_0;
    // An early response: the rest of the request may never come.
    form_.keep_alive =
        body_complete_ && !form_.http_1_0 && !request_.head.has_token("Connection", "close");
    out_.append(forwarded_response_head(head, framing, form_, policy_));
    record([&](auto& it) { it.open(status, head); });
}

void ProxyExchange::on_body_piece(std::string_view bytes) {
    if (form_.chunked) append_chunk(bytes, out_);
    else out_.append(bytes);
    if (recorder_) arrived_.push_back(bytes);
}

void ProxyExchange::on_response_end(std::string_view trailers) {
    if (form_.chunked) {
        const auto end = chunked_end(trailers);
        out_.append(end);
        held_ = end.size();
    } else if (waiting() > 0) {
        held_ = arrived_.empty() ? waiting() : 1; // a head alone is not cut
    }
    ended_ = true;
    upstream_->close();
}

/// The upstream server has failed: the client learns why if no response has begun, and is cut in
/// the same way if one has.
void ProxyExchange::fail(const Error& error, bool reset) {
    if (ended_ || broken_) return;
    upstream_->close();
    reports_.failed();
    reports_.warning(fmt::format("{}: {}", label(), error.what()));
    // A server that closed without a response did that to the client.
    const bool cut = parser_.has_head() || reset || error.reason() == Reason::connection_closed;
    if (cut) {
        broken_ = true;
        reset_ = reset;
        end_recording(reset ? "reset" : "error", error.what());
    } else {
        respond(error.code() == Errc::timeout ? 504 : 502,
                fmt::format("sse record: {}\n", error.what()));
    }
    wake();
}

/// Ends the exchange with a response of the proxy itself, which is not recorded.
void ProxyExchange::respond(int status, const std::string& text) {
    recorder_.reset();
    status_ = status;
    ended_ = true;
    form_ = {false, false, form_.http_1_0};
    out_.append(fmt::format("HTTP/1.1 {} {}\r\nContent-Type: text/plain; charset=utf-8\r\n"
                            "Content-Length: {}\r\nCache-Control: no-store\r\n",
                            status, reason_phrase(status), text.size()));
    for (const auto& [name, value] : policy_) out_.append(fmt::format("{}: {}\r\n", name, value));
    out_.append("Connection: close\r\n\r\n");
    if (request_.method != "HEAD") out_.append(text);
}

// ---- to the client ----

std::size_t ProxyExchange::gather(Clock::time_point, std::span<std::string_view> out) {
    if (out.empty() || waiting() == 0) return 0;
    out[0] = std::string_view(out_).substr(written_, waiting());
    return 1;
}

void ProxyExchange::consume(std::size_t bytes) {
    written_ += bytes;
    if (written_ == out_.size()) {
        out_.clear();
        written_ = 0;
    } else if (written_ >= std::max(max_sent_kept, out_.size() / 2)) {
        out_.erase(0, written_);
        written_ = 0;
    }
    if (upstream_paused_ && !ended_ && !broken_ && waiting() < options_.max_waiting_bytes) {
        upstream_paused_ = false;
        upstream_->set_reading(true);
    }
}

Feed::Cut ProxyExchange::cut() const {
    if (!broken_ || waiting() > 0) return Cut::no;
    return reset_ ? Cut::reset : Cut::close;
}

Feed::StreamCounts ProxyExchange::counts() const {
    StreamCounts counts;
    counts.status = status_;
    return counts;
}

} // namespace sse
