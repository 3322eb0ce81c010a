// The figures of a load run by name, as the JSON report, the CSV report and --fail use them.
#pragma once

#include "load/load_publisher.hpp"
#include "load/load_result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cmd {

/// The resource usage of the server process during the measurement.
struct ServerUsage {
    double cpu = 0;                             ///< cores
    std::optional<double> cpu_per_delivery;     ///< s
    std::uint64_t resident_bytes = 0;           ///< at the end of the measurement
    std::optional<double> bytes_per_subscriber; ///< increase since before the run
    std::optional<std::uint64_t> descriptors;
};

/// The results of a run.
struct BenchRun {
    sse::LoadResult load;
    std::optional<ServerUsage> server;           ///< with --pid
    std::optional<sse::LoadPublished> published; ///< with --publish
};

struct Figure {
    enum class Unit : std::uint8_t { count, seconds, bytes, ratio };

    std::string group; ///< "" for none
    std::string name;
    Unit unit;
    std::optional<double> value; ///< nullopt: not measured

    /// `connect.p99`
    std::string full_name() const { return group.empty() ? name : group + "." + name; }
};

/// All figures, in the order of the reports; those of a group are together.
std::vector<Figure> figures_of(const BenchRun& run);

/// The figure with that full name; `p50` to `max` alone are those of `delivery`. nullptr if there
/// is none.
const Figure* find_figure(const std::vector<Figure>& figures, std::string_view name);

/// The value for people: `250ms`, `12,345`, `0.98`, `unknown`.
std::string shown(const Figure& figure);

} // namespace cmd
