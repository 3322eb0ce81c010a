#include "cmd/bench/html_report.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <utility>

namespace cmd {

namespace {

/// The points of a curve as JSON pairs: a share of the values, and the value in seconds that this
/// share does not exceed. A few hundred at most, and denser where the share is close to 1.
std::string points_of(const sse::Histogram& histogram) {
    std::string out;
    double shown = -1; // number of nines of the last point
    std::uint64_t seen = 0;
    const auto& counts = histogram.counts();
    for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) {
        if (counts[bucket] == 0) continue;
        seen += counts[bucket];
        const bool last = seen == histogram.count();
        const auto part = static_cast<double>(seen) / static_cast<double>(histogram.count());
        const auto nines = -std::log10(std::max(1 - part, 1e-9));
        if (!last && nines - shown < 0.01) continue;
        shown = nines;
        const auto value = std::min(static_cast<double>(sse::Histogram::top_of(bucket)),
                                    static_cast<double>(histogram.max().count()));
        out += fmt::format("{}[{:.6f},{:.9f}]", out.empty() ? "" : ",", part, value / 1e9);
    }
    return out;
}

/// Escapes JSON for a script element, which only a `<` could end.
std::string for_script(std::string json) {
    for (auto at = json.find('<'); at != json.npos; at = json.find('<', at))
        json.replace(at, 1, "\\u003c");
    return json;
}

} // namespace

std::string html_report(const BenchSetup& setup, const BenchRun& run) {
    const auto& load = run.load;
    auto data = fmt::format("{{\"report\":{},\"curves\":[", json_report(setup, run));
    const std::pair<const char*, const sse::Histogram*> curves[] = {
        {"connect", &load.connect},   {"head", &load.head}, {"first_event", &load.first_event},
        {"delivery", &load.delivery}, {"skew", &load.skew}, {"storm", &load.storm},
        {"behind", &load.behind},
    };
    bool first = true;
    for (const auto& [name, histogram] : curves) {
        data += fmt::format("{}{{\"name\":\"{}\",\"points\":[{}]}}", first ? "" : ",", name,
                            points_of(*histogram));
        first = false;
    }
    data += "],\"marks\":[";
    if (load.storm_at) data += fmt::format(R"({{"at":{:.3f},"text":"storm"}})", *load.storm_at);
    data += "]}";

    constexpr std::string_view place = "{{data}}";
    std::string page(bench_page);
    return page.replace(page.find(place), place.size(), for_script(std::move(data)));
}

} // namespace cmd
