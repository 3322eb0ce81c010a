#include "cmd/check/report.hpp"

#include "base/json_text.hpp"
#include "base/printable.hpp"
#include "base/rfc3339.hpp"
#include "check/measures.hpp"
#include "cmd/term/fold.hpp"

#include <chrono>
#include <fmt/format.h>
#include <optional>
#include <set>
#include <utility>

namespace cmd {

namespace {

using namespace sse::checks;

/// The escape sequences of a report; all empty for no colours.
struct ReportColours {
    std::string_view error, warning, note, good, faint, bold, end;
};
constexpr ReportColours colourful{"\x1b[31m", "\x1b[35m", "\x1b[36m", "\x1b[32m",
                                  "\x1b[2m",  "\x1b[1m",  "\x1b[0m"};

std::string_view colour_of(Severity severity, const ReportColours& colours) {
    switch (severity) {
    case Severity::error: return colours.error;
    case Severity::warning: return colours.warning;
    case Severity::note: return colours.note;
    }
    return {};
}

std::string joined(const std::vector<std::string>& parts, const char* separator) {
    std::string text;
    for (const auto& part : parts) {
        if (!text.empty()) text += separator;
        text += part;
    }
    return text;
}

/// Appends a paragraph: its first line begins with `lead`, the others with as many spaces.
void append_paragraph(std::string_view lead, std::string_view text, std::size_t width,
                      std::string& out) {
    std::string folded;
    const auto indent = lead.size();
    append_folded(sse::printable(text), width > indent + 40 ? width - indent : 40, folded);
    out += lead;
    for (const char c : folded) {
        out.push_back(c);
        if (c == '\n') out.append(indent, ' ');
    }
    out.push_back('\n');
}

std::string response_line(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.has_head()) return "no response";
    std::vector<std::string> parts = {fmt::format("status {}", main.status)};
    const auto add = [&](std::string_view text) {
        if (!text.empty()) parts.push_back(sse::printable(text, 60));
    };
    add(main.field("Content-Type"));
    add(main.field("Server"));
    add(main.version);
    if (seen.tls) {
        add(seen.tls->version);
        if (seen.tls->protocol && *seen.tls->protocol == "h2") add("HTTP/2 offered");
    }
    return joined(parts, ", ");
}

std::string timing_line(const Observations& seen) {
    const auto& main = seen.main();
    std::vector<std::string> parts;
    if (main.connected) parts.push_back("connect " + shown_seconds(*main.connected - main.started));
    if (main.has_head()) parts.push_back("head " + shown_seconds(main.latency()));
    if (!main.events.empty()) {
        parts.push_back("first event " +
                        shown_seconds(main.events.front().at - main.connected.value_or(0)));
    }
    parts.push_back(fmt::format("{} in {}", counted(main.events.size(), "event"),
                                shown_seconds(seen.duration)));
    std::uint64_t requests = 0;
    for (const auto& each : seen.exchanges) requests += each.made();
    parts.push_back(counted(requests, "request"));
    return joined(parts, ", ");
}

std::vector<std::string> ids_with(const CheckReport& report, Verdict::Kind kind) {
    std::vector<std::string> ids;
    for (const auto& result : report.results) {
        if (result.verdict.kind == kind) ids.emplace_back(result.check->id);
    }
    return ids;
}

/// Appends a finding. Remedies in `shown` are already in the report, and are not repeated.
void append_finding(const CheckReport& report, const Result& result, const ReportColours& colours,
                    std::size_t width, std::set<std::string>& shown, std::string& out) {
    const auto& verdict = result.verdict;
    out += fmt::format("\n{}{}{} {}{}{}: {}\n", colour_of(verdict.severity, colours),
                       to_string(verdict.severity), colours.end, colours.bold, result.check->id,
                       colours.end, sse::printable(verdict.message));
    for (const auto& line : verdict.evidence) append_paragraph("  ", line, width, out);
    bool any = false;
    for (const auto& remedy : remedies_for(*result.check, report.servers)) {
        if (!shown.insert(remedy).second) continue;
        append_paragraph("  fix: ", remedy, width, out);
        any = true;
    }
    if (!any) out += "  fix: as above\n";
}

/// The checks that could not be decided; those with the same reason share a line.
void append_unknown(const CheckReport& report, std::size_t width, std::string& out) {
    std::vector<std::pair<std::string, std::string>> reasons;
    for (const auto& result : report.results) {
        if (result.verdict.kind != Verdict::Kind::unknown) continue;
        const auto& why = result.verdict.message;
        auto place = reasons.begin();
        while (place != reasons.end() && place->second != why) ++place;
        if (place == reasons.end()) reasons.emplace_back(result.check->id, why);
        else place->first += fmt::format(", {}", result.check->id);
    }
    for (const auto& [ids, why] : reasons)
        append_paragraph("?   ", fmt::format("{}: {}", ids, why), width, out);
}

} // namespace

std::string text_report(const CheckReport& report, bool colour, std::size_t width) {
    const auto colours = colour ? colourful : ReportColours{};
    const auto& seen = report.seen;
    std::string out = fmt::format("{}{}{}\n  {}\n  {}\n", colours.bold, sse::printable(seen.url),
                                  colours.end, response_line(seen), timing_line(seen));
    std::size_t counts[3] = {};
    std::set<std::string> shown;
    for (const auto severity : {Severity::error, Severity::warning, Severity::note}) {
        for (const auto& result : report.results) {
            if (result.verdict.kind != Verdict::Kind::finding ||
                result.verdict.severity != severity)
                continue;
            append_finding(report, result, colours, width, shown, out);
            ++counts[static_cast<std::size_t>(severity)];
        }
    }
    const auto good = ids_with(report, Verdict::Kind::passed);
    const auto unknown = ids_with(report, Verdict::Kind::unknown);
    out.push_back('\n');
    out += colours.good;
    if (!good.empty()) append_paragraph("ok  ", joined(good, ", "), width, out);
    out += colours.end;
    out += colours.faint;
    append_unknown(report, width, out);
    out += colours.end;
    out += fmt::format("\n{}, {}, {}; {} passed, {} not decided\n", counted(counts[2], "error"),
                       counted(counts[1], "warning"), counted(counts[0], "note"), good.size(),
                       unknown.size());
    return out;
}

namespace {

/// Writes the members of one JSON object.
class JsonObject {
public:
    explicit JsonObject(std::string& out)
        : out_(out) {
        out_.push_back('{');
    }
    void end() { out_.push_back('}'); }

    std::string& key(std::string_view name) {
        if (!first_) out_.push_back(',');
        first_ = false;
        sse::append_json_string(name, out_);
        out_.push_back(':');
        return out_;
    }
    void text(std::string_view name, std::string_view value) {
        sse::append_json_string(value, key(name));
    }
    void number(std::string_view name, std::uint64_t value) {
        key(name) += fmt::format("{}", value);
    }
    void seconds(std::string_view name, std::optional<double> value) {
        if (value) key(name) += fmt::format("{:.6f}", *value);
    }
    void texts(std::string_view name, const std::vector<std::string>& values) {
        array(name, values, [this](const std::string& value) {
            sse::append_json_string(value, out_);
            return true;
        });
    }
    /// An array of what `append` writes for each of `values`, unless it returns false.
    template <class Values, class Append>
    void array(std::string_view name, const Values& values, Append append) {
        key(name).push_back('[');
        for (const auto& value : values) {
            const auto before = out_.size();
            if (out_.back() != '[') out_.push_back(',');
            if (!append(value)) out_.resize(before);
        }
        out_.push_back(']');
    }

private:
    std::string& out_;
    bool first_ = true;
};

std::string_view ending_name(Ending ending) {
    switch (ending) {
    case Ending::none: return "none";
    case Ending::stopped: return "stopped";
    case Ending::complete: return "complete";
    case Ending::closed: return "closed";
    case Ending::cut: return "cut";
    case Ending::reset: return "reset";
    case Ending::silent: return "silent";
    case Ending::refused: return "refused";
    case Ending::failed: return "failed";
    }
    return "";
}

void append_probe(std::string_view name, const Exchange& seen, std::string& out) {
    JsonObject object(out);
    object.text("name", name);
    object.seconds("started", seen.started);
    object.seconds("connected", seen.connected);
    object.seconds("head", seen.head);
    object.seconds("first_byte", seen.first_body);
    object.seconds("ended", seen.ended);
    if (seen.has_head()) object.number("status", static_cast<std::uint64_t>(seen.status));
    object.text("end", ending_name(seen.ending));
    if (!seen.failure.empty()) object.text("failure", seen.failure);
    object.number("bytes", seen.body_bytes);
    object.number("events", seen.events.size());
    object.end();
}

void append_timing(const Exchange& main, std::string& out) {
    JsonObject timing(out);
    if (main.connected) timing.seconds("connect", *main.connected - main.started);
    if (main.has_head()) timing.seconds("head", main.latency());
    if (!main.events.empty())
        timing.seconds("first_event", main.events.front().at - main.connected.value_or(0));
    timing.end();
}

} // namespace

std::string json_report(const CheckReport& report) {
    const auto& seen = report.seen;
    using Clock = std::chrono::system_clock;
    const Clock::time_point started(std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(seen.wall_start)));
    std::string out;
    JsonObject object(out);
    object.number("version", 1);
    object.text("url", seen.url);
    object.text("started", sse::rfc3339(started));
    object.seconds("seconds", seen.duration);
    object.seconds("late", seen.late);
    object.texts("server", report.servers);
    append_timing(seen.main(), object.key("timing"));
    object.number("events", seen.main().events.size());
    object.array("probes", seen.exchanges, [&](const Exchange& each) {
        const auto probe = static_cast<Probe>(&each - seen.exchanges.data());
        if (each.made()) append_probe(to_string(probe), each, out);
        return each.made();
    });
    object.array("findings", report.results, [&](const Result& result) {
        if (result.verdict.kind != Verdict::Kind::finding) return false;
        JsonObject found(out);
        found.text("id", result.check->id);
        found.text("severity", to_string(result.verdict.severity));
        found.text("message", result.verdict.message);
        found.texts("evidence", result.verdict.evidence);
        found.texts("remedies", remedies_for(*result.check, report.servers));
        found.end();
        return true;
    });
    object.texts("passed", ids_with(report, Verdict::Kind::passed));
    object.array("unknown", report.results, [&](const Result& result) {
        if (result.verdict.kind != Verdict::Kind::unknown) return false;
        JsonObject undecided(out);
        undecided.text("id", result.check->id);
        undecided.text("why", result.verdict.message);
        undecided.end();
        return true;
    });
    object.end();
    out.push_back('\n');
    return out;
}

std::string explanation(const Check& check, std::size_t width) {
    std::string out =
        fmt::format("{} ({}): {}\n", check.id, to_string(check.severity), check.title);
    append_paragraph("  Checked: ", check.looks_at, width, out);
    append_paragraph("  Why:     ", check.why, width, out);
    const char* lead = "  Fix:     ";
    for (const auto& remedy : remedies_for(check, {})) {
        append_paragraph(lead, remedy, width, out);
        lead = "           ";
    }
    return out;
}

std::string explanation_json(const std::vector<const Check*>& checks) {
    std::string out = "[";
    for (const auto* check : checks) {
        if (check != checks.front()) out += ",\n";
        JsonObject object(out);
        object.text("id", check->id);
        object.text("severity", to_string(check->severity));
        object.text("title", check->title);
        object.text("checked", check->looks_at);
        object.text("why", check->why);
        object.texts("remedies", general_remedies(*check));
        object.text("purpose", to_string(check->cure));
        object.texts("servers", server_remedies(check->cure, {}));
        object.end();
    }
    return out + "]\n";
}

} // namespace cmd
