#include "hub/publishers.hpp"

#include "base/error.hpp"

#include <fmt/format.h>
#include <utility>

namespace sse {

Publishers::Publishers(Channels& channels, const std::string& main)
    : channels_(channels)
    , main_name_(main)
    , main_channel_(channels.open(main))
    , main_(*main_channel_)
    , current_(&main_) {}

void Publishers::select(std::string_view name) {
    current_ = &main_;
    if (name.empty()) return;
    const auto path = name.starts_with('/') ? std::string(name) : "/" + std::string(name);
    if (path == main_name_) return; // a second publisher would not keep the order of events
    auto found = named_.find(path);
    if (found == named_.end()) {
        auto channel = channels_.open(path);
        if (!channel) throw Error(Errc::bad_input, fmt::format("no room for channel {}", path));
        found = named_.try_emplace(path, *channel).first;
        held_.push_back(std::move(channel));
    }
    current_ = &found->second;
}

void Publishers::flush() {
    main_.flush();
    for (auto& [name, publisher] : named_) publisher.flush();
    current_ = &main_;
    named_.clear();
    held_.clear();
}

} // namespace sse
