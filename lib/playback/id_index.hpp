// Where ids that have been played lately are in their recording, so that a client that comes back
// is sent on at once, however large the recording is. Not all ids: what is older has to be looked
// for.
#pragma once

#include "playback/id_search.hpp"

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sse {

/// Any thread.
class IdIndex {
public:
    /// Ids that it keeps: what a thousand clients have on their way, and a few MiB.
    static constexpr std::size_t max_ids = 65'536;

    void add(std::string_view id, const PlaybackPosition& position);
    std::optional<PlaybackPosition> find(std::string_view id) const;

private:
    mutable std::mutex mutex_; ///< guards what follows
    std::unordered_map<std::string, PlaybackPosition> positions_;
    std::deque<const std::string*> order_; ///< keys of positions_, the oldest first
};

} // namespace sse
