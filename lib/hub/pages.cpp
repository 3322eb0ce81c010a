#include "hub/pages.hpp"

#include "hub/channel.hpp"

namespace sse {

const History* Pages::find(const ChannelLog& log, std::uint64_t sequence) {
    return held(log, sequence).get();
}

std::shared_ptr<History> Pages::held(const ChannelLog& log, std::uint64_t sequence) {
    auto found = pages_.upper_bound({&log, sequence});
    if (found == pages_.begin()) return nullptr;
    --found;
    if (found->first.first != &log || found->second.events->end() <= sequence) return nullptr;
    uses_.splice(uses_.end(), uses_, found->second.use);
    return found->second.events;
}

void Pages::forget(const ChannelLog& log) {
    auto page = pages_.lower_bound({&log, 0});
    while (page != pages_.end() && page->first.first == &log) {
        bytes_ -= page->second.events->bytes();
        uses_.erase(page->second.use);
        page = pages_.erase(page);
    }
}

void Pages::request(std::shared_ptr<Channel> channel, std::uint64_t sequence) {
    const Key key{channel->log().get(), sequence};
    if (!asked_.insert(key).second) return;
    waiting_.push_back({std::move(channel), sequence});
    read_next();
}

void Pages::read_next() {
    while (reading_ < options_.max_reads && !waiting_.empty()) {
        const auto request = std::move(waiting_.front());
        waiting_.pop_front();
        const auto& log = request.channel->log();
        if (auto events = held(*log, request.sequence)) { // another request has brought it
            request.channel->run_on(
                loop_, [this, request, events = std::move(events)] { answer(request, *events); });
            continue;
        }
        ++reading_;
        log->read(request.sequence, [this, request](const std::shared_ptr<History>& events) {
            request.channel->run_on(loop_, [this, request, events] { arrived(request, events); });
        });
    }
}

void Pages::answer(const Request& request, const History& events) {
    asked_.erase({request.channel->log().get(), request.sequence});
    request.channel->shard(loop_).page_arrived(request.sequence, events);
}

void Pages::arrived(const Request& request, const std::shared_ptr<History>& events) {
    --reading_;
    if (events->begin() < events->end()) keep(request.channel->log(), events);
    answer(request, *events);
    read_next();
}

void Pages::keep(const std::shared_ptr<ChannelLog>& log, const std::shared_ptr<History>& events) {
    const Key key{log.get(), events->begin()};
    const auto [place, added] = pages_.try_emplace(key);
    auto& page = place->second;
    if (added) page.use = uses_.insert(uses_.end(), key);
    else bytes_ -= page.events->bytes();
    bytes_ += events->bytes();
    page.log = log;
    page.events = events;
    while (bytes_ > options_.max_bytes && uses_.size() > 1) {
        const auto oldest = pages_.find(uses_.front());
        bytes_ -= oldest->second.events->bytes();
        pages_.erase(oldest);
        uses_.pop_front();
    }
}

} // namespace sse
