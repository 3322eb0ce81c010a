#include "handlers/metrics_text.hpp"
#include "unit/catch2.hpp"

TEST_CASE("families are written with help, type and samples") {
    sse::MetricsText out;
    out.gauge("a_bytes", "Bytes.");
    out.sample(std::uint64_t{18446744073709551615u});
    out.counter("b_total", "A \\ and\na line.");
    out.sample("x", "1", 2);
    out.counter("c_seconds_total", "Seconds.");
    out.sample(0.25);
    CHECK(out.text() == "# HELP a_bytes Bytes.\n"
                        "# TYPE a_bytes gauge\n"
                        "a_bytes 18446744073709551615\n"
                        "# HELP b_total A \\\\ and\\na line.\n"
                        "# TYPE b_total counter\n"
                        "b_total{x=\"1\"} 2\n"
                        "# HELP c_seconds_total Seconds.\n"
                        "# TYPE c_seconds_total counter\n"
                        "c_seconds_total 0.25\n");
}

TEST_CASE("any value of a label stays one value") {
    struct Row {
        const char *value, *written;
    };
    const Row rows[] = {
        {"/", "/"},
        {"a\"b", "a\\\"b"},
        {"a\\b", "a\\\\b"},
        {"a\nb", "a\\nb"},
        {"\\n", "\\\\n"},
        {"\xC3\xBC", "\xC3\xBC"},
        {"{a=\"b\"} 1", "{a=\\\"b\\\"} 1"},
        {"\xFF", "\xEF\xBF\xBD"},
    };
    for (const auto& row : rows) {
        sse::MetricsText out;
        out.gauge("g", "G.");
        out.sample("l", row.value, 1);
        CHECK(out.text() ==
              "# HELP g G.\n# TYPE g gauge\ng{l=\"" + std::string(row.written) + "\"} 1\n");
    }
}
