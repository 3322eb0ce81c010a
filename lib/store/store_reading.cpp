#include "store/store_reading.hpp"

#include <limits>
#include <system_error>

namespace sse {

namespace {

HistoryOptions unbounded() {
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    return {most, most};
}

} // namespace

bool StoreReading::each_record_of(const SegmentSlice& slice, const StoredChannel& channel,
                                  std::string& buffer, const Use& use) {
    try {
        const auto file = segments_.open(slice.segment);
        if (!file) return true; // it expired
        SegmentScanner scanner(*file, buffer, slice.seed, slice.begin, slice.end);
        bool wants_more = true;
        while (wants_more) {
            const auto record = scanner.next(channel.name);
            if (!record) break;
            wants_more = use(*record);
        }
        segments_.count_damage(scanner.damaged());
        return wants_more;
    } catch (const std::system_error&) { // the disk failed: as if it were damaged
        segments_.count_damage(1);
        return true;
    }
}

void StoreReading::each_record(const StoredChannel& channel, std::optional<SegmentSlice> slice,
                               const Use& use) {
    std::string buffer;
    while (slice && each_record_of(*slice, channel, buffer, use))
        slice = segments_.slice_after(channel, *slice);
}

std::shared_ptr<History> StoreReading::page(const StoredChannel& channel, std::uint64_t from) {
    auto page = std::make_shared<History>(unbounded(), from);
    bool empty = true;
    each_record(channel, segments_.slice_at(channel, from), [&](const RecordView& record) {
        if (empty || record.head.first != page->end()) {
            if (page->end() > from)
                return false; // events are missing here, which is reported later
            page = std::make_shared<History>(unbounded(), record.head.first);
        }
        auto batch = record.batch();
        if (!batch) return true;
        empty = false;
        page->append(std::move(batch));
        return page->end() <= from || page->bytes() < page_bytes_;
    });
    if (page->end() <= from) return std::make_shared<History>(unbounded(), from);
    return page;
}

LogTail StoreReading::tail(const StoredChannel& channel, ChannelEnd end,
                           const HistoryOptions& bounds) {
    LogTail tail{end.next, end.last, {}};
    const auto begin = segments_.tail_begin(channel, bounds.max_events, bounds.max_bytes);
    each_record(channel, segments_.slice_at(channel, begin), [&](const RecordView& record) {
        if (record.head.first >= end.next) return false;
        if (record.end() <= begin) return true;
        auto& batches = tail.batches;
        if (!batches.empty() && batches.back()->first + batches.back()->size() != record.head.first)
            batches.clear(); // something between is lost
        if (auto batch = record.batch()) batches.push_back(std::move(batch));
        return true;
    });
    auto& batches = tail.batches;
    if (!batches.empty() && batches.back()->first + batches.back()->size() != end.next)
        batches.clear();
    return tail;
}

std::optional<std::uint64_t> StoreReading::find_given(const StoredChannel& channel,
                                                      const std::string& id) {
    std::optional<std::uint64_t> found;
    std::string buffer;
    for (const auto& slice : segments_.slices_with_given(channel, id)) {
        each_record_of(slice, channel, buffer, [&](const RecordView& record) {
            const auto batch = record.batch();
            for (std::size_t i = 0; batch && i < batch->size(); ++i) {
                if (!batch->generated(i) && batch->id(i) == id) found = record.head.first + i;
            }
            return false; // another id may have the same hash: then this one is not here
        });
        if (found) break;
    }
    return found;
}

std::string StoreReading::ids_of(const StoredChannel& channel, const StoredKey& key) {
    std::string ids;
    const auto end = key.first + key.count;
    each_record(channel, segments_.slice_at(channel, key.first), [&](const RecordView& record) {
        if (record.head.first >= end) return false;
        const auto batch = record.batch();
        for (std::size_t i = 0; batch && i < batch->size(); ++i) {
            const auto sequence = record.head.first + i;
            if (sequence < key.first || sequence >= end) continue;
            if (const auto id = batch->id(i); !id.empty()) ids.append(id).push_back('\n');
        }
        return record.end() < end;
    });
    return ids;
}

LogPosition StoreReading::locate(const StoredChannel& channel, const std::string& id) {
    if (const auto ms = parse_start_id(id)) {
        // Before the first event, unless that is older than the id.
        std::optional<EventId> first;
        each_record(channel, segments_.slice_at(channel, 0), [&](const RecordView& record) {
            if (record.head.first == 0) first = EventId{record.head.time, 0};
            return false;
        });
        if (first && first->ms >= *ms) return {0, false};
        return {};
    }
    const auto own = parse_event_id(id);
    std::optional<std::uint64_t> after; // the first event with a greater id
    if (own) {
        std::optional<std::uint64_t> exact;
        each_record(channel, segments_.slice_with(channel, *own), [&](const RecordView& record) {
            if (record.head.last < *own) return true;
            const auto batch = record.batch();
            for (std::size_t i = 0; batch && i < batch->size() && !after; ++i) {
                if (!batch->generated(i)) continue;
                const auto at = parse_event_id(batch->id(i));
                if (at == own) exact = record.head.first + i;
                if (at > own) after = record.head.first + i;
            }
            return !exact && !after;
        });
        if (exact) return {*exact + 1, false};
    }
    if (const auto given = find_given(channel, id)) return {*given + 1, false};
    if (!own) return {};
    // An id of the store that is not there: the events up to it have expired or were lost.
    return {after ? *after : segments_.end(channel).next, true};
}

} // namespace sse
