#include "load/event_ledger.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sse {

namespace {

std::size_t window_for(const LedgerOptions& options) {
    const auto bytes = std::max<std::size_t>(1, options.subscribers / 8);
    return std::clamp(options.window_bytes / bytes, options.least_window, options.most_window);
}

std::uint64_t count_between(const std::vector<EventPlace>& places, EventPlace first,
                            EventPlace last) {
    const auto from = std::lower_bound(places.begin(), places.end(), first);
    return static_cast<std::uint64_t>(std::upper_bound(from, places.end(), last) - from);
}

} // namespace

EventLedger::EventLedger(const LedgerOptions& options,
                         std::function<void(const LedgerEvent&)> on_done)
    : options_(options)
    , on_done_(std::move(on_done))
    , window_(window_for(options))
    , words_(options.subscribers / 64 + 1) {}

/// The place of a new event that a subscriber received after the event at `place`. If another event
/// already follows `place` in a course, the new one is placed between the two, close to `place`, so
/// that more of them fit after it.
EventPlace EventLedger::place_after(EventPlace place) {
    if (place == 0 || place >= furthest_) return ++appended_ * spacing;
    auto next = (place / spacing + 1) * spacing;
    if (const auto other = inserted_.upper_bound(place); other != inserted_.end())
        next = std::min(next, *other);
    const auto step = std::max<EventPlace>(1, (next - place) / 65'536);
    const auto between = std::min(place + step, next - 1);
    inserted_.insert(between);
    return between;
}

/// A subscriber received an event, which only one other had, after a later one. If that event's
/// place was only a guess (the other did not have what is behind it, either), it is moved: after
/// what this subscriber received before it.
void EventLedger::settle(LedgerEvent& event, EventPlace previous) {
    const bool guessed = event.place % spacing != 0;
    if (!guessed || event.receivers != 1 || event.place > previous || moved_.size() == window_)
        return;
    const auto old = event.place;
    inserted_.erase(old);
    event.place = place_after(previous);
    moved_[old] = event.place;
}

/// Where the event is that had this place in a course.
EventPlace EventLedger::now_at(EventPlace place) const {
    if (moved_.empty()) return place;
    const auto found = moved_.find(place);
    return found == moved_.end() ? place : found->second;
}

std::size_t EventLedger::add(std::uint64_t key, EventPlace place, EventPlace after) {
    const auto slot = static_cast<std::size_t>(created_ % window_);
    ++created_;
    if (slot == events_.size()) {
        events_.emplace_back();
        has_.emplace_back(words_);
    } else {
        forget(slot);
        std::fill(has_[slot].begin(), has_[slot].end(), 0);
    }
    if (place != 0) record_.is_numbered = true, others_.push_back(place);
    else place = place_after(after);
    events_[slot] = {.key = key, .place = place};
    slots_[key] = static_cast<std::uint32_t>(slot);
    return slot;
}

void EventLedger::forget(std::size_t slot) {
    const auto& event = events_[slot];
    const auto found = slots_.find(event.key);
    if (found != slots_.end() && found->second == slot) slots_.erase(found);
    if (last_slot_ == slot) has_last_ = false;
    counts_.disordered += std::min(event.late, event.receivers - event.late);
    if (!event.has_id && options_.subscribers > 1 && event.receivers == 1) {
        alone_.push_back(event.place);
        alone_received_ += !event.is_greeting;
    }
    if (options_.keep_record) record_.events.push_back(event);
    on_done_(event);
}

EventLedger::Received EventLedger::receive(std::uint32_t subscriber, Course& course,
                                           std::uint64_t key, EventPlace place, bool has_id) {
    bool is_new = false;
    if (!has_last_ || key != last_key_) {
        const auto found = slots_.find(key);
        is_new = found == slots_.end();
        last_slot_ = is_new ? add(key, place, now_at(course.previous)) : found->second;
        last_key_ = key;
        has_last_ = true;
    }
    auto& event = events_[last_slot_];
    if (is_new) event.has_id = has_id;
    auto& word = has_[last_slot_][subscriber / 64];
    const auto bit = std::uint64_t{1} << (subscriber % 64);
    auto receipt = Receipt::first;
    if ((word & bit) != 0) {
        if (event.place > course.earlier) {
            ++counts_.duplicates;
            return {last_slot_, Receipt::duplicate, false};
        }
        ++counts_.repeated;
        receipt = Receipt::repeated;
    } else {
        word |= bit;
        if (place == 0) settle(event, now_at(course.previous));
        ++event.receivers;
        // If most receivers have it late, its first receiver had it out of order; see forget().
        if (event.place < now_at(course.last)) ++event.late;
    }
    if (!std::exchange(course.begun, true) && is_new && !has_id) {
        event.is_greeting = true;
        return {last_slot_, receipt, true};
    }
    if (course.first == 0) {
        course.first = event.place;
        if (course.earlier != 0 && course.earlier + 1 < course.first)
            record_.gaps.push_back({course.earlier + 1, course.first - 1});
    }
    course.first = std::min(now_at(course.first), event.place);
    course.last = std::max(now_at(course.last), event.place);
    course.previous = event.place;
    furthest_ = std::max(furthest_, event.place);
    ++course.distinct;
    return {last_slot_, receipt, is_new};
}

void EventLedger::end_course(Course& course) {
    if (course.first != 0) {
        record_.parts.push_back({now_at(course.first), now_at(course.last)});
        record_.distinct += course.distinct;
    }
    const auto furthest = std::max(now_at(course.last), course.earlier);
    course = {};
    course.earlier = furthest;
}

std::uint64_t EventLedger::events_between(EventPlace first, EventPlace last) const {
    if (first > last) return 0;
    const auto end = std::min(last, appended_ * spacing);
    const auto in_order = end < first ? 0 : end / spacing - (first - 1) / spacing;
    return in_order + count_between(others_, first, last) - count_between(alone_, first, last);
}

LedgerCounts EventLedger::finish() {
    for (std::size_t slot = 0; slot < events_.size(); ++slot) forget(slot);
    slots_.clear();
    std::sort(alone_.begin(), alone_.end());
    others_.insert(others_.end(), inserted_.begin(), inserted_.end());
    std::sort(others_.begin(), others_.end());
    // An event that arrived again after it had been forgotten is there twice.
    others_.erase(std::unique(others_.begin(), others_.end()), others_.end());
    std::uint64_t owed = 0;
    for (const auto& part : record_.parts) owed += events_between(part.first, part.last);
    const auto received = record_.distinct - alone_received_;
    counts_.lost = owed > received ? owed - received : 0;
    for (const auto& gap : record_.gaps) counts_.missed += events_between(gap.first, gap.last);
    counts_.events = created_;
    counts_.alone = alone_.size();
    record_.duplicates = counts_.duplicates;
    record_.repeated = counts_.repeated;
    return counts_;
}

} // namespace sse
