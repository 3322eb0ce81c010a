// Bytes in, lines out: LF or CRLF, or any other byte that ends them, however the bytes are cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace sse {

/// Keeps the unfinished line, at most `max_line_bytes` of it.
class LineSplitter {
public:
    /// `end` is the byte that ends a line. If it is LF, a CR before it belongs to it.
    explicit LineSplitter(std::size_t max_line_bytes, char end = '\n')
        : max_line_bytes_(max_line_bytes)
        , end_(end) {}

    /// Calls `on_line(text)` for each line that ends in `bytes`, without its line end; views die
    /// with the call. A line over the bound calls `on_long_line()` instead, once, at its end.
    template <class OnLine, class OnLongLine>
    void feed(std::string_view bytes, OnLine&& on_line, OnLongLine&& on_long_line) {
        while (!bytes.empty()) {
            const auto* const end =
                static_cast<const char*>(std::memchr(bytes.data(), end_, bytes.size()));
            if (end == nullptr) return keep(bytes);
            const auto piece = bytes.substr(0, static_cast<std::size_t>(end - bytes.data()));
            bytes.remove_prefix(piece.size() + 1);
            ++number_;
            if (rest_.empty() && !too_long_ && piece.size() <= max_line_bytes_) {
                on_line(without_cr(piece));
                continue;
            }
            keep(piece);
            end_kept(on_line, on_long_line);
        }
    }
    /// The input has ended: what is left is a line, too.
    template <class OnLine, class OnLongLine>
    void finish(OnLine&& on_line, OnLongLine&& on_long_line) {
        if (rest_.empty() && !too_long_) return;
        ++number_;
        end_kept(on_line, on_long_line);
    }
    /// Of the line that was handed on last, from 1.
    std::uint64_t number() const { return number_; }

private:
    std::string_view without_cr(std::string_view line) const {
        if (end_ == '\n' && line.ends_with('\r')) line.remove_suffix(1);
        return line;
    }
    void keep(std::string_view piece) {
        if (too_long_ || rest_.size() + piece.size() > max_line_bytes_) {
            too_long_ = true;
            rest_.clear();
        } else {
            rest_.append(piece);
        }
    }
    template <class OnLine, class OnLongLine>
    void end_kept(OnLine&& on_line, OnLongLine&& on_long_line) {
        if (too_long_) on_long_line();
        else on_line(without_cr(rest_));
        too_long_ = false;
        rest_.clear();
    }

    std::size_t max_line_bytes_;
    char end_;
    std::string rest_;
    bool too_long_ = false;
    std::uint64_t number_ = 0;
};

} // namespace sse
