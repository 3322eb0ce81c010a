// One source's publishers: of the channel that it is for, and of those that its events name.
#pragma once

#include "hub/channels.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// One thread, as Publisher.
class Publishers {
public:
    /// `main` is the name of the channel that events without one are for.
    Publishers(Channels& channels, const std::string& main);

    /// Makes current() the publisher of the channel named `name`, a path whose leading slash may be
    /// missing; "" and its own name are the main one. Throws Error (bad_input) if there is no room
    /// for that channel; current() is then the main one.
    void select(std::string_view name);
    Publisher& current() { return *current_; }
    /// The source pauses: publishes everything. Named channels are let go, so that they can be
    /// forgotten when they are idle; current() is the main one again.
    void flush();

private:
    Channels& channels_;
    const std::string main_name_;
    std::shared_ptr<Channel> main_channel_;
    Publisher main_;
    Publisher* current_;
    std::map<std::string, Publisher, std::less<>> named_;
    std::vector<std::shared_ptr<Channel>> held_; ///< those of named_
};

} // namespace sse
