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
        if (keeps_) found->second.keep_until_flush();
        held_.push_back(std::move(channel));
    }
    current_ = &found->second;
}

void Publishers::keep_until_flush() {
    keeps_ = true;
    main_.keep_until_flush();
}

void Publishers::flush(const std::string& source, const std::string& place) {
    Publisher* last = &main_;
    for (auto& [name, publisher] : named_) {
        if (!publisher.empty()) last = &publisher;
    }
    if (last != &main_) main_.flush();
    for (auto& [name, publisher] : named_) {
        if (&publisher != last) publisher.flush();
    }
    last->flush(source, place);
    current_ = &main_;
    named_.clear();
    held_.clear();
}

} // namespace sse
