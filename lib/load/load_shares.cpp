#include "load/load_shares.hpp"

#include "load/ledger_merge.hpp"
#include "load/load_fairness.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace sse {

namespace {

void add_figures(const LoadResult& more, LoadResult& all) {
    all.subscribers += more.subscribers;
    all.opened += more.opened;
    all.open += more.open;
    all.failed += more.failed;
    all.ended += more.ended;
    all.broken += more.broken;
    all.busy += more.busy;
    all.silent += more.silent;
    for (const auto& [why, count] : more.failures) all.failures[why] += count;
    all.connect.add(more.connect);
    all.head.add(more.head);
    all.first_event.add(more.first_event);
    all.slow.subscribers += more.slow.subscribers;
    all.slow.events += more.slow.events;
    all.slow.bytes += more.slow.bytes;
    all.slow.cut += more.slow.cut;
    all.left += more.left;
    all.storm_cut += more.storm_cut;
    all.storm.add(more.storm);
    if (!all.storm_at) all.storm_at = more.storm_at;
    all.seconds = std::max(all.seconds, more.seconds);
    all.deliveries += more.deliveries;
    all.bytes += more.bytes;
    all.untimed += more.untimed;
    all.knows_sent |= more.knows_sent;
    all.delivery.add(more.delivery);
    all.behind.add(more.behind);
    all.client.cpu += more.client.cpu;
    all.client.busiest = std::max(all.client.busiest, more.client.busiest);
    all.client.cpu_per_delivery +=
        more.client.cpu_per_delivery * static_cast<double>(more.deliveries);
    all.client.resident_bytes += more.client.resident_bytes;
}

void add_counts(const LedgerCounts& more, LedgerCounts& all) {
    all.events += more.events;
    all.lost += more.lost;
    all.missed += more.missed;
    all.duplicates += more.duplicates;
    all.repeated += more.repeated;
    all.disordered += more.disordered;
    all.alone += more.alone;
}

/// In the order of connecting: the runs have the subscribers in turn.
std::vector<double> delays_of(const std::vector<LoadShare>& shares) {
    std::vector<double> delays;
    for (std::size_t i = 0, left = shares.size(); left > 0; ++i) {
        left = 0;
        for (const auto& share : shares) {
            if (i >= share.delays.size()) continue;
            ++left;
            if (share.delays[i] >= 0) delays.push_back(share.delays[i]);
        }
    }
    return delays;
}

} // namespace

LoadResult merge_shares(std::vector<LoadShare> shares) {
    LoadResult all;
    std::size_t requests = 0;
    std::int64_t from_ns = 0;
    bool measured = true;
    for (const auto& share : shares) {
        add_figures(share.result, all);
        requests = std::max(requests, share.ledgers.size());
        from_ns = std::max(from_ns, share.from_ns);
        measured &= share.from_ns != 0;
    }
    if (all.deliveries > 0) all.client.cpu_per_delivery /= static_cast<double>(all.deliveries);
    all.fairness = load_fairness(delays_of(shares));
    for (std::size_t request = 0; request < requests; ++request) {
        std::vector<LedgerRecord> records;
        bool has_ids = false;
        for (auto& share : shares) {
            if (request >= share.ledgers.size()) continue;
            records.push_back(std::move(share.ledgers[request]));
            has_ids |= records.back().has_ids;
        }
        const auto merged = merge_ledgers(std::move(records), from_ns);
        add_counts(merged.counts, all.ledger);
        all.keyed_by_data |= !has_ids && merged.counts.events > 0;
        all.events += merged.measured;
        if (measured) all.skew.add(merged.skew);
    }
    return all;
}

void add_interval(const LoadInterval& more, LoadInterval& interval) {
    interval.at = std::max(interval.at, more.at);
    interval.seconds = std::max(interval.seconds, more.seconds);
    interval.open += more.open;
    interval.events = std::max(interval.events, more.events);
    interval.deliveries += more.deliveries;
    interval.bytes += more.bytes;
}

} // namespace sse
