#include "cmd/bench/reports.hpp"

#include "base/json_text.hpp"
#include "base/printable.hpp"
#include "base/rfc3339.hpp"
#include "cmd/bench/amounts.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace cmd {

namespace {

constexpr std::size_t label_columns = 13;

/// Lines of a label and a text.
class Lines {
public:
    void add(std::string_view label, const std::string& text) {
        out_ += fmt::format("  {:<{}} {}\n", label, label_columns, text);
    }
    void blank() { out_ += '\n'; }
    /// A row of the table of times.
    void times(std::string_view label, const sse::Histogram& histogram) {
        if (histogram.count() == 0) return;
        std::string row;
        for (const double part : {0.5, 0.9, 0.99, 0.999, 1.0}) {
            const auto value = std::chrono::duration<double>(histogram.percentile(part)).count();
            row += fmt::format("{:>9}", seconds_text(value));
        }
        add(label, row);
    }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

std::string plural(std::uint64_t count, const char* noun) {
    return fmt::format("{} {}{}", with_commas(count), noun, count == 1 ? "" : "s");
}

/// `, 3 failed`, or nothing.
std::string unless_none(std::uint64_t count, const char* what) {
    return count == 0 ? "" : fmt::format(", {} {}", with_commas(count), what);
}

std::string rate_of(std::uint64_t count, double seconds) {
    return seconds > 0 ? rate_text(static_cast<double>(count) / seconds) : "0.00";
}

void add_subscribers(const sse::LoadResult& load, Lines& lines) {
    lines.add("subscribers", fmt::format("{} of {} opened, {} open at the end{}{}{}{}{}{}",
                                         with_commas(load.opened), with_commas(load.subscribers),
                                         with_commas(load.open), unless_none(load.failed, "failed"),
                                         unless_none(load.busy, "refused as busy"),
                                         unless_none(load.left, "reconnected"),
                                         unless_none(load.ended, "ended by the server"),
                                         unless_none(load.broken, "broken"),
                                         unless_none(load.silent, "without an event")));
    for (const auto& [why, count] : load.failures)
        lines.add("", fmt::format("{}: {}", plural(count, "time"), sse::printable(why, 200)));
}

void add_volume(const BenchSetup& setup, const sse::LoadResult& load, Lines& lines) {
    lines.add("measured", fmt::format("{} after a warm-up of {}", seconds_text(load.seconds),
                                      seconds_text(setup.warm_up)));
    lines.add("events", fmt::format("{}, {}/s", with_commas(load.events),
                                    rate_of(load.events, load.seconds)));
    lines.add("deliveries", fmt::format("{}, {}/s; {}, {}/s", with_commas(load.deliveries),
                                        rate_of(load.deliveries, load.seconds),
                                        bytes_text(static_cast<double>(load.bytes)),
                                        bytes_text(static_cast<double>(load.bytes) /
                                                   std::max(load.seconds, 1e-9))));
}

void add_ledger(const sse::LoadResult& load, Lines& lines) {
    const auto& ledger = load.ledger;
    lines.add("lost",
              fmt::format("{}; {}, {} out of order{}{}{}", with_commas(ledger.lost),
                          plural(ledger.duplicates, "duplicate"), with_commas(ledger.disordered),
                          unless_none(ledger.missed, "missed while disconnected"),
                          unless_none(ledger.repeated, "received again"),
                          load.keyed_by_data ? " (identified by data: no IDs)" : ""));
}

void add_fairness(const sse::LoadResult& load, Lines& lines) {
    if (load.deliveries == load.untimed) return;
    const auto& fairness = load.fairness;
    lines.add("fairness", fmt::format("slowest 1 % {} after {}, others {}; Jain's index {:.3f}; "
                                      "correlation with connection order {:+.2f}",
                                      seconds_text(fairness.slowest_percent),
                                      load.knows_sent ? "the sending" : "the first subscriber",
                                      seconds_text(fairness.others), fairness.jain,
                                      fairness.order_correlation));
}

void add_client(const BenchRun& run, Lines& lines) {
    const auto& load = run.load;
    std::string text = fmt::format("{:.0f} % of a core", load.client.cpu * 100);
    if (load.deliveries > 0)
        text += fmt::format(", {} per delivery", seconds_text(load.client.cpu_per_delivery));
    if (load.client.resident_bytes > 0)
        text += fmt::format(", {} of memory",
                            bytes_text(static_cast<double>(load.client.resident_bytes)));
    lines.add("client",
              text + unless_none(load.untimed, load.untimed == 1 ? "delivery without a time"
                                                                 : "deliveries without a time"));
    lines.times("behind by", load.behind);
}

void add_server(const BenchRun& run, Lines& lines) {
    if (!run.server) return;
    const auto& server = *run.server;
    auto text = fmt::format("{:.0f} % of a core", server.cpu * 100);
    if (server.cpu_per_delivery)
        text += fmt::format(", {} per delivery", seconds_text(*server.cpu_per_delivery));
    text += fmt::format(", {} of memory", bytes_text(static_cast<double>(server.resident_bytes)));
    if (server.bytes_per_subscriber)
        text += fmt::format(", {} per subscriber", bytes_text(*server.bytes_per_subscriber));
    if (server.descriptors)
        text += fmt::format(", {} descriptors", with_commas(*server.descriptors));
    lines.add("server", text);
}

void add_slow(const sse::LoadResult& load, Lines& lines) {
    if (load.slow.subscribers == 0) return;
    lines.add("slow", fmt::format("{}: {}, {}{}", plural(load.slow.subscribers, "subscriber"),
                                  plural(load.slow.events, "event"),
                                  bytes_text(static_cast<double>(load.slow.bytes)),
                                  unless_none(load.slow.cut, "cut by the server")));
}

void add_storm(const sse::LoadResult& load, Lines& lines) {
    if (!load.storm_at) return;
    lines.add("storm",
              fmt::format("{} cut after {}, {} open again", plural(load.storm_cut, "stream"),
                          seconds_text(*load.storm_at), with_commas(load.storm.count())));
}

std::string interval_json(const sse::LoadInterval& interval) {
    const auto time = [](const std::optional<std::chrono::nanoseconds>& value) {
        if (!value) return std::string("null");
        return fmt::format("{:.9f}", std::chrono::duration<double>(*value).count());
    };
    const auto rate = [&](std::uint64_t count) {
        return static_cast<double>(count) / std::max(interval.seconds, 1e-9);
    };
    return fmt::format(R"({{"at":{:.3f},"open":{},"events_per_second":{:.3f},)"
                       R"("deliveries_per_second":{:.3f},"bytes_per_second":{:.0f},)"
                       R"("p50":{},"p99":{},"max":{}}})",
                       interval.at, interval.open, rate(interval.events), rate(interval.deliveries),
                       rate(interval.bytes), time(interval.p50), time(interval.p99),
                       time(interval.max));
}

std::string json_quoted(std::string_view text) {
    std::string out;
    sse::append_json_string(text, out);
    return out;
}

/// A number without an exponent, as exact as a double is.
std::string number_text(const Figure& figure) {
    if (!figure.value) return "null";
    switch (figure.unit) {
    case Figure::Unit::count:
    case Figure::Unit::bytes: return fmt::format("{:.0f}", *figure.value);
    case Figure::Unit::seconds: return fmt::format("{:.9f}", *figure.value);
    case Figure::Unit::ratio: break;
    }
    return fmt::format("{:.6f}", *figure.value);
}

const char* unit_name(Figure::Unit unit) {
    switch (unit) {
    case Figure::Unit::seconds: return "s";
    case Figure::Unit::bytes: return "bytes";
    case Figure::Unit::count:
    case Figure::Unit::ratio: break;
    }
    return "";
}

} // namespace

std::string text_report(const BenchSetup& setup, const BenchRun& run) {
    const auto& load = run.load;
    Lines lines;
    add_subscribers(load, lines);
    add_volume(setup, load, lines);
    if (run.published) {
        const auto& published = *run.published;
        lines.add("published",
                  fmt::format("{} of {} accepted{}", with_commas(published.accepted),
                              with_commas(published.due), unless_none(published.failed, "failed")));
    }
    lines.blank();
    lines.add("", fmt::format("{:>9}{:>9}{:>9}{:>9}{:>9}", "p50", "p90", "p99", "p99.9", "max"));
    lines.times("connect", load.connect);
    lines.times("head", load.head);
    lines.times("first event", load.first_event);
    lines.times("delivery", load.delivery);
    lines.times("skew", load.skew);
    lines.times("storm", load.storm);
    if (run.published) lines.times("publish", run.published->response);
    lines.blank();
    add_ledger(load, lines);
    add_storm(load, lines);
    add_fairness(load, lines);
    add_slow(load, lines);
    add_server(run, lines);
    add_client(run, lines);
    return lines.take();
}

std::string json_report(const BenchSetup& setup, const BenchRun& run) {
    std::string urls;
    for (const auto& url : setup.urls) urls += (urls.empty() ? "" : ",") + json_quoted(url);
    auto out = fmt::format(R"({{"sse_bench":1,"tool":"sse {}","started":"{}","urls":[{}])",
                           SSE_VERSION, sse::rfc3339(setup.started), urls);
    std::string group;
    for (const auto& figure : figures_of(run)) {
        if (figure.group != group) {
            if (!group.empty()) out += '}';
            group = figure.group;
            out += fmt::format(",\"{}\":{{", group);
        } else {
            out += ',';
        }
        out += fmt::format("\"{}\":{}", figure.name, number_text(figure));
    }
    out += "},\"series\":[";
    for (const auto& interval : run.load.series)
        out += (out.ends_with('[') ? "" : ",") + interval_json(interval);
    out += fmt::format("],\"keyed_by\":\"{}\",\"failures\":{{",
                       run.load.keyed_by_data ? "data" : "id");
    bool first = true;
    for (const auto& [why, count] : run.load.failures) {
        out += fmt::format("{}{}:{}", first ? "" : ",", json_quoted(why), count);
        first = false;
    }
    return out + "}}\n";
}

std::string interval_line(const sse::LoadInterval& interval) {
    const auto rate = [&](std::uint64_t count) {
        return rate_text(static_cast<double>(count) / std::max(interval.seconds, 1e-9));
    };
    auto line =
        fmt::format("{:>5.0f}s {} open, {} events/s, {} deliveries/s", interval.at,
                    with_commas(interval.open), rate(interval.events), rate(interval.deliveries));
    const auto time = [](std::chrono::nanoseconds value) {
        return seconds_text(std::chrono::duration<double>(value).count());
    };
    if (interval.max)
        line += fmt::format(", p50 {}, p99 {}, max {}", time(*interval.p50), time(*interval.p99),
                            time(*interval.max));
    return line;
}

std::string csv_report(const BenchRun& run) {
    std::string out = "figure,value,unit\n";
    for (const auto& figure : figures_of(run)) {
        out += fmt::format("{},{},{}\n", figure.full_name(),
                           figure.value ? number_text(figure) : "", unit_name(figure.unit));
    }
    return out;
}

} // namespace cmd
