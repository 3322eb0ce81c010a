#include "http/response_parser.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sse {

namespace {

constexpr std::string_view http_version = "HTTP/1.";

/// The status code in a status line. Throws Error (receive).
int status_code(std::string_view line) {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    const bool valid = line.size() >= 12 && line.starts_with(http_version) && digit(line[7]) &&
                       line[8] == ' ' && std::all_of(&line[9], &line[12], digit) &&
                       line[9] >= '1' && line[9] <= '5' && (line.size() == 12 || line[12] == ' ');
    if (!valid) {
        throw Error(Errc::receive, fmt::format("the status line is \"{}\"", printable(line, 80)),
                    Reason::not_http);
    }
    return (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
}

} // namespace

void ResponseParser::feed(std::string_view bytes, Sink& sink) {
    while (!bytes.empty() && state_ != State::done) {
        if (state_ == State::head) read_head(bytes, sink);
        else read_body(bytes, sink);
    }
}

void ResponseParser::read_head(std::string_view& bytes, Sink& sink) {
    auto& [method, max_bytes, kept, searched, interim] = *heads_;
    const auto before = kept.size();
    kept.append(bytes);
    const auto known = std::min(kept.size(), http_version.size());
    if (kept.compare(0, known, http_version, 0, known) != 0) {
        throw Error(Errc::receive,
                    fmt::format("it does not speak HTTP/1; it sent \"{}\"",
                                printable(kept.substr(0, kept.find_first_of("\r\n")), 80)),
                    Reason::not_http);
    }
    const auto end = end_of_head(kept, searched);
    if (interim + std::min(end, kept.size()) > max_bytes) {
        throw Error(Errc::too_large,
                    fmt::format("the response head is larger than {} bytes", max_bytes),
                    Reason::head_too_large);
    }
    if (end == kept.npos) {
        searched = kept.size() - std::min<std::size_t>(kept.size(), 2);
        bytes = {};
        return;
    }
    bytes.remove_prefix(end - before);
    kept.resize(end);
    Head head;
    try {
        head = Head::parse(normalized_head(kept));
    } catch (const Error& e) {
        throw Error(Errc::receive, fmt::format("the response is malformed: {}", e.what()));
    }
    kept.clear();
    searched = 0;
    const int status = status_code(head.start_line());
    if (is_interim(head.start_line())) {
        interim += end;
        return sink.on_interim(head);
    }
    if (status == 101)
        throw Error(Errc::receive, "the server switches to a protocol that was not asked for");
    const auto framing = response_framing(head, method, status);
    framing_ = framing.kind;
    left_ = framing.length;
    state_ = State::body;
    heads_.reset();
    sink.on_head(head, status, framing);
    if (framing_ == BodyFraming::none || (framing_ == BodyFraming::length && left_ == 0))
        complete({}, sink);
}

void ResponseParser::read_body(std::string_view& bytes, Sink& sink) {
    if (framing_ == BodyFraming::close) {
        return sink.on_body_piece(std::exchange(bytes, {}));
    }
    if (framing_ == BodyFraming::chunked) {
        const auto piece = chunks_.next(bytes);
        if (!piece.empty()) sink.on_body_piece(piece);
        if (chunks_.done()) complete(chunks_.trailers(), sink);
        return;
    }
    const auto piece =
        bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
    bytes.remove_prefix(piece.size());
    left_ -= piece.size();
    sink.on_body_piece(piece);
    if (left_ == 0) complete({}, sink);
}

void ResponseParser::complete(std::string_view trailers, Sink& sink) {
    state_ = State::done;
    sink.on_response_end(trailers);
}

void ResponseParser::finish(Sink& sink) {
    if (state_ == State::done) return;
    if (state_ == State::body && framing_ == BodyFraming::close) return complete({}, sink);
    const auto cut = [&]() -> std::string {
        if (state_ == State::head) {
            return heads_->bytes.empty()
                       ? "the server closed the connection without a response"
                       : "the server closed the connection within the response head";
        }
        if (framing_ == BodyFraming::chunked)
            return "the server closed the connection before the last chunk";
        return fmt::format("the server closed the connection {} bytes before the end", left_);
    };
    throw Error(Errc::receive, cut(), Reason::connection_closed);
}

} // namespace sse
