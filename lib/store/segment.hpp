// One segment of a store in memory: its head, its size, and the index of its events. Values only.
#pragma once

#include "store/segment_index.hpp"

#include <cstdint>

namespace sse {

/// Owned by Segments, which guards it.
struct Segment {
    std::uint64_t number = 0;
    std::uint32_t seed = 0;
    std::uint64_t created = 0; ///< ms since 1970
    std::uint64_t size = 0;    ///< bytes of whole records, with the head
    bool indexed = false;      ///< has an index file
    SegmentIndex index;
    explicit Segment(std::uint32_t for_seed)
        : seed(for_seed)
        , index(for_seed) {}
};

} // namespace sse
