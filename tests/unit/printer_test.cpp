#include "cmd/tail/printer.hpp"

#include "unit/catch2.hpp"

namespace {

using namespace std::chrono_literals;

/// A second after 2026-11-22T05:00:00Z and after the start for each event.
cmd::PrinterOptions options() {
    cmd::PrinterOptions options;
    options.now = [calls = 0]() mutable {
        const auto passed = std::chrono::seconds(calls++);
        return cmd::Moment{std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 5h + passed,
                           passed};
    };
    options.times = cmd::Times::relative;
    return options;
}

struct Given {
    std::string type = "message", data;
    std::string last_id = {}, source = {};
};

std::string printed(cmd::Printer& printer, const Given& given) {
    std::string out;
    const bool any =
        printer.event({{given.type, given.data, {}}, given.last_id, given.source}, out);
    return any ? out : "nothing";
}

} // namespace

TEST_CASE("each format prints an event its way") {
    struct Row {
        cmd::Format format;
        Given event;
        std::string text;
        bool terminal = false;
    };
    const Row rows[] = {
        {cmd::Format::data, {"add", "a\nb"}, "a\nb\n"},
        {cmd::Format::data, {"add", ""}, "\n"},
        {cmd::Format::data, {"add", "a\nb", "", "x"}, "x\ta\nx\tb\n"},
        {cmd::Format::data, {"add", "\x1b[2J"}, "\x1b[2J\n"},
        {cmd::Format::data, {"add", "\x1b[2J"}, "\\x1b[2J\n", true},
        {cmd::Format::sse, {"add", "a\nb"}, "event: add\ndata: a\ndata: b\n\n"},
        {cmd::Format::raw, {"add", "a"}, ""},
        {cmd::Format::json,
         {"add", "a\n\"", "7"},
         R"({"time":"2026-11-22T05:00:00.000Z","t":0.000000,"event":"add","id":"7","data":"a\n\""})"
         "\n"},
        {cmd::Format::json,
         {"message", "\u2028\x7f", "", "x"},
         R"({"time":"2026-11-22T05:00:00.000Z","t":0.000000,"source":"x","event":"message","id":"","data":"\u2028\u007f"})"
         "\n",
         true},
        {cmd::Format::pretty, {"add", "text"}, "     0.000    +0ms  add  text\n"},
        {cmd::Format::pretty, {"add", "a\nb"}, "     0.000    +0ms  add\n  a\n  b\n"},
        {cmd::Format::pretty, {"add", ""}, "     0.000    +0ms  add\n"},
        {cmd::Format::pretty, {"add", "{\"a\":1}"}, "     0.000    +0ms  add\n  {\"a\": 1}\n"},
        {cmd::Format::pretty, {"add", "t\x1b", "", "x"}, "     0.000    +0ms  x  add  t\\x1b\n"},
    };
    for (const auto& row : rows) {
        auto with = options();
        with.terminal = row.terminal;
        const auto printer = cmd::make_printer(row.format, std::move(with));
        CHECK(printed(*printer, row.event) == row.text);
    }
}

TEST_CASE("pretty marks long gaps, and colours") {
    auto with = options();
    with.gap_warn = 500ms;
    with.colour = true;
    const auto printer = cmd::make_printer(cmd::Format::pretty, std::move(with));
    CHECK(printed(*printer, {"a", ""}) ==
          "\x1b[2m     0.000 \x1b[0m\x1b[2m   +0ms\x1b[0m  \x1b[1;36ma\x1b[0m\n");
    CHECK_THAT(printed(*printer, {"a", ""}), ContainsSubstring("\x1b[1;31m +1.00s!\x1b[0m"));
}

TEST_CASE("--format fills in fields, pointers and escapes") {
    const auto text = [](const std::string& format, bool join = false) {
        auto with = options();
        with.join = join;
        with.missing = "-";
        const auto printer = cmd::make_format_printer(format, std::move(with));
        printed(*printer, {"first", ""});
        return printed(*printer, {"add", R"({"a":[1,"x y"]})", "7", "src"});
    };
    CHECK(text("{event} {id} {source}") == "add 7 src\n");
    CHECK(text("{data}") == "{\"a\":[1,\"x y\"]}\n");
    CHECK(text("{time} {t} {gap}") == "2026-11-22T05:00:01.000Z 1.000000 1.000000\n");
    CHECK(text("{/a/0}\\t{/a/1}\\t{/b}") == "1\tx y\t-\n");
    CHECK(text("{{{id}}}\\n\\\\", true) == "{7}\n\\");
    CHECK(text("", true) == "");
}

TEST_CASE("--pointer prints values, and nothing for an event without any") {
    const auto text = [](std::vector<std::string> pointers, const std::string& data,
                         std::optional<std::string> missing = {}, bool join = false) {
        auto with = options();
        with.missing = std::move(missing);
        with.join = join;
        const auto printer = cmd::make_pointer_printer(std::move(pointers), std::move(with));
        return printed(*printer, {"message", data});
    };
    CHECK(text({"/a"}, R"({"a":"x\ny"})") == "x\ny\n");
    CHECK(text({"/a", "/b"}, R"({"a":1.10,"b":[ 1, 2 ]})") == "1.10\t[1,2]\n");
    CHECK(text({"/a", "/b"}, R"({"b":2})") == "2\n");
    CHECK(text({"/a", "/b"}, R"({"b":2})", "-") == "-\t2\n");
    CHECK(text({"/a"}, R"({"b":2})") == "nothing");
    CHECK(text({"/a"}, "[DONE]") == "nothing");
    CHECK(text({"/a"}, R"({"a":"x"})", {}, true) == "x");
    CHECK(text({""}, R"("x")") == "x\n");
}
