// Finds lines of an event stream that violate the format, with their numbers. Not a parser: it
// produces no events.
#pragma once

#include "check/observation.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace sse::checks {

/// Receives the body as it arrives, in pieces of any size. Stores only the start of the current
/// line.
class FormatScan {
public:
    explicit FormatScan(FormatNotes& notes)
        : notes_(notes) {}

    void feed(std::string_view bytes);
    /// The body has ended.
    void finish();
    /// True if the bytes so far end within a block or a line.
    bool in_block() const { return in_block_ || line_bytes_ > 0; }
    std::uint64_t comments() const { return comments_; }

private:
    /// Bytes stored of a line: enough for all rules. Longer lines are not checked for UTF-8.
    static constexpr std::size_t kept_bytes = 1024;
    /// An event larger than this is noted.
    static constexpr std::size_t large_event = 1024 * 1024;

    void end_line();
    void end_block();
    void note(std::vector<BadLine>& list) const;

    FormatNotes& notes_;
    std::string line_;
    BadLine type_line_; ///< the `event` line of this block; number 0: none
    std::size_t line_bytes_ = 0, number_ = 1, block_bytes_ = 0;
    std::uint64_t comments_ = 0;
    bool skip_lf_ = false, in_block_ = false, has_data_ = false;
};

} // namespace sse::checks
