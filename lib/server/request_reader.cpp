#include "server/request_reader.hpp"

#include "base/error.hpp"
#include "base/percent.hpp"
#include "http/authority.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

constexpr std::size_t max_empty_lines = 2; // before a request

} // namespace

void RequestReader::refuse(int status, std::string why) {
    state_ = State::refused;
    refusal_ = {status, std::move(why)};
}

RequestReader::State RequestReader::feed(std::string_view& input) {
    if (state_ == State::head) read_head(input);
    else if (state_ == State::body) read_body(input);
    return state_;
}

void RequestReader::read_head(std::string_view& input) {
    if (bytes_.empty() && !skip_empty_lines(input)) return;
    const auto room = limits_.max_head_bytes - bytes_.size();
    const auto piece = input.substr(0, room);
    const auto before = bytes_.size();
    bytes_.append(piece);
    searched_ = searched_ > 3 ? searched_ - 3 : 0; // the end may be cut
    const auto end = bytes_.find("\r\n\r\n", searched_);
    if (end == bytes_.npos) {
        input.remove_prefix(piece.size());
        for (auto lf = bytes_.find('\n', searched_); lf != bytes_.npos;
             lf = bytes_.find('\n', lf + 1)) {
            if (lf == 0 || bytes_[lf - 1] != '\r') return refuse(400, "a line ends in a bare LF");
        }
        searched_ = bytes_.size();
        if (bytes_.size() < limits_.max_head_bytes) return;
        if (bytes_.find('\n') == bytes_.npos) return refuse(414, "the request line is too long");
        return refuse(431, fmt::format("the head is longer than {} bytes", limits_.max_head_bytes));
    }
    bytes_.resize(end + 4);
    input.remove_prefix(bytes_.size() - before);
    try {
        request_.head = Head::parse(bytes_);
    } catch (const Error& e) {
        return refuse(400, e.what());
    }
    std::string().swap(bytes_);
    on_head();
}

/// RFC 9112, 2.2: an empty line before the request is read over, but not any number of them. True
/// once the request has begun.
bool RequestReader::skip_empty_lines(std::string_view& input) {
    for (; !input.empty(); input.remove_prefix(1)) {
        const char due = (before_ % 2) == 0 ? '\r' : '\n';
        if (input.front() == due && before_ < 2 * max_empty_lines) {
            ++before_;
            continue;
        }
        if (due == '\r' && is_token_char(input.front())) return true;
        refuse(400, "not an HTTP request");
        return false;
    }
    return false;
}

void RequestReader::on_head() {
    state_ = State::body;
    read_request_line(request_.head.start_line());
    if (state_ == State::body) read_framing();
}

void RequestReader::read_request_line(std::string_view line) {
    const auto first = line.find(' '), last = line.rfind(' ');
    if (first == line.npos || first == last || line.find(' ', first + 1) != last) {
        return refuse(400, "the request line is not METHOD TARGET VERSION");
    }
    const auto method = line.substr(0, first), version = line.substr(last + 1);
    auto target = line.substr(first + 1, last - first - 1);
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        if (version.starts_with("HTTP/"))
            return refuse(505, "only HTTP/1.1 and HTTP/1.0 are supported");
        return refuse(400, "the request line is not METHOD TARGET VERSION");
    }
    if (!is_token(method)) return refuse(400, "the method is not a token");
    const bool v11 = version == "HTTP/1.1";
    request_.method = method;
    request_.target = target;
    request_.framing = v11 ? Framing::chunked : Framing::close_delimited;
    keep_alive_ = v11 && !request_.head.has_token("Connection", "close");
    if (request_.head.count("Host") > 1) return refuse(400, "more than one Host field");
    if (v11 && request_.head.count("Host") == 0) return refuse(400, "no Host");

    // RFC 9112, 3.2.2. A proxy may have taken the TLS off, so either scheme is ours.
    const std::size_t scheme = same_name(target.substr(0, 7), "http://")    ? 7
                               : same_name(target.substr(0, 8), "https://") ? 8
                                                                            : 0;
    const bool absolute = scheme > 0;
    if (absolute) {
        const auto end_of_host = target.find_first_of("/?#", scheme);
        if (!Authority::parse(target.substr(scheme, end_of_host - scheme)))
            return refuse(400, "the host of the target is invalid");
        target = end_of_host == target.npos ? "" : target.substr(end_of_host);
    }
    target = target.substr(0, target.find('#'));
    const auto mark = target.find('?');
    request_.query = mark == target.npos ? std::string_view{} : target.substr(mark + 1);
    request_.path = percent_decoded(target.substr(0, mark));
    if (absolute && request_.path.empty()) request_.path = "/";
    if (!request_.path.starts_with('/') && !(target == "*" && method == "OPTIONS"))
        return refuse(400, "the target is not a path");
}

void RequestReader::read_framing() {
    const auto& head = request_.head;
    const auto coding = head.find("Transfer-Encoding");
    const auto length = head.find("Content-Length");
    if (coding) {
        // RFC 9112, 6.1 and 6.3: with both, or twice, somebody on the way may have read it
        // otherwise.
        if (length) return refuse(400, "both Transfer-Encoding and Content-Length fields");
        if (head.count("Transfer-Encoding") > 1)
            return refuse(400, "more than one Transfer-Encoding field");
        if (request_.framing == Framing::close_delimited)
            return refuse(400, "Transfer-Encoding in HTTP/1.0");
        if (!same_name(*coding, "chunked"))
            return refuse(501, "a transfer coding other than chunked");
        chunked_ = true;
        chunks_.keep_trailers();
    } else if (length) {
        if (head.count("Content-Length") > 1)
            return refuse(400, "more than one Content-Length field");
        const auto [end, error] =
            std::from_chars(length->data(), length->data() + length->size(), body_left_);
        if (length->empty() || end != length->data() + length->size() ||
            error == std::errc::invalid_argument) {
            return refuse(400, "Content-Length is not a number");
        }
        if (error != std::errc() || body_left_ > limits_.max_body_bytes) {
            return refuse(413,
                          fmt::format("the body is longer than {} bytes", limits_.max_body_bytes));
        }
    }
    continue_ = (chunked_ || body_left_ > 0) && head.has_token("Expect", "100-continue");
    if (!chunked_ && body_left_ == 0) state_ = State::done;
}

bool RequestReader::wants_continue() {
    return state_ == State::body && request_.body.empty() && std::exchange(continue_, false);
}

std::string_view RequestReader::next_body_piece(std::string_view& input) {
    std::string_view piece;
    if (chunked_) {
        piece = chunks_.next(input);
        if (chunks_.trailers().size() > limits_.max_head_bytes) {
            throw Error(Errc::too_large, fmt::format("the trailers are longer than {} bytes",
                                                     limits_.max_head_bytes));
        }
        if (chunks_.done()) {
            state_ = State::done;
            request_.trailers = chunks_.trailers();
        }
    } else {
        piece = input.substr(
            0, static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size())));
        input.remove_prefix(piece.size());
        body_left_ -= piece.size();
        if (body_left_ == 0) state_ = State::done;
    }
    body_bytes_ += piece.size();
    if (body_bytes_ > limits_.max_body_bytes) {
        throw Error(Errc::too_large,
                    fmt::format("the body is longer than {} bytes", limits_.max_body_bytes));
    }
    return piece;
}

void RequestReader::read_body(std::string_view& input) {
    try {
        while (!input.empty() && state_ == State::body)
            request_.body.append(next_body_piece(input));
    } catch (const Error& e) {
        refuse(e.code() == Errc::too_large ? 413 : 400, e.what());
    }
}

} // namespace sse
