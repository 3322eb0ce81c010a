#include "playback/id_index.hpp"

#include "base/trimmed.hpp"

namespace sse {

void IdIndex::add(std::string_view id, const PlaybackPosition& position) {
    const std::lock_guard lock(mutex_);
    const auto [at, is_new] = positions_.insert_or_assign(std::string(trimmed(id)), position);
    if (!is_new) return;
    order_.push_back(&at->first);
    if (order_.size() <= max_ids) return;
    positions_.erase(positions_.find(*order_.front()));
    order_.pop_front();
}

std::optional<PlaybackPosition> IdIndex::find(std::string_view id) const {
    const std::lock_guard lock(mutex_);
    const auto at = positions_.find(std::string(id));
    return at == positions_.end() ? std::nullopt : std::optional(at->second);
}

} // namespace sse
