// Opens the segments of a store at its start, and repairs the damage of a crash: an incomplete
// record at the end, files of a process that was killed, a missing index. Segments writes to them
// later.
#pragma once

#include "base/descriptor.hpp"
#include "store/segment.hpp"
#include "store/store_options.hpp"
#include "store/stored_channel.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sse {

/// The contents of a store at its start.
struct RecoveredSegments {
    Descriptor lock; ///< no other process uses the store while this is open
    std::deque<std::unique_ptr<Segment>> segments; ///< by number
    /// The file of the newest of them, to be appended to; nullptr: another one must be begun.
    std::shared_ptr<StoreFile> active;
    std::map<std::string, StoredChannel, std::less<>> channels;
    std::map<std::string, std::string, std::less<>> places; ///< of sources
    std::vector<StoredKey> recent_keys;                     ///< in the order of their records
    std::vector<std::string> notes; ///< the repairs that were made, for people: one line each
    std::uint64_t damaged = 0;      ///< places that will be skipped
};

/// Opens the store in the directory of `files`, and creates it if there is none. Removes an
/// incomplete record at the end; other damage is skipped when it is read. Throws std::system_error,
/// and Error: io if another process uses the store, bad_input for an unknown version of the format.
/// One thread.
RecoveredSegments recover_segments(StoreFiles& files, const StoreOptions& options);

} // namespace sse
