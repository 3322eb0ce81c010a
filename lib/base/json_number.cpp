#include "base/json_number.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fmt/format.h>
#include <iterator>

namespace sse {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_zeros(std::int64_t count, std::string& out) {
    if (count > 0) out.append(static_cast<std::size_t>(count), '0');
}

/// The exponent of `text`, which begins with `e` or is empty; false if it is out of bounds.
bool read_exponent(std::string_view text, std::int64_t& exponent) {
    exponent = 0;
    if (text.empty()) return true;
    text.remove_prefix(1);
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
    if (text.size() > 17) return false;
    std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (negative) exponent = -exponent;
    return true;
}

} // namespace

std::size_t json_number_size(std::string_view text) {
    std::size_t at = 0;
    const auto digits = [&] {
        const auto from = at;
        while (at < text.size() && is_digit(text[at])) ++at;
        return at - from;
    };
    const auto skip = [&](std::string_view any) {
        return at < text.size() && any.find(text[at]) != any.npos && ++at > 0;
    };
    skip("-");
    const bool zero = at < text.size() && text[at] == '0';
    const auto whole = digits();
    if (whole == 0 || (zero && whole > 1)) return 0;
    if (skip(".") && digits() == 0) return 0;
    if (skip("eE")) {
        skip("+-");
        if (digits() == 0) return 0;
    }
    return at;
}

void append_canonical_number(std::string_view number, std::string& out) {
    const bool negative = number.starts_with('-');
    if (negative) number.remove_prefix(1);
    const auto mantissa = number.substr(0, number.find_first_of("eE"));
    const auto whole = mantissa.substr(0, mantissa.find('.'));
    std::string digits(whole); // the value is 0.DIGITS times ten to the power of `point`
    if (whole.size() < mantissa.size()) digits.append(mantissa.substr(whole.size() + 1));
    const auto first = digits.find_first_not_of('0');
    if (first == digits.npos) {
        out.push_back('0');
        return;
    }
    const auto exponent_text = number.substr(mantissa.size());
    if (negative) out.push_back('-');
    std::int64_t point = 0;
    if (!read_exponent(exponent_text, point)) {
        out.append(digits).append(exponent_text);
        return;
    }
    point += static_cast<std::int64_t>(whole.size()) - static_cast<std::int64_t>(first);
    digits.erase(digits.find_last_not_of('0') + 1).erase(0, first);
    const auto size = static_cast<std::int64_t>(digits.size());
    if (point <= -6 || point - size > 21) {
        out.push_back(digits.front());
        if (size > 1) out.append(".").append(digits, 1);
        fmt::format_to(std::back_inserter(out), "e{}", point - 1);
    } else if (point <= 0) {
        out.append("0.");
        append_zeros(-point, out);
        out.append(digits);
    } else if (point >= size) {
        out.append(digits);
        append_zeros(point - size, out);
    } else {
        out.append(digits, 0, static_cast<std::size_t>(point)).push_back('.');
        out.append(digits, static_cast<std::size_t>(point));
    }
}

bool index_json_numbers(std::string_view text, std::string& out,
                        std::vector<std::string_view>& numbers) {
    constexpr std::string_view behind = ",]} \t\r\n"; // what may follow a number
    for (std::size_t at = 0; at < text.size();) {
        const auto begin = text[at];
        if (begin == '"') {
            auto end = at + 1;
            while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
            end = std::min(end + 1, text.size());
            out.append(text.substr(at, end - at));
            at = end;
        } else if (begin == '-' || is_digit(begin)) {
            const auto number = text.substr(at, json_number_size(text.substr(at)));
            at += number.size();
            if (number.empty() || (at < text.size() && behind.find(text[at]) == behind.npos))
                return false;
            fmt::format_to(std::back_inserter(out), "{}", numbers.size());
            numbers.push_back(number);
        } else {
            out.push_back(begin);
            ++at;
        }
    }
    return true;
}

} // namespace sse
