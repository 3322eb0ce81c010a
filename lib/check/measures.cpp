#include "check/measures.hpp"

#include "client/cookies.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <unordered_map>

namespace sse::checks {

std::vector<Burst> bursts_of(const Exchange& seen) {
    std::vector<Burst> bursts;
    for (const auto& piece : seen.pieces) {
        if (bursts.empty() || piece.at - bursts.back().last >= burst_gap)
            bursts.push_back({piece.at, piece.at, 0, 0, 0, false});
        auto& burst = bursts.back();
        burst.last = piece.at;
        burst.bytes += piece.bytes;
        burst.inside_event = piece.inside_event;
    }
    const auto burst_at = [&](Time at) {
        return std::find_if(bursts.begin(), bursts.end(),
                            [&](const Burst& burst) { return at <= burst.last; });
    };
    for (const auto& event : seen.events) {
        if (const auto burst = burst_at(event.at); burst != bursts.end()) ++burst->events;
    }
    for (const auto at : seen.comments) {
        if (const auto burst = burst_at(at); burst != bursts.end()) ++burst->comments;
    }
    return bursts;
}

Time silence_before(const Exchange& seen, const std::vector<Burst>& bursts, std::size_t index) {
    const auto before = index == 0 ? seen.head.value_or(seen.started) : bursts[index - 1].last;
    return bursts[index].first - before;
}

Time longest_silence(const Exchange& seen) {
    auto last = seen.head.value_or(seen.started);
    Time longest = 0;
    for (const auto& piece : seen.pieces) {
        longest = std::max(longest, piece.at - last);
        last = piece.at;
    }
    return std::max(longest, seen.ended - last);
}

std::vector<Chunk> chunks_of(const Exchange& seen) {
    std::vector<Chunk> chunks;
    if (seen.framing != BodyFraming::chunked) return chunks;
    std::uint64_t bytes = 0;
    for (const auto& piece : seen.pieces) {
        bytes += piece.bytes;
        if (!piece.ends_chunk) continue;
        chunks.push_back({piece.at, bytes});
        bytes = 0;
    }
    return chunks;
}

std::string key_of(const SeenEvent& event) {
    return event.id && !event.id->empty() ? *event.id + '\n' + std::to_string(event.hash)
                                          : std::to_string(event.hash);
}

std::vector<Pair> matches(const Exchange& a, const Exchange& b) {
    constexpr auto several = static_cast<std::size_t>(-1);
    const auto index = [](const Exchange& seen) {
        std::unordered_map<std::string, std::size_t> places;
        for (std::size_t i = 0; i < seen.events.size(); ++i) {
            const auto [place, added] = places.emplace(key_of(seen.events[i]), i);
            if (!added) place->second = several;
        }
        return places;
    };
    const auto in_a = index(a), in_b = index(b);
    std::vector<Pair> pairs;
    for (std::size_t i = 0; i < a.events.size(); ++i) {
        const auto key = key_of(a.events[i]);
        const auto other = in_b.find(key);
        if (in_a.at(key) != several && other != in_b.end() && other->second != several)
            pairs.push_back({i, other->second});
    }
    return pairs;
}

std::string shown_seconds(Time seconds) {
    if (seconds < 0.001) return fmt::format("{:.0f}us", std::max(seconds, 0.0) * 1e6);
    if (seconds < 0.9995) return fmt::format("{:.0f}ms", seconds * 1e3);
    return seconds < 99.95 ? fmt::format("{:.1f}s", seconds) : fmt::format("{:.0f}s", seconds);
}

std::string counted(std::uint64_t number, const char* singular) {
    return fmt::format("{} {}{}", number, singular, number == 1 ? "" : "s");
}

std::optional<double> date_age(const Exchange& seen) {
    const auto text = seen.field("Date");
    if (!seen.has_head() || text.empty()) return std::nullopt;
    const auto date = parse_cookie_date(text);
    if (!date) return std::nullopt;
    return seen.wall_at_head - static_cast<double>(date->time_since_epoch().count());
}

} // namespace sse::checks
