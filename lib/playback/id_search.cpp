#include "playback/id_search.hpp"

#include "base/trimmed.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace sse {

namespace {

/// Compares two IDs as std::string::compare() does, but runs of digits as numbers: `9` is before
/// `10`, and `1700000000000-2` before `1700000000000-10`.
int compare_ids(std::string_view a, std::string_view b) {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto number = [&](std::string_view& text) {
        while (text.size() > 1 && text[0] == '0' && digit(text[1])) text.remove_prefix(1);
        const auto end = std::find_if_not(text.begin(), text.end(), digit);
        const auto run = text.substr(0, static_cast<std::size_t>(end - text.begin()));
        text.remove_prefix(run.size());
        return run;
    };
    while (!a.empty() && !b.empty()) {
        if (digit(a[0]) && digit(b[0])) {
            const auto x = number(a), y = number(b);
            if (x.size() != y.size()) return x.size() < y.size() ? -1 : 1;
            if (const int order = x.compare(y)) return order;
            continue;
        }
        if (a[0] != b[0]) return a[0] < b[0] ? -1 : 1;
        a.remove_prefix(1);
        b.remove_prefix(1);
    }
    return static_cast<int>(a.size() > 0) - static_cast<int>(b.size() > 0);
}

/// The ID as a client sends it back.
std::optional<std::string_view> trimmed_id_of(const Record& record) {
    const auto id = id_of(record);
    return id ? std::optional(trimmed(*id)) : std::nullopt;
}

} // namespace

std::optional<std::string_view> id_of(const Record& record) {
    if (const auto* event = std::get_if<EventView>(&record.what)) return event->id;
    if (const auto* only_id = std::get_if<RecordedId>(&record.what)) return only_id->id;
    return std::nullopt;
}

std::optional<LappedId> parse_lapped_id(std::string_view id, std::uint64_t laps) {
    const auto at = id.rfind('@');
    if (laps == 1 || at == id.npos) return std::nullopt;
    const auto digits = id.substr(at + 1);
    std::uint64_t lap = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), lap);
    if (error != std::errc() || end != digits.data() + digits.size() || lap < 2)
        return std::nullopt;
    if (laps != 0 && lap > laps) return std::nullopt;
    return LappedId{std::string(trimmed(id.substr(0, at))), lap};
}

IdSearch::IdSearch(const std::string& path, std::string_view id, std::uint64_t laps,
                   const RecordingReaderOptions& options)
    : reader_(open_recording(path, options))
    , id_(trimmed(id))
    , later_(parse_lapped_id(id, laps)) {
    const auto& input = reader_->input();
    if (!input.random_access() || input.size().value_or(0) < large) return;
    if (later_) in_order_.push_back(*later_);
    in_order_.push_back({id_, 1});
}

/// Moves the reader to a place before `id` by binary search. False if the IDs are not in order.
bool IdSearch::seek_by_halves(const std::string& id) {
    std::optional<std::string> least, most; // of the IDs seen on either side
    bool order = true;
    reader_->seek_before([&](const Record& record) -> std::optional<bool> {
        const auto own = trimmed_id_of(record);
        if (!own || own->empty()) return std::nullopt;
        if ((least && compare_ids(*own, *least) < 0) || (most && compare_ids(*own, *most) > 0))
            order = false;
        const bool reached = compare_ids(*own, id) >= 0;
        (reached ? most : least) = std::string(*own);
        return reached;
    });
    return order;
}

IdSearch::Result IdSearch::read_in_order(const LappedId& wanted, TimeBudget& budget) {
    for (;;) {
        const auto* record = reader_->next(budget);
        if (reader_->paused()) return Result::not_yet;
        const auto own = record == nullptr ? std::nullopt : trimmed_id_of(*record);
        if (record != nullptr && (!own || own->empty())) continue;
        if (own && *own == wanted.id) found_ = {reader_->place(), wanted.lap};
        else if (!own || compare_ids(*own, wanted.id) > 0)
            return found_ ? Result::found : Result::not_there;
    }
}

bool IdSearch::step(std::chrono::steady_clock::time_point until) {
    TimeBudget budget(until);
    while (!in_order_.empty()) {
        if (!std::exchange(at_candidate_, true) && !seek_by_halves(in_order_.front().id)) {
            in_order_.clear();
            break;
        }
        const auto result = read_in_order(in_order_.front(), budget);
        if (result == Result::found) return true;
        if (result == Result::not_yet) return false;
        in_order_.pop_front();
        at_candidate_ = false;
    }
    if (!std::exchange(reading_all_, true)) {
        if (at_candidate_ || reader_->place().offset != 0) reader_->rewind();
        reader_->only_with_id(later_ ? later_->id : id_); // a part of the other
    }
    for (;;) {
        const auto* record = reader_->next(budget);
        if (reader_->paused()) return false;
        if (record == nullptr) return true;
        const auto id = trimmed_id_of(*record);
        if (id && later_ && *id == later_->id) found_ = {reader_->place(), later_->lap};
        else if (id && *id == id_ && (!found_ || found_->lap == 1)) found_ = {reader_->place(), 1};
    }
}

} // namespace sse
