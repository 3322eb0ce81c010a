#include "client/client_response.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"
#include "base/take_part.hpp"
#include "base/trimmed.hpp"
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

/// The position behind the empty line that ends a head; npos if it has not arrived. Lines may end
/// in LF alone (RFC 9112, 2.2), as those of small servers and scripts do.
std::size_t end_of_head(std::string_view bytes, std::size_t from) {
    for (auto at = bytes.find('\n', from); at != bytes.npos; at = bytes.find('\n', at + 1)) {
        const auto rest = bytes.substr(at + 1);
        if (rest.starts_with('\n')) return at + 2;
        if (rest.starts_with("\r\n")) return at + 3;
    }
    return bytes.npos;
}

/// `head` with lines that end in CRLF, and with folded lines joined by a space (RFC 9112, 5.2).
/// White space behind the status line is no fold, and stays for Head to refuse.
std::string normalized(std::string_view head) {
    std::string out;
    std::size_t lines = 0;
    while (!head.empty()) {
        const auto line = take_line(head);
        const bool folded = lines > 1 && (line.starts_with(' ') || line.starts_with('\t'));
        if (folded) {
            out.resize(out.size() - 2);
            out.append(" ").append(trimmed(line));
        } else {
            out.append(line);
        }
        out.append("\r\n");
        ++lines;
    }
    return out;
}

/// 100, 102 and 103 announce a response; 101 is one.
bool is_interim(std::string_view status_line) {
    return status_line.starts_with("HTTP/1.") && status_line.size() > 11 && status_line[9] == '1' &&
           status_line.substr(9, 3) != "101";
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

/// True for chunked, false for a body that ends with the connection (RFC 9112, 6.3). `identity`,
/// which RFC 2616 had, and other names that are no coding change nothing.
bool read_transfer_encoding(const Head& head) {
    auto members = head.members("Transfer-Encoding");
    const auto chunked = std::count_if(members.begin(), members.end(),
                                       [](auto member) { return same_name(member, "chunked"); });
    if (chunked > 1)
        broken("the response has Transfer-Encoding chunked twice", Reason::chunked_twice);
    for (const auto member : members) {
        if (is_registered_coding(member)) {
            broken(fmt::format("the response's Transfer-Encoding is \"{}\"", printable(member, 40)),
                   Reason::bad_framing);
        }
    }
    return chunked == 1;
}

/// RFC 9112, 6.3: equal values may be repeated, as fields or in a list.
std::uint64_t read_length(const Head& head) {
    const auto members = head.members("Content-Length");
    const auto length = members.empty() ? std::string_view() : members.front();
    if (std::any_of(members.begin(), members.end(), [&](auto other) { return other != length; }))
        broken("the response has two Content-Length values that differ", Reason::bad_framing);
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (length.empty() || length.size() > 18 || !std::all_of(length.begin(), length.end(), digit)) {
        broken(fmt::format("the response's Content-Length is \"{}\"", printable(length, 40)),
               Reason::bad_framing);
    }
    std::uint64_t value = 0;
    for (const char c : length) value = value * 10 + static_cast<unsigned>(c - '0');
    return value;
}

} // namespace

ClientResponse::ClientResponse(std::unique_ptr<ClientConnection> connection,
                               ClientResponseOptions options)
    : connection_(std::move(connection))
    , options_(options)
    , buffer_(options.read_bytes) {}

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
        head_bytes_ = normalized(std::string_view(bytes).substr(0, end));
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
    const bool tunnel = method == "CONNECT" && status_ / 100 == 2; // RFC 9112, 6.3
    if (tunnel || method == "HEAD" || status_ == 204 || status_ == 304 || status_ < 200) {
        framing_ = Framing::none;
        end_ = BodyEnd::complete;
    } else if (head_.count("Transfer-Encoding") > 0) {
        framing_ = read_transfer_encoding(head_) ? Framing::chunked : Framing::close;
    } else if (head_.count("Content-Length") > 0) {
        framing_ = Framing::length;
        left_ = read_length(head_);
        if (left_ == 0) end_ = BodyEnd::complete;
    } else {
        framing_ = Framing::close;
    }
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
            if (framing_ == Framing::close) {
                end_ = BodyEnd::closed;
                break;
            }
            broken(framing_ == Framing::chunked
                       ? "the server closed the connection before the last chunk"
                       : fmt::format("the server closed the connection {} bytes before the end",
                                     left_));
        }
        if (framing_ == Framing::close) return std::exchange(input_, {});
        if (framing_ == Framing::length) {
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
