#include "playback/wire.hpp"

#include <algorithm>

namespace sse {

namespace {

/// Bytes that have been taken and are still kept, at least, before what follows is moved.
constexpr std::size_t most_taken = 64 * 1024;

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
    const auto rest = std::string_view(out_).substr(taken_);
    return writes_.empty() ? rest : rest.substr(0, writes_.front());
}

void PlaybackWire::consume(std::size_t bytes) {
    taken_ += bytes;
    if (!writes_.empty() && (writes_.front() -= bytes) == 0) writes_.pop_front();
    // A client that is never done with all of it must not make us keep what it has had.
    if (taken_ < out_.size() && taken_ < std::max(most_taken, out_.size() / 2)) return;
    gone_ += taken_;
    out_.erase(0, taken_);
    taken_ = 0;
}

} // namespace sse
