#include "load/ledger_merge.hpp"

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <utility>

namespace sse {

namespace {

void add(const LedgerEvent& more, LedgerEvent& event) {
    if (more.timed > 0) {
        const bool first = event.timed == 0;
        event.first_ns = first ? more.first_ns : std::min(event.first_ns, more.first_ns);
        event.last_ns = std::max(event.last_ns, more.last_ns);
    }
    event.receivers += more.receivers;
    event.late += more.late;
    event.timed += more.timed;
    event.has_id |= more.has_id;
    event.is_measured &= more.is_measured; // else it had arrived before, elsewhere
}

/// The events of all ledgers, in one order.
class EventUnion {
public:
    /// `events` are sorted by their places.
    void add_ledger(const std::vector<LedgerEvent>& events, bool numbered) {
        ++ledger_;
        auto& nodes_of = places_.emplace_back();
        nodes_of.reserve(events.size());
        for (const auto& event : events) {
            const auto found = by_key_.find(event.key);
            if (found != by_key_.end()) nodes_[found->second].in_ledger = ledger_;
        }
        std::size_t after = 0;
        for (const auto& event : events) {
            const auto found = by_key_.find(event.key);
            // One that a ledger has twice arrived again after it had been forgotten.
            if (found != by_key_.end() && (numbered || nodes_[found->second].added_by != ledger_)) {
                after = found->second;
                add(event, nodes_[after].event);
            } else {
                after = insert(event, after);
                by_key_.try_emplace(event.key, after);
            }
            nodes_[after].added_by = nodes_[after].in_ledger = ledger_;
            nodes_of.emplace_back(event.place, after);
        }
    }

    /// Called once, after the last add_ledger().
    void set_order(bool numbered) {
        for (auto at = nodes_[0].next; at != 0; at = nodes_[at].next) order_.push_back(at);
        if (numbered) {
            std::stable_sort(order_.begin(), order_.end(), [this](std::size_t a, std::size_t b) {
                return nodes_[a].event.place < nodes_[b].event.place;
            });
        }
        expected_.push_back(0);
        for (std::size_t i = 0; i < order_.size(); ++i) {
            nodes_[order_[i]].position = i;
            expected_.push_back(expected_.back() + !is_alone(nodes_[order_[i]].event));
        }
        for (auto& ledger : places_) {
            for (auto& [place, node] : ledger) node = nodes_[node].position;
        }
    }

    /// How many events all are expected to receive, of those in a span of a ledger's places.
    std::uint64_t events_in(std::size_t ledger, const LedgerSpan& span) const {
        const auto& places = places_[ledger];
        const auto before = [](const auto& each, EventPlace place) { return each.first < place; };
        const auto first = std::lower_bound(places.begin(), places.end(), span.first, before);
        const auto last = std::lower_bound(first, places.end(), span.last, before);
        std::size_t begin = 0, end = order_.size();
        if (first != places.end() && first->first == span.first) begin = first->second;
        else if (first != places.begin()) begin = std::prev(first)->second + 1;
        if (last != places.end()) end = last->second + (last->first == span.last);
        return end > begin ? expected_[end] - expected_[begin] : 0;
    }

    /// An event without ID that one subscriber received is meant for it alone.
    static bool is_alone(const LedgerEvent& event) { return !event.has_id && event.receivers == 1; }

    template <class Function>
    void for_each(Function function) const {
        for (const auto at : order_) function(nodes_[at].event);
    }

private:
    struct Node {
        LedgerEvent event;
        std::size_t next = 0; ///< 0: none
        std::size_t position = 0;
        std::uint32_t in_ledger = 0, added_by = 0; ///< the latest ledger that has it
    };

    /// Behind those that arrived earlier, up to the next event of the same ledger.
    std::size_t insert(const LedgerEvent& event, std::size_t after) {
        for (auto next = nodes_[after].next; next != 0; next = nodes_[next].next) {
            const auto& other = nodes_[next];
            const bool timed = event.timed > 0 && other.event.timed > 0;
            if (other.in_ledger == ledger_ || !timed || other.event.first_ns >= event.first_ns)
                break;
            after = next;
        }
        nodes_.push_back({event, nodes_[after].next});
        nodes_[after].next = nodes_.size() - 1;
        return nodes_.size() - 1;
    }

    std::vector<Node> nodes_{1}; ///< a list; the first is its head and no event
    std::unordered_map<std::uint64_t, std::size_t> by_key_;
    /// By ledger: its places, sorted, with their nodes and at last their positions in the order.
    std::vector<std::vector<std::pair<EventPlace, std::size_t>>> places_;
    std::vector<std::size_t> order_;
    std::vector<std::uint64_t> expected_; ///< events before each position that are not alone
    std::uint32_t ledger_ = 0;
};

} // namespace

MergedLedgers merge_ledgers(std::vector<LedgerRecord> records, std::int64_t from_ns) {
    const auto has_ids = [](const LedgerRecord& record) { return record.has_ids; };
    if (std::any_of(records.begin(), records.end(), has_ids)) { // without: greetings
        std::erase_if(records, [&](const LedgerRecord& record) { return !record.has_ids; });
    }
    const bool numbered =
        std::all_of(records.begin(), records.end(), [](const LedgerRecord& record) {
            return record.events.empty() || record.is_numbered;
        });
    EventUnion all;
    for (auto& record : records) {
        std::sort(record.events.begin(), record.events.end(),
                  [](const LedgerEvent& a, const LedgerEvent& b) { return a.place < b.place; });
        all.add_ledger(record.events, numbered);
    }
    all.set_order(numbered);

    MergedLedgers merged;
    auto& counts = merged.counts;
    std::uint64_t owed = 0, received = 0, alone_received = 0;
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto& record = records[i];
        for (const auto& part : record.parts) owed += all.events_in(i, part);
        for (const auto& gap : record.gaps) counts.missed += all.events_in(i, gap);
        received += record.distinct;
        counts.duplicates += record.duplicates;
        counts.repeated += record.repeated;
    }
    all.for_each([&](const LedgerEvent& event) {
        ++counts.events;
        counts.disordered += std::min(event.late, event.receivers - event.late);
        merged.measured += event.is_measured;
        if (EventUnion::is_alone(event)) {
            ++counts.alone;
            alone_received += !event.is_greeting;
        }
        if (event.timed >= 2 && event.first_ns >= from_ns)
            merged.skew.add(std::chrono::nanoseconds(event.last_ns - event.first_ns));
    });
    received -= std::min(received, alone_received);
    counts.lost = owed > received ? owed - received : 0;
    return merged;
}

} // namespace sse
