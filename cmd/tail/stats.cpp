#include "cmd/tail/stats.hpp"

#include "base/json_text.hpp"
#include "base/printable.hpp"
#include "cmd/cli/duration.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace cmd {

namespace {

constexpr std::size_t shown_bytes = 100; ///< of a type or an id

double in_seconds(Stats::Clock::duration time) {
    return std::chrono::duration<double>(time).count();
}

std::string json_number(std::optional<double> value) {
    return value ? fmt::format("{:.6f}", *value) : "null";
}
std::string json_number(std::optional<Stats::Clock::duration> value) {
    return json_number(value ? std::optional(in_seconds(*value)) : std::nullopt);
}

std::string json_quoted(std::string_view text) {
    std::string out;
    sse::append_json_string(text, out);
    return out;
}

std::string bytes_text(double bytes) {
    if (bytes < 10'000) return fmt::format("{:.0f} B", bytes);
    if (bytes < 10'000'000) return fmt::format("{:.1f} kB", bytes / 1e3);
    return fmt::format("{:.1f} MB", bytes / 1e6);
}

} // namespace

Stats::Stats(StatsOptions options)
    : options_(std::move(options))
    , started_(options_.now())
    , last_type_(types_.end())
    , line_at_(started_) {}

std::size_t Stats::add(std::string url) {
    const std::lock_guard lock(mutex_);
    streams_.push_back({std::move(url), {}, {}, {}, 0});
    return streams_.size() - 1;
}

void Stats::responded(std::size_t stream, const sse::Timing& timing) {
    const std::lock_guard lock(mutex_);
    if (!streams_[stream].timing) streams_[stream].timing = timing;
    if (!first_open_) first_open_ = options_.now();
}

void Stats::event(std::size_t stream, const sse::EventView& event, bool printed) {
    const auto now = options_.now();
    const std::lock_guard lock(mutex_);
    auto& from = streams_[stream];
    ++events_;
    if (printed) ++printed_;
    if (from.last_event) {
        gaps_.add(now - *from.last_event);
        count_burst(from, now - *from.last_event);
    } else if (from.timing) {
        from.first_event = now - from.timing->started;
    }
    from.last_event = last_event_ = now;
    const auto type = event.type.substr(0, options_.max_type_bytes);
    if (last_type_ == types_.end() || last_type_->first != type) {
        last_type_ = types_.find(type);
        if (last_type_ == types_.end() && types_.size() < options_.max_types)
            last_type_ = types_.emplace(type, 0).first;
    }
    if (last_type_ == types_.end()) ++other_types_;
    else ++last_type_->second;
    if (event.data.size() > largest_ || events_ == 1) {
        largest_ = event.data.size();
        largest_type_ = type;
        largest_id_ = event.id.value_or("").substr(0, shown_bytes);
    }
}

void Stats::count_burst(Stream& stream, Clock::duration gap) const {
    if (gap >= options_.burst_pause) {
        stream.burst_events = 1;
    } else if (gap >= options_.burst_gap) {
        stream.burst_events = 0;
    } else if (stream.burst_events > 0 && ++stream.burst_events == options_.burst_events) {
        ++stream.bursts;
    }
}

void Stats::bytes(std::size_t count) {
    const std::lock_guard lock(mutex_);
    bytes_ += count;
}

void Stats::reconnected(std::size_t stream) {
    const std::lock_guard lock(mutex_);
    ++streams_[stream].reconnects;
}

std::optional<double> Stats::rate(std::uint64_t count) const {
    if (!first_open_) return std::nullopt;
    return double(count) / std::max(in_seconds(options_.now() - *first_open_), 1e-6);
}

std::string Stats::text() const {
    const std::lock_guard lock(mutex_);
    std::string out;
    const auto line = [&](const std::string& text) { out += "sse: stats: " + text + "\n"; };
    for (const auto& stream : streams_) {
        auto text = sse::printable(stream.url, 200);
        if (const auto& timing = stream.timing) {
            text += fmt::format(": resolve {}, connect {}", rough_duration(timing->resolve),
                                rough_duration(timing->connect));
            if (timing->tls) text += fmt::format(", TLS {}", rough_duration(*timing->tls));
            text += fmt::format(", first byte {}", rough_duration(timing->first_byte));
        } else {
            text += ": never opened";
        }
        if (stream.first_event)
            text += fmt::format(", first event {}", rough_duration(*stream.first_event));
        line(fmt::format("{}, reconnects {}", text, stream.reconnects));
    }
    line(fmt::format("events {}, printed {}, {} in {}: {:.1f} events/s, {}/s", events_, printed_,
                     bytes_text(double(bytes_)), rough_duration(options_.now() - started_),
                     rate(events_).value_or(0), bytes_text(rate(bytes_).value_or(0))));
    if (events_ == 0) return out;
    std::vector<std::pair<std::uint64_t, std::string_view>> types;
    for (const auto& [type, count] : types_) types.emplace_back(count, type);
    std::stable_sort(types.begin(), types.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    constexpr std::size_t few = 20;
    std::string list;
    auto others = other_types_;
    for (std::size_t i = 0; i < types.size(); ++i) {
        if (i < few) {
            list += fmt::format("{}{} {}", list.empty() ? "" : ", ",
                                sse::printable(types[i].second, shown_bytes), types[i].first);
        } else {
            others += types[i].first;
        }
    }
    line("types: " + list + (others > 0 ? fmt::format(", others {}", others) : ""));
    if (gaps_.count() > 0) {
        line(fmt::format("gaps: p50 {}, p90 {}, p99 {}, max {}",
                         rough_duration(gaps_.percentile(0.5)),
                         rough_duration(gaps_.percentile(0.9)),
                         rough_duration(gaps_.percentile(0.99)), rough_duration(gaps_.max())));
    }
    for (const auto& stream : streams_) {
        if (stream.bursts < options_.told_bursts) continue;
        line(fmt::format("bursts: {} times, events arrived together after a pause; sse check {} "
                         "finds out why",
                         stream.bursts, sse::printable(stream.url, 200)));
    }
    line(fmt::format("largest: {} bytes of data, {}{}", largest_,
                     sse::printable(largest_type_, shown_bytes),
                     largest_id_.empty() ? "" : " #" + sse::printable(largest_id_)));
    return out;
}

std::string Stats::json() const {
    const std::lock_guard lock(mutex_);
    std::string streams, types;
    for (const auto& stream : streams_) {
        const auto part = [&](auto member) {
            return json_number(stream.timing
                                   ? std::optional<Clock::duration>((*stream.timing).*member)
                                   : std::nullopt);
        };
        streams += fmt::format(
            R"({}{{"url":{},"resolve":{},"connect":{},"tls":{},"first_byte":{},"first_event":{},"reconnects":{}}})",
            streams.empty() ? "" : ",", json_quoted(stream.url), part(&sse::Timing::resolve),
            part(&sse::Timing::connect),
            json_number(stream.timing ? stream.timing->tls : std::nullopt),
            part(&sse::Timing::first_byte), json_number(stream.first_event), stream.reconnects);
    }
    for (const auto& [type, count] : types_)
        types += fmt::format("{}{}:{}", types.empty() ? "" : ",", json_quoted(type), count);
    const auto gap = [&](double part) {
        return json_number(gaps_.count() > 0 ? std::optional<Clock::duration>(
                                                   part < 1 ? gaps_.percentile(part) : gaps_.max())
                                             : std::nullopt);
    };
    return fmt::format(
        R"({{"seconds":{},"streams":[{}],"events":{},"printed":{},"types":{{{}}},"other_types":{},)"
        R"("bytes":{},"events_per_second":{},"bytes_per_second":{},)"
        R"("gaps":{{"count":{},"p50":{},"p90":{},"p99":{},"max":{}}},)"
        R"("largest":{{"bytes":{},"event":{},"id":{}}}}})"
        "\n",
        json_number(in_seconds(options_.now() - started_)), streams, events_, printed_, types,
        other_types_, bytes_, json_number(rate(events_)), json_number(rate(bytes_)), gaps_.count(),
        gap(0.5), gap(0.9), gap(0.99), gap(1), largest_, json_quoted(largest_type_),
        json_quoted(largest_id_));
}

std::string Stats::line() {
    const std::lock_guard lock(mutex_);
    const auto now = options_.now();
    if (now - line_at_ >= std::chrono::seconds(1)) {
        line_rate_ = double(events_ - line_events_) / in_seconds(now - line_at_);
        line_at_ = now, line_events_ = events_;
    }
    return fmt::format(
        "{} events, {:.0f}/s{}", events_, line_rate_,
        last_event_ ? fmt::format(", {} since the last one", rough_duration(now - *last_event_))
                    : "");
}

} // namespace cmd
