// The bytes of one playing on their way to the socket: broken where that was asked for, framed, cut
// into what goes out in one write. Knows no events and no time.
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

    /// Adds a piece of the body: one chunk, unless faults say otherwise.
    void add(std::string_view body);
    /// What goes out next, in one write; "" for nothing.
    std::string_view next() const;
    /// So much of next() has been taken.
    void consume(std::size_t bytes);
    bool empty() const { return out_.empty(); }
    std::size_t waiting() const { return out_.size() - taken_; }
    /// Bytes that were made of all that has been added, and how many of them have been taken.
    std::uint64_t framed() const { return gone_ + out_.size(); }
    std::uint64_t taken() const { return gone_ + taken_; }
    /// All that `cut_after` allows has been added: nothing more will be.
    bool is_cut() const { return faults_.cut_after != 0 && added_ == faults_.cut_after; }

private:
    void frame(std::string_view piece);

    Framing framing_;
    PlaybackFaults faults_;
    SeededRandom random_;
    std::string out_; ///< framed; the first `taken_` bytes have gone
    std::size_t taken_ = 0;
    std::uint64_t gone_ = 0;         ///< bytes that were taken before those of out_
    std::deque<std::size_t> writes_; ///< how much of the rest goes out at once, if it is split
    std::uint64_t added_ = 0;        ///< bytes of the body
};

} // namespace sse
