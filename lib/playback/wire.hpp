// The body of one playback as bytes for a socket: applies faults to the bytes, frames them, and
// splits them into writes. Knows no events and no time.
#pragma once

#include "base/random.hpp"
#include "playback/faults.hpp"
#include "protocol/chunked.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace sse {

class PlaybackWire {
public:
    PlaybackWire(Framing framing, const PlaybackFaults& faults);

    /// Appends a piece of the body, as one chunk unless it is split.
    void add(std::string_view body);
    /// The bytes of the next write; empty if there are none.
    std::string_view next() const;
    /// The first `bytes` of next() have been written.
    void consume(std::size_t bytes);
    bool empty() const { return out_.empty(); }
    std::size_t waiting() const { return out_.size() - written_; }
    /// Number of framed bytes so far, and how many of them have been written.
    std::uint64_t framed() const { return removed_ + out_.size(); }
    std::uint64_t written() const { return removed_ + written_; }
    /// The limit of `cut_after` is reached; nothing more is accepted.
    bool is_cut() const { return faults_.cut_after != 0 && added_ == faults_.cut_after; }

private:
    void frame(std::string_view piece);

    Framing framing_;
    PlaybackFaults faults_;
    SeededRandom random_;
    std::string out_; ///< framed; the first `written_` bytes have been written
    std::size_t written_ = 0;
    std::uint64_t removed_ = 0;      ///< bytes written and removed from out_
    std::deque<std::size_t> writes_; ///< sizes of the next writes, if the body is split
    std::uint64_t added_ = 0;        ///< bytes of the body so far
};

} // namespace sse
