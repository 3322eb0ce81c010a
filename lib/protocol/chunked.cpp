#include "protocol/chunked.hpp"

#include "base/ascii.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

[[noreturn]] void broken(const char* what) {
    throw Error(Errc::receive, fmt::format("chunked body: {}", what));
}

bool is_forbidden(char c) { return is_control(c) && c != '\t'; }

} // namespace

void append_chunk(std::string_view bytes, std::string& out) {
    if (bytes.empty()) return;
    std::array<char, 2 * sizeof(std::size_t)> size{};
    const auto end = std::to_chars(size.data(), size.data() + size.size(), bytes.size(), 16).ptr;
    out.append(size.data(), end).append("\r\n").append(bytes).append("\r\n");
}

std::string_view ChunkedDecoder::next(std::string_view& input) {
    while (!input.empty() && state_ != State::done) {
        if (state_ == State::data) {
            const auto piece = input.substr(
                0, static_cast<std::size_t>(std::min<std::uint64_t>(size_, input.size())));
            input.remove_prefix(piece.size());
            size_ -= piece.size();
            if (size_ == 0) state_ = State::data_cr;
            return piece;
        }
        const char c = input.front();
        input.remove_prefix(1);
        switch (state_) {
        case State::size: parse_size_digit(c); break;
        case State::extension:
            if (++line_ > max_line_bytes) broken("a chunk extension is too long");
            if (c == '\n') broken("a chunk size line ends in a bare LF");
            if (c == '\r') state_ = State::size_lf;
            else if (is_forbidden(c)) broken("a chunk extension contains a control character");
            break;
        case State::size_end: // RFC 9112, 7.1.1: spaces may only precede an extension or the end
            if (++line_ > max_line_bytes) broken("a chunk extension is too long");
            if (c == '\r') state_ = State::size_lf;
            else if (c == ';') state_ = State::extension;
            else if (c != ' ' && c != '\t') broken("a chunk size is not a hexadecimal number");
            break;
        case State::size_lf:
            if (c != '\n') broken("a chunk size line contains a bare CR");
            end_size_line();
            break;
        case State::data_cr:
            if (c != '\r') broken("a chunk is longer than its size");
            state_ = State::data_lf;
            break;
        case State::data_lf:
            if (c != '\n') broken("a chunk does not end in CRLF");
            state_ = State::size;
            break;
        case State::trailer: parse_trailer(c); break;
        case State::data:
        case State::done: break;
        }
    }
    return {};
}

void ChunkedDecoder::parse_size_digit(char c) {
    if (const int digit = hex_value(c); digit >= 0) {
        if (++digits_ > 15) broken("a chunk size has too many digits"); // 2^60 and more
        size_ = size_ * 16 + static_cast<unsigned>(digit);
        return;
    }
    if (digits_ == 0) broken("a chunk size is not a hexadecimal number");
    if (c == '\r') state_ = State::size_lf;
    else if (c == ';') state_ = State::extension;
    else if (c == ' ' || c == '\t') state_ = State::size_end;
    else broken("a chunk size is not a hexadecimal number");
}

void ChunkedDecoder::end_size_line() {
    state_ = size_ > 0 ? State::data : State::trailer;
    digits_ = 0;
    line_ = 0;
}

void ChunkedDecoder::parse_trailer(char c) {
    if (++trailer_ > max_trailer_bytes) broken("the trailers are too long");
    if (keep_trailers_) trailers_.push_back(c);
    if (std::exchange(trailer_cr_, c == '\r')) {
        if (c != '\n') broken("a trailer contains a bare CR");
        if (trailer_line_empty_) {
            state_ = State::done;
            if (keep_trailers_) trailers_.resize(trailers_.size() - 2); // the empty line
        }
        trailer_line_empty_ = true;
    } else if (c == '\n') {
        broken("a trailer ends in a bare LF");
    } else if (c != '\r') {
        if (is_forbidden(c)) broken("a trailer contains a control character");
        trailer_line_empty_ = false;
    }
}

} // namespace sse
