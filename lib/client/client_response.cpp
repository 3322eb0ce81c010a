#include "client/client_response.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"
#include "client/httplib_client.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

[[noreturn]] void broken(const std::string& why, Reason reason = Reason::unspecified) {
    throw Error(Errc::receive, why, reason);
}

bool is_success(std::string_view status_line) {
    return status_line.starts_with("HTTP/1.") && status_line.size() > 11 && status_line[9] == '2';
}

/// True if `bytes`, of which there are nine, begin with the SETTINGS or GOAWAY frame that a server
/// of HTTP/2 sends first (RFC 9113, 3.4 and 4.1).
bool is_http2_frame(std::string_view bytes) {
    const bool known_type = bytes[3] == 4 || bytes[3] == 7;
    return bytes[0] == 0 && known_type && bytes.substr(5, 4) == std::string_view("\0\0\0\0", 4);
}

} // namespace

ClientResponse::ClientResponse(std::unique_ptr<ClientConnection> connection,
                               ClientResponseOptions options)
    : connection_(std::move(connection))
    , options_(options)
    , buffer_(options.read_bytes) {
    if (options.arrival_times) connection_->use_arrival_times();
}

ClientResponse::~ClientResponse() = default;

void ClientResponse::send(const ClientRequest& request, const Trace& trace,
                          std::optional<Clock::time_point> limit) {
    auto bytes = head_of(request);
    if (trace.sent) trace.sent(std::string_view(bytes).substr(0, bytes.size() - 2));
    if (request.body) bytes += *request.body;
    write(bytes, trace, limit);
    while (!answered_) read_head(trace, limit);
    const auto status_line = std::string_view(head_bytes_).substr(0, head_bytes_.find("\r\n"));
    status_ = httplib_status(status_line);
    if (status_ == 0) {
        broken(fmt::format("{} does not speak HTTP/1; it sent \"{}\"", request.url.endpoint(),
                           printable(status_line, 80)),
               Reason::not_http);
    }
    try {
        head_ = Head::parse(head_bytes_);
    } catch (const Error& e) {
        broken(
            fmt::format("the response of {} is malformed: {}", request.url.endpoint(), e.what()));
    }
    frame_body(request.method);
    find_coding();
}

void ClientResponse::find_coding() {
    std::vector<std::string_view> codings;
    const auto append = [](std::string_view name, std::string& list) {
        if (!list.empty()) list += ", ";
        list += name;
    };
    for (const auto name : head_.members("Content-Encoding")) {
        if (is_registered_coding(name)) codings.push_back(name);
        else if (!same_name(name, "identity")) append(name, ignored_coding_);
    }
    if (options_.compressed && codings.size() == 1)
        decoder_ = ContentDecoder::make(codings.front());
    for (const auto name : codings) {
        if (!decoder_) append(name, coding_);
    }
}

std::unique_ptr<ClientConnection> ClientResponse::release_tunnel() {
    if (!input_.empty()) broken("the proxy sent more than its response to CONNECT");
    return std::move(connection_);
}

void ClientResponse::write(std::string_view request, const Trace& trace,
                           std::optional<Clock::time_point> limit) {
    while (true) {
        switch (connection_->write(request, options_.send_timeout, !answered_)) {
        case ClientConnection::Written::all: sent_ = true; return;
        case ClientConnection::Written::closed: return;
        case ClientConnection::Written::late:
            throw Error(Errc::timeout,
                        "the server has accepted nothing of the request for too long");
        case ClientConnection::Written::readable: break;
        }
        const auto got = read_some();
        if (!got) continue;
        if (*got == 0) return;
        while (!answered_ && !input_.empty()) read_head(trace, limit);
        if (answered_ && !is_success(head_bytes_)) return; // the rest is not wanted
    }
}

void ClientResponse::read_head(const Trace& trace, std::optional<Clock::time_point> limit) {
    std::string bytes;
    std::size_t searched = 0;
    while (true) {
        bytes.append(input_);
        input_ = {};
        const auto end = end_of_head(bytes, searched);
        if (end == bytes.npos && interim_bytes_ + bytes.size() <= options_.max_head_bytes) {
            searched = bytes.size() - std::min<std::size_t>(bytes.size(), 2);
            if (bytes.starts_with('\0') && bytes.size() < 9 && fill({}, limit)) continue;
            if (bytes.size() >= 9 && is_http2_frame(bytes))
                broken("the server speaks only HTTP/2", Reason::http2_only);
            // Not HTTP at all: a greeting, TLS, HTTP/0.9. There is no head whose end would come.
            const auto known = std::min<std::size_t>(bytes.size(), 5);
            if (bytes.compare(0, known, "HTTP/", known) != 0) {
                head_bytes_ = bytes.substr(0, bytes.find_first_of("\r\n")) + "\r\n";
                answered_ = true;
                return;
            }
            if (fill({}, limit)) continue;
            broken(bytes.empty() ? "the server closed the connection without a response"
                                 : "the server closed the connection within the response head",
                   Reason::connection_closed);
        }
        if (interim_bytes_ + std::min(end, bytes.size()) > options_.max_head_bytes) {
            throw Error(
                Errc::too_large,
                fmt::format("the response head is larger than {} bytes", options_.max_head_bytes),
                Reason::head_too_large);
        }
        head_bytes_ = normalized_head(std::string_view(bytes).substr(0, end));
        if (trace.received) trace.received(head_bytes_);
        // Bytes behind the head go back to the front of the buffer.
        const auto rest = bytes.size() - end;
        std::memcpy(buffer_.data(), bytes.data() + end, rest);
        input_ = {buffer_.data(), rest};
        answered_ = !is_interim(head_bytes_);
        if (!answered_) interim_bytes_ += end;
        return;
    }
}

void ClientResponse::frame_body(const std::string& method) {
    const auto framing = response_framing(head_, method, status_);
    framing_ = framing.kind;
    left_ = framing.length;
    if (framing_ == BodyFraming::none || (framing_ == BodyFraming::length && left_ == 0))
        end_ = BodyEnd::complete;
}

std::string ClientResponse::status_text() const {
    const auto& line = head_.start_line();
    return printable(line.size() > 9 ? std::string_view(line).substr(9) : std::string_view(line),
                     80);
}

std::optional<std::size_t> ClientResponse::read_some() {
    const auto got = connection_->try_read(buffer_.data(), buffer_.size());
    if (got) {
        input_ = {buffer_.data(), *got};
        if (first_byte_ == Clock::time_point()) first_byte_ = Clock::now();
    }
    return got;
}

bool ClientResponse::fill(const std::function<void()>& before_wait,
                          std::optional<Clock::time_point> limit) {
    while (true) {
        if (const auto got = read_some()) return *got > 0;
        if (before_wait) before_wait();
        auto until = limit;
        if (options_.read_timeout) {
            const auto silent = Clock::now() + *options_.read_timeout;
            until = limit ? std::min(*limit, silent) : silent;
        }
        if (connection_->wait_readable(until)) continue;
        throw Error(Errc::timeout, "the server has sent nothing for too long");
    }
}

std::optional<std::string_view> ClientResponse::read(const std::function<void()>& before_wait,
                                                     std::optional<Clock::time_point> limit) {
    while (decoder_) {
        const auto piece = decoder_->next(encoded_);
        if (!piece.empty()) {
            connection_->check_interrupt(); // a few bytes may decode to very many
            return piece;
        }
        const auto more = read_framed(before_wait, limit);
        if (!more) {
            decoder_->finish();
            return std::nullopt;
        }
        encoded_ = *more;
    }
    return read_framed(before_wait, limit);
}

std::optional<std::string_view>
ClientResponse::read_framed(const std::function<void()>& before_wait,
                            std::optional<Clock::time_point> limit) {
    while (end_ == BodyEnd::open) {
        if (input_.empty() && !fill(before_wait, limit)) {
            if (framing_ == BodyFraming::close) {
                end_ = BodyEnd::closed;
                break;
            }
            broken(framing_ == BodyFraming::chunked
                       ? "the server closed the connection before the last chunk"
                       : fmt::format("the server closed the connection {} bytes before the end",
                                     left_));
        }
        if (framing_ == BodyFraming::close) return std::exchange(input_, {});
        if (framing_ == BodyFraming::length) {
            const auto piece = input_.substr(
                0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input_.size())));
            input_.remove_prefix(piece.size());
            left_ -= piece.size();
            if (left_ == 0) end_ = BodyEnd::complete;
            return piece;
        }
        const auto piece = chunked_.next(input_);
        if (!piece.empty()) return piece;
        if (chunked_.done()) end_ = BodyEnd::complete;
    }
    return std::nullopt;
}

std::unique_ptr<ClientConnection> ClientResponse::keep_connection() {
    const bool kept = sent_ && end_ == BodyEnd::complete && input_.empty() &&
                      head_.start_line().starts_with("HTTP/1.1") &&
                      !head_.has_token("Connection", "close");
    return kept ? std::move(connection_) : nullptr;
}

std::string ClientResponse::read_start(std::size_t size, Clock::time_point limit) {
    std::string out;
    try {
        while (out.size() < size) {
            const auto piece = read({}, limit);
            if (!piece) break;
            out.append(*piece, 0, size - out.size());
        }
    } catch (const Error&) { // show what arrived before it
    }
    return out;
}

} // namespace sse
