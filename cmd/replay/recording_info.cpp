// sse replay --info: prints a summary of each recording.
#include "base/mask.hpp"
#include "base/printable.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/duration.hpp"
#include "cmd/cli/output.hpp"
#include "cmd/replay/convert.hpp"
#include "recording/summary.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <strings.h>
#include <utility>
#include <vector>

namespace cmd {

namespace {

using std::chrono::microseconds;

/// A time with three digits.
std::string time(microseconds t) { return t.count() == 0 ? "0s" : rough_duration(t); }
std::string time(std::uint64_t us) { return time(microseconds(static_cast<std::int64_t>(us))); }

std::string counted(std::uint64_t number, const char* one, const char* many) {
    return fmt::format("{} {}", number, number == 1 ? one : many);
}

/// `3 delta, 1 message`, the most frequent first, no more than ten.
std::string most(const std::map<std::string, std::uint64_t>& counts) {
    std::vector<std::pair<std::string, std::uint64_t>> sorted(counts.begin(), counts.end());
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    constexpr std::size_t few = 10;
    std::string out;
    for (std::size_t i = 0; i < sorted.size() && i < few; ++i) {
        const auto& [name, count] = sorted[i];
        out += fmt::format("{}{} {}", i == 0 ? "" : ", ", count,
                           name.empty() ? "others" : sse::printable(name, 60));
    }
    if (sorted.size() > few) out += fmt::format(", {} other types", sorted.size() - few);
    return out;
}

class Lines {
public:
    explicit Lines(std::string& out)
        : out_(out) {}
    void add(std::string_view name, const std::string& text) {
        out_ += fmt::format("  {:<12}{}\n", name, text);
    }

private:
    std::string& out_;
};

void add_head(const sse::RecordingHeader& header, Lines& lines) {
    if (!header.url.empty()) {
        lines.add("request", fmt::format("{} {}",
                                         header.request.method.empty()
                                             ? "GET"
                                             : sse::printable(header.request.method, 60),
                                         sse::printable(sse::mask_url(header.url))));
    }
    if (header.response.status != 0) {
        auto text = std::to_string(header.response.status);
        for (const auto& [name, value] : header.response.headers) {
            if (::strcasecmp(name.c_str(), "content-type") == 0)
                text += ", " + sse::printable(value, 100);
        }
        lines.add("response", text);
    }
    if (!header.started.empty()) lines.add("started", sse::printable(header.started, 100));
    if (!header.tool.empty()) lines.add("tool", sse::printable(header.tool, 100));
}

std::string warnings(const sse::RecordingSummary& sum, const std::string& warning) {
    std::string out;
    const auto add = [&](const std::string& what) { out += (out.empty() ? "" : "; ") + what; };
    for (std::size_t i = 0; i < sum.warnings.size(); ++i) {
        if (sum.warnings[i] == 0) continue;
        add(fmt::format("{} x {}", sum.warnings[i], to_string(static_cast<sse::ParseWarning>(i))));
    }
    if (sum.same_id > 0)
        add(counted(sum.same_id, "event has", "events have") + " the ID of the previous event");
    if (sum.with_id > 0 && sum.with_id < sum.events)
        add(counted(sum.events - sum.with_id, "event has", "events have") + " no ID");
    if (sum.reconnects > sum.resumed && sum.with_id > 0)
        add(counted(sum.reconnects - sum.resumed, "reconnection", "reconnections") +
            " without a last event ID");
    if (!warning.empty()) add(sse::printable(warning));
    return out;
}

void describe(sse::RecordReader& reader, const std::string& name, std::string& out) {
    const auto sum = sse::summarize(reader);
    out += fmt::format("{}: {}{}\n", sse::printable(name), reader.format_name(),
                       sum.reads > 0 ? " of reads" : "");
    Lines lines(out);
    add_head(reader.header(), lines);
    lines.add("span", fmt::format("{}, from {} to {}", time(sum.last - sum.first), time(sum.first),
                                  time(sum.last)));
    lines.add("events", sum.events == 0 ? "0" : fmt::format("{}: {}", sum.events, most(sum.types)));
    if (sum.events > 0) {
        lines.add("data",
                  fmt::format("{}; an event p50 {}, p99 {}, largest {}",
                              counted(sum.data.sum(), "byte", "bytes"), sum.data.quantile(0.5),
                              sum.data.quantile(0.99), sum.data.largest()));
        lines.add("ids", sum.with_id == 0
                             ? "none"
                             : fmt::format("{} of {} events", sum.with_id, sum.events));
    }
    if (sum.gaps.count() > 0) {
        lines.add("gaps", fmt::format("p50 {}, p99 {}, longest {} after {}",
                                      time(sum.gaps.quantile(0.5)), time(sum.gaps.quantile(0.99)),
                                      time(sum.gaps.largest()), time(sum.longest_gap_at)));
    }
    if (sum.reads > 0)
        lines.add("reads",
                  fmt::format("{}, {}", sum.reads, counted(sum.read_bytes, "byte", "bytes")));
    if (sum.comments > 0) lines.add("comments", std::to_string(sum.comments));
    if (sum.retries > 0) lines.add("retries", std::to_string(sum.retries));
    if (sum.bare_ids > 0) lines.add("bare ids", std::to_string(sum.bare_ids));
    if (sum.reconnects > 0)
        lines.add("reconnects",
                  fmt::format("{}, {} with a last event ID", sum.reconnects, sum.resumed));
    if (!sum.closes.empty())
        lines.add("ends", most(sum.closes) + (sum.closed ? "" : "; the last one is not recorded"));
    const auto odd = warnings(sum, reader.warning());
    if (!odd.empty()) lines.add("odd", odd);
}

} // namespace

int print_info(Recordings& recordings, const sse::RecordingReaderOptions& options) {
    Output out(STDOUT_FILENO, {.escape_on_terminal = true});
    for (std::size_t i = 0; i < recordings.files().size(); ++i) {
        const auto reader = recordings.open(i, options);
        describe(*reader, recordings.name(i), out.text());
        if (!out.flush()) break;
    }
    return Exit::done;
}

} // namespace cmd
