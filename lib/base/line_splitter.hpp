// Bytes in, lines out, however the bytes are cut. Pushed: no descriptor. The parser of event
// streams and the reader of recordings split for themselves: one needs no copies, the other
// offsets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace sse {

/// Keeps the unfinished line, at most `max_line_bytes` of it. One thread.
class LineSplitter {
public:
    /// `end` is the byte that ends a line. If it is LF, a CR before it belongs to it. With
    /// `split_cr` a CR by itself ends a line, too, at once and unless the line is empty.
    explicit LineSplitter(std::size_t max_line_bytes, char end = '\n', bool split_cr = false)
        : max_line_bytes_(max_line_bytes)
        , end_(end)
        , split_cr_(split_cr) {}

    /// Calls `on_line(text)` for each line that ends in `bytes`, without its line end; views are
    /// valid during the call. A line over the bound is dropped: `on_long_line()` is called once
    /// instead, as soon as the line outgrows the bound. Both may throw; the line is then consumed,
    /// and the rest of `bytes` is not.
    template <class OnLine, class OnLongLine>
    void feed(std::string_view bytes, OnLine&& on_line, OnLongLine&& on_long_line) {
        if (split_cr_) return feed_split_cr(bytes, on_line, on_long_line);
        while (!bytes.empty()) {
            const auto* const end =
                static_cast<const char*>(std::memchr(bytes.data(), end_, bytes.size()));
            if (end == nullptr) return keep(bytes, on_long_line);
            const auto piece = bytes.substr(0, static_cast<std::size_t>(end - bytes.data()));
            bytes.remove_prefix(piece.size() + 1);
            if (rest_.empty() && !too_long_ && piece.size() <= max_line_bytes_) {
                ++number_;
                on_line(without_cr(piece));
                continue;
            }
            keep(piece, on_long_line);
            end_kept(on_line);
        }
    }
    /// The input has ended: an unfinished line counts as a line.
    template <class OnLine>
    void finish(OnLine&& on_line) {
        if (!rest_.empty()) end_kept(on_line);
        too_long_ = false;
    }
    /// The number of the line that a callback was called for last, from 1.
    std::uint64_t number() const { return number_; }

private:
    std::string_view without_cr(std::string_view line) const {
        if (end_ == '\n' && line.ends_with('\r')) line.remove_suffix(1);
        return line;
    }
    template <class OnLine, class OnLongLine>
    void feed_split_cr(std::string_view bytes, OnLine& on_line, OnLongLine& on_long_line) {
        while (!bytes.empty()) {
            const bool is_rest_of_crlf = after_cr_ && bytes.front() == '\n';
            after_cr_ = false;
            if (is_rest_of_crlf) {
                bytes.remove_prefix(1);
                continue;
            }
            const auto end = bytes.find_first_of("\r\n");
            keep(bytes.substr(0, end), on_long_line);
            if (end == bytes.npos) return;
            const bool is_cr = bytes[end] == '\r';
            bytes.remove_prefix(end + 1);
            if (is_cr && rest_.empty() && !too_long_) continue;
            after_cr_ = is_cr;
            end_kept(on_line);
        }
    }
    template <class OnLongLine>
    void keep(std::string_view piece, OnLongLine& on_long_line) {
        if (too_long_) return;
        if (rest_.size() + piece.size() <= max_line_bytes_) {
            rest_.append(piece);
            return;
        }
        too_long_ = true;
        rest_.clear();
        ++number_;
        on_long_line();
    }
    template <class OnLine>
    void end_kept(OnLine& on_line) {
        if (too_long_) {
            too_long_ = false;
            return;
        }
        ++number_;
        whole_.swap(rest_);
        rest_.clear();
        on_line(without_cr(whole_));
    }

    std::size_t max_line_bytes_;
    char end_;
    bool split_cr_;
    bool after_cr_ = false; ///< a CR has ended the last line: an LF now belongs to it
    std::string rest_;      ///< the unfinished line
    std::string whole_;     ///< the last line that was put together from several pieces
    bool too_long_ = false; ///< the unfinished line is over the bound, and dropped
    std::uint64_t number_ = 0;
};

} // namespace sse
