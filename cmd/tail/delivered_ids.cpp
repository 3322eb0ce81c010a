#include "cmd/tail/delivered_ids.hpp"

#include <algorithm>
#include <utility>

namespace cmd {

std::string DeliveredIds::last_event_id(const std::string& url) const {
    const std::lock_guard lock(mutex_);
    return file_.last_event_id(url);
}

std::size_t DeliveredIds::add_stream(std::string url) {
    const std::lock_guard lock(mutex_);
    urls_.push_back(std::move(url));
    return urls_.size() - 1;
}

void DeliveredIds::add(std::size_t stream, std::string_view id, std::uint64_t bytes,
                       std::uint64_t commands) {
    const std::lock_guard lock(mutex_);
    if (!pending_.empty()) { // an event without output of its own
        auto& last = pending_.back();
        if (last.stream == stream && last.bytes == bytes && last.commands == commands) {
            last.id.assign(id);
            return;
        }
    }
    pending_.push_back({stream, std::string(id), bytes, commands});
}

void DeliveredIds::save() {
    while (!pending_.empty()) {
        const auto& first = pending_.front();
        if (first.bytes > written_ || first.commands > ended_) break;
        file_.set(urls_[first.stream], first.id);
        pending_.pop_front();
    }
    file_.save();
}

void DeliveredIds::on_written(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    written_ = std::max(written_, bytes);
    if (failure_) std::rethrow_exception(failure_);
    save();
}

void DeliveredIds::on_ended(std::uint64_t commands) noexcept {
    const std::lock_guard lock(mutex_);
    ended_ = std::max(ended_, commands);
    if (failure_) return;
    try {
        save();
    } catch (...) {
        failure_ = std::current_exception();
        on_failure_();
    }
}

} // namespace cmd
