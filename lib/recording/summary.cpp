#include "recording/summary.hpp"

#include "protocol/parser.hpp"
#include "recording/record_events.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

namespace sse {

namespace {

/// Sixteen buckets for each power of two; values below 32 have their own.
std::size_t bucket_of(std::uint64_t value) {
    if (value < 16) return static_cast<std::size_t>(value);
    const auto power = static_cast<std::size_t>(std::bit_width(value)) - 5;
    return power * 16 + static_cast<std::size_t>(value >> power);
}

std::uint64_t highest_of(std::size_t bucket) {
    if (bucket < 32) return bucket;
    const auto power = bucket / 16 - 1;
    return (static_cast<std::uint64_t>(bucket % 16 + 17) << power) - 1;
}

class Summing : public Parser::Sink {
public:
    explicit Summing(RecordingSummary& sum)
        : sum_(sum) {}

    void on_record(const Record& record) {
        if (sum_.records++ == 0) sum_.first = record.t;
        sum_.last = t_ = record.t;
        sum_.closed = std::holds_alternative<RecordedClose>(record.what);
        if (const auto* close = std::get_if<RecordedClose>(&record.what))
            ++sum_.closes[std::string(close->how)];
        if (const auto* open = std::get_if<RecordedOpen>(&record.what)) {
            ++sum_.reconnects;
            if (!open->last_event_id.empty()) ++sum_.resumed;
        }
        if (const auto* read = std::get_if<RecordedBytes>(&record.what)) {
            ++sum_.reads;
            sum_.read_bytes += read->bytes.size();
        }
        events_.on_record(record);
    }
    void finish() { events_.finish(); }

private:
    void on_id(std::string_view) override { ++sum_.bare_ids; }
    void on_comment(std::string_view) override { ++sum_.comments; }
    void on_retry(std::chrono::milliseconds) override { ++sum_.retries; }
    void on_warning(ParseWarning warning, std::string_view) override {
        ++sum_.warnings[static_cast<std::size_t>(warning)];
    }

    void on_event(const EventView& event) override {
        const bool known = sum_.types.size() < RecordingSummary::max_types ||
                           sum_.types.count(std::string(event.type)) > 0;
        ++sum_.types[known ? std::string(event.type) : std::string()];
        if (sum_.events++ > 0) {
            const auto gap = static_cast<std::uint64_t>((t_ - last_event_).count());
            if (gap > sum_.gaps.largest()) sum_.longest_gap_at = last_event_;
            sum_.gaps.add(gap);
        }
        last_event_ = t_;
        sum_.data.add(event.data.size());
        if (!event.id) return;
        ++sum_.with_id;
        if (last_id_ && *last_id_ == *event.id) ++sum_.same_id;
        last_id_ = std::string(*event.id);
    }

    RecordingSummary& sum_;
    RecordEvents events_{*this};
    std::chrono::microseconds t_{0}, last_event_{0};
    std::optional<std::string> last_id_;
};

} // namespace

void Distribution::add(std::uint64_t value) {
    ++counts_[bucket_of(value)];
    ++count_;
    sum_ += value;
    largest_ = std::max(largest_, value);
}

std::uint64_t Distribution::quantile(double share) const {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        if (seen >= wanted && seen > 0) return std::min(highest_of(i), largest_);
    }
    return largest_;
}

RecordingSummary summarize(RecordReader& reader) {
    RecordingSummary sum;
    Summing summing(sum);
    while (const auto* record = reader.next()) summing.on_record(*record);
    summing.finish();
    for (std::size_t i = 0; i < sum.warnings.size(); ++i) sum.warnings[i] += reader.warnings()[i];
    return sum;
}

} // namespace sse
