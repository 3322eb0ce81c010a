#include "server/server_counts.hpp"

#include <algorithm>

namespace sse {

void ServerCounts::add(const LoopCounts& loop) {
    const auto streams_closed = loop.streams_closed.get(); // before those that were opened
    const auto loop_streams_opened = loop.streams_opened.get();
    streams_opened += loop_streams_opened;
    streams += loop_streams_opened - streams_closed;
    connects += loop.opened.get();
    requests += loop.requests.get();
    bytes += loop.bytes.get();
    stalls += loop.stalls.get();
    const auto opened = loop.opened.get();
    loop_clients.push_back(opened - std::min(opened, loop.closed.get()));
    for (std::size_t i = 0; i < refusals.size(); ++i) refusals[i] += loop.refusals[i].get();
    for (std::size_t i = 0; i < ends.size(); ++i) ends[i] += loop.ends[i].get();
}

} // namespace sse
