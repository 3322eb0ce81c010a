#include "hub/event_id.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sse {

namespace {

template <typename Number>
void append_number(Number number, std::string& out) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

} // namespace

std::string_view EventIds::next(std::chrono::system_clock::time_point now) {
    const auto since_1970 =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
    const auto ms = std::max<std::int64_t>(since_1970.count(), 0);
    if (ms > ms_) {
        ms_ = ms;
        n_ = 0;
        text_.clear();
        append_number(ms, text_);
        text_.push_back('-');
        prefix_ = text_.size();
    }
    text_.resize(prefix_);
    append_number(n_++, text_);
    return text_;
}

} // namespace sse
