// What a server has done so far, for those who run it: the same questions to one that publishes and
// to one that plays.
#pragma once

#include "hub/channel_counts.hpp"

#include <string>
#include <utility>
#include <vector>

namespace sse {

/// Any thread.
class Activity {
public:
    virtual ~Activity() = default;
    /// Of all there is, and of all there has been.
    virtual ChannelCounts counts() const = 0;
    /// Of each channel there is now, in the order of their names.
    virtual std::vector<std::pair<std::string, ChannelCounts>> each() const { return {}; }
    /// Where it is, for the status line; "" if that can not be said.
    virtual std::string position() const { return {}; }
};

} // namespace sse
