// Writes the Prometheus text exposition format (version 0.0.4).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sse {

/// Writes metric families one after the other, each with its samples. Used on one thread.
class MetricsText {
public:
    static constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";

    /// Begins a family. By convention a counter's name ends in `_total`, after the unit.
    void counter(std::string_view name, std::string_view help) { begin(name, "counter", help); }
    void gauge(std::string_view name, std::string_view help) { begin(name, "gauge", help); }

    /// Adds a sample of the family begun last.
    void sample(std::uint64_t value);
    void sample(double value);
    /// A sample with one label, whose value may be any text.
    void sample(std::string_view label, std::string_view label_value, std::uint64_t value);

    const std::string& text() const { return text_; }

private:
    void begin(std::string_view name, std::string_view type, std::string_view help);

    std::string text_, name_;
};

} // namespace sse
