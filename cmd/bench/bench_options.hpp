// The options of sse bench. Opens nothing.
#pragma once

#include "cmd/bench/bar.hpp"
#include "cmd/client/connection_flags.hpp"
#include "cmd/client/request_flags.hpp"
#include "load/load_options.hpp"
#include "load/load_publisher.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

enum class BenchFormat : std::uint8_t { text, json, csv };

struct BenchOptions {
    std::vector<std::string> urls;
    RequestFlags request;
    ConnectionFlags connection;
    sse::LoadOptions load;
    static constexpr std::size_t most_processes = 1024;
    std::size_t processes = 1; ///< that have the subscribers in turn
    std::optional<std::chrono::nanoseconds> ramp;
    std::string publish_url;
    std::vector<std::string> publish_headers;
    sse::LoadPublisherOptions publisher;
    std::string time_pointer, time_regex, sequence;
    BenchFormat format = BenchFormat::text;
    std::vector<Bar> bars;
    std::optional<std::chrono::nanoseconds> interval; ///< --interval: lines on stderr
    std::optional<int> pid;
    std::string histogram_file, html_file;
    bool yes = false;
};

/// Adds all options of sse bench to `app`, bound to `o`, which must outlive the parse.
void add_bench_options(CLI::App& app, BenchOptions& o);

} // namespace cmd
