// Positions of recently played event IDs in a recording, so that a client that reconnects resumes
// without a search. Bounded: an older ID has to be found by IdSearch.
#pragma once

#include "base/keyed_hash.hpp"
#include "playback/id_search.hpp"

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sse {

/// Safe to use from any thread.
class IdIndex {
public:
    /// Maximum number of IDs: enough for the events in transit to a thousand clients, in a few MiB.
    static constexpr std::size_t max_ids = 65'536;

    /// Stores the position of `id`; removes the oldest ID if the index is full.
    void add(std::string_view id, const PlaybackPosition& position);
    std::optional<PlaybackPosition> find(std::string_view id) const;

private:
    mutable std::mutex mutex_; ///< guards the members below
    std::unordered_map<std::string, PlaybackPosition, KeyedHash> positions_;
    std::deque<const std::string*> order_; ///< keys of positions_, oldest first
};

} // namespace sse
