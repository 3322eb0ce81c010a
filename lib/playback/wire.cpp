#include "playback/wire.hpp"

#include <algorithm>

namespace sse {

namespace {

/// Written bytes are removed from the buffer once there are this many.
constexpr std::size_t max_written_kept = 64 * 1024;

} // namespace

PlaybackWire::PlaybackWire(Framing framing, const PlaybackFaults& faults)
    : framing_(framing)
    , faults_(faults)
    , random_(faults.seed) {}

void PlaybackWire::add(std::string_view body) {
    if (faults_.cut_after != 0) body = body.substr(0, faults_.cut_after - added_);
    added_ += body.size();
    std::string corrupted;
    if (faults_.corrupt > 0) {
        corrupted = body;
        for (char& c : corrupted) {
            if (random_.chance(faults_.corrupt)) c = static_cast<char>(c ^ (1 << random_.below(8)));
        }
        body = corrupted;
    }
    if (faults_.split == 0) return frame(body);
    for (; !body.empty(); body.remove_prefix(std::min(faults_.split, body.size()))) {
        const auto before = out_.size();
        frame(body.substr(0, faults_.split));
        writes_.push_back(out_.size() - before);
    }
}

void PlaybackWire::frame(std::string_view piece) {
    if (framing_ == Framing::chunked) append_chunk(piece, out_);
    else out_.append(piece);
}

std::string_view PlaybackWire::next() const {
    const auto rest = std::string_view(out_).substr(written_);
    return writes_.empty() ? rest : rest.substr(0, writes_.front());
}

void PlaybackWire::consume(std::size_t bytes) {
    written_ += bytes;
    if (!writes_.empty() && (writes_.front() -= bytes) == 0) writes_.pop_front();
    // A client that never empties the buffer must not make it grow without bound.
    if (written_ < out_.size() && written_ < std::max(max_written_kept, out_.size() / 2)) return;
    removed_ += written_;
    out_.erase(0, written_);
    written_ = 0;
}

} // namespace sse
