#include "cmd/bench/figures.hpp"

#include "cmd/bench/amounts.hpp"
#include "cmd/cli/duration.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <utility>

namespace cmd {

namespace {

using Unit = Figure::Unit;

class List {
public:
    explicit List(std::vector<Figure>& figures)
        : figures_(figures) {}
    void group(std::string name) { group_ = std::move(name); }
    void add(std::string name, Unit unit, std::optional<double> value) {
        figures_.push_back({group_, std::move(name), unit, value});
    }
    void count(std::string name, std::uint64_t value) {
        add(std::move(name), Unit::count, static_cast<double>(value));
    }
    void times(std::string name, const sse::Histogram& histogram) {
        group(std::move(name));
        count("count", histogram.count());
        const auto percentile = [&](const char* label, double part) {
            std::optional<double> value;
            if (histogram.count() > 0)
                value = std::chrono::duration<double>(histogram.percentile(part)).count();
            add(label, Unit::seconds, value);
        };
        percentile("p50", 0.5);
        percentile("p90", 0.9);
        percentile("p99", 0.99);
        percentile("p99.9", 0.999);
        percentile("max", 1);
    }

private:
    std::vector<Figure>& figures_;
    std::string group_;
};

std::optional<double> per_second(std::uint64_t count, double seconds) {
    if (seconds <= 0) return std::nullopt;
    return static_cast<double>(count) / seconds;
}

void add_counts(const sse::LoadResult& load, List& list) {
    list.count("subscribers", load.subscribers);
    list.count("opened", load.opened);
    list.count("open", load.open);
    list.count("failed", load.failed);
    list.count("busy", load.busy);
    list.count("ended", load.ended);
    list.count("broken", load.broken);
    list.count("silent", load.silent);
    list.count("left", load.left);
    list.count("lost", load.ledger.lost);
    list.count("missed", load.ledger.missed);
    list.count("duplicates", load.ledger.duplicates);
    list.count("repeated", load.ledger.repeated);
    list.count("disordered", load.ledger.disordered);
    list.add("seconds", Unit::seconds, load.seconds);
    list.count("events", load.events);
    list.add("events_per_second", Unit::ratio, per_second(load.events, load.seconds));
    list.count("deliveries", load.deliveries);
    list.add("deliveries_per_second", Unit::ratio, per_second(load.deliveries, load.seconds));
    list.count("untimed", load.untimed);
    list.add("bytes", Unit::bytes, static_cast<double>(load.bytes));
    list.add("bytes_per_second", Unit::bytes, per_second(load.bytes, load.seconds));
}

void add_server(const std::optional<ServerUsage>& server, List& list) {
    const auto if_known = [&](auto value) {
        return server ? std::optional(static_cast<double>(value(*server))) : std::nullopt;
    };
    list.group("server");
    list.add("cpu", Unit::ratio, if_known([](const auto& s) { return s.cpu; }));
    list.add("cpu_per_delivery", Unit::seconds, server ? server->cpu_per_delivery : std::nullopt);
    list.add("memory", Unit::bytes, if_known([](const auto& s) { return s.resident_bytes; }));
    list.add("memory_per_subscriber", Unit::bytes,
             server ? server->bytes_per_subscriber : std::nullopt);
    std::optional<double> descriptors;
    if (server && server->descriptors) descriptors = static_cast<double>(*server->descriptors);
    list.add("descriptors", Unit::count, descriptors);
}

} // namespace

std::vector<Figure> figures_of(const BenchRun& run) {
    const auto& load = run.load;
    std::vector<Figure> figures;
    List list(figures);
    add_counts(load, list);
    list.times("connect", load.connect);
    list.times("head", load.head);
    list.times("first_event", load.first_event);
    list.times("delivery", load.delivery);
    list.times("skew", load.skew);
    list.times("storm", load.storm);
    list.count("cut", load.storm_cut);
    list.group("slow");
    list.count("subscribers", load.slow.subscribers);
    list.count("events", load.slow.events);
    list.add("bytes", Unit::bytes, static_cast<double>(load.slow.bytes));
    list.count("cut", load.slow.cut);

    list.group("fairness");
    const bool known = load.deliveries > load.untimed;
    const auto if_known = [&](double value) { return known ? std::optional(value) : std::nullopt; };
    list.add("jain", Unit::ratio, if_known(load.fairness.jain));
    list.add("slowest", Unit::seconds, if_known(load.fairness.slowest_percent));
    list.add("others", Unit::seconds, if_known(load.fairness.others));
    list.add("order", Unit::ratio, if_known(load.fairness.order_correlation));

    const auto published = run.published.value_or(sse::LoadPublished{});
    list.group("publish");
    list.count("due", published.due);
    list.count("accepted", published.accepted);
    list.count("failed", published.failed);
    list.times("publish_response", published.response);
    list.times("publish_late", published.late);

    list.group("client");
    const bool measured = load.seconds > 0;
    list.add("cpu", Unit::ratio, measured ? std::optional(load.client.cpu) : std::nullopt);
    list.add("cpu_per_delivery", Unit::seconds,
             load.deliveries > 0 ? std::optional(load.client.cpu_per_delivery) : std::nullopt);
    list.add("memory", Unit::bytes, static_cast<double>(load.client.resident_bytes));
    list.times("behind", load.behind);
    add_server(run.server, list);
    return figures;
}

const Figure* find_figure(const std::vector<Figure>& figures, std::string_view name) {
    const auto named = [&](const Figure& figure) {
        return figure.full_name() == name || (figure.group == "delivery" && figure.name == name);
    };
    const auto found = std::find_if(figures.begin(), figures.end(), named);
    return found == figures.end() ? nullptr : &*found;
}

std::string shown(const Figure& figure) {
    if (!figure.value) return "unknown";
    switch (figure.unit) {
    case Unit::count: return with_commas(static_cast<std::uint64_t>(*figure.value));
    case Unit::seconds: return seconds_text(*figure.value);
    case Unit::bytes: return bytes_text(*figure.value);
    case Unit::ratio: break;
    }
    return rate_text(*figure.value);
}

} // namespace cmd
