#include "http/response_framing.hpp"

#include "base/content_coding.hpp"
#include "base/error.hpp"
#include "base/printable.hpp"
#include "base/take_part.hpp"
#include "base/trimmed.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sse {

namespace {

[[noreturn]] void refuse_framing(const std::string& why, Reason reason) {
    throw Error(Errc::receive, why, reason);
}

/// True for chunked, false for a body that ends with the connection. `identity`, which RFC 2616
/// had, and other names that are no coding change nothing.
bool is_chunked(const Head& head) {
    auto members = head.members("Transfer-Encoding");
    const auto chunked = std::count_if(members.begin(), members.end(),
                                       [](auto member) { return same_name(member, "chunked"); });
    if (chunked > 1)
        refuse_framing("the response has Transfer-Encoding chunked twice", Reason::chunked_twice);
    for (const auto member : members) {
        if (is_registered_coding(member)) {
            refuse_framing(
                fmt::format("the response's Transfer-Encoding is \"{}\"", printable(member, 40)),
                Reason::bad_framing);
        }
    }
    return chunked == 1;
}

/// Equal values may be repeated, as fields or in a list.
std::uint64_t content_length(const Head& head) {
    const auto members = head.members("Content-Length");
    const auto length = members.empty() ? std::string_view() : members.front();
    if (std::any_of(members.begin(), members.end(), [&](auto other) { return other != length; })) {
        refuse_framing("the response has two Content-Length values that differ",
                       Reason::bad_framing);
    }
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (length.empty() || length.size() > 18 || !std::all_of(length.begin(), length.end(), digit)) {
        refuse_framing(
            fmt::format("the response's Content-Length is \"{}\"", printable(length, 40)),
            Reason::bad_framing);
    }
    std::uint64_t value = 0;
    for (const char c : length) value = value * 10 + static_cast<unsigned>(c - '0');
    return value;
}

} // namespace

std::size_t end_of_head(std::string_view bytes, std::size_t from) {
    for (auto at = bytes.find('\n', from); at != bytes.npos; at = bytes.find('\n', at + 1)) {
        const auto rest = bytes.substr(at + 1);
        if (rest.starts_with('\n')) return at + 2;
        if (rest.starts_with("\r\n")) return at + 3;
    }
    return bytes.npos;
}

std::string normalized_head(std::string_view head) {
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

bool is_interim(std::string_view status_line) {
    return status_line.starts_with("HTTP/1.") && status_line.size() > 11 && status_line[9] == '1' &&
           status_line.substr(9, 3) != "101";
}

ResponseFraming response_framing(const Head& head, std::string_view method, int status) {
    const bool tunnel = method == "CONNECT" && status / 100 == 2;
    if (tunnel || method == "HEAD" || status == 204 || status == 304 || status < 200) return {};
    if (head.count("Transfer-Encoding") > 0)
        return {is_chunked(head) ? BodyFraming::chunked : BodyFraming::close};
    if (head.count("Content-Length") > 0) return {BodyFraming::length, content_length(head)};
    return {BodyFraming::close};
}

} // namespace sse
