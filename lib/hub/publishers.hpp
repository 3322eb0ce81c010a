// The publishers of one input: one for its main channel, and one for each channel its events name.
#pragma once

#include "hub/channels.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// Used on one thread, as Publisher.
class Publishers {
public:
    /// `main` names the channel of events that name none.
    Publishers(Channels& channels, const std::string& main);

    /// Makes current() the publisher of channel `name`: a path, the leading slash optional; "" is
    /// the main channel. Throws Error (bad_input) if the channel cannot be created; current() is
    /// then the publisher of the main channel.
    void select(std::string_view name);
    Publisher& current() { return *current_; }
    /// Publishes everything that was added; call it when the input pauses. Releases the named
    /// channels, so that they can be removed when idle, and selects the main channel. `place` of
    /// `source` (see Draft) is stored with the events that are published last.
    void flush(const std::string& source = {}, const std::string& place = {});
    /// See Publisher.
    void keep_until_flush();

private:
    Channels& channels_;
    const std::string main_name_;
    std::shared_ptr<Channel> main_channel_;
    Publisher main_;
    Publisher* current_;
    bool keeps_ = false;
    std::map<std::string, Publisher, std::less<>> named_;
    std::vector<std::shared_ptr<Channel>> held_; ///< keeps the channels of named_ alive
};

} // namespace sse
