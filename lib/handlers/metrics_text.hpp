// Numbers in Prometheus' text exposition format (version 0.0.4). Not a registry: it keeps nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sse {

/// Writes families one after the other, each with all its samples.
class MetricsText {
public:
    static constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";

    /// Begins a family. By convention the name of a counter ends in `_total`, and the unit stands
    /// before that.
    void counter(std::string_view name, std::string_view help) { begin(name, "counter", help); }
    void gauge(std::string_view name, std::string_view help) { begin(name, "gauge", help); }

    void sample(std::uint64_t value);
    void sample(double value);
    /// With one label; its value may be any UTF-8.
    void sample(std::string_view label, std::string_view label_value, std::uint64_t value);

    const std::string& text() const { return text_; }

private:
    void begin(std::string_view name, std::string_view type, std::string_view help);

    std::string text_, name_;
};

} // namespace sse
