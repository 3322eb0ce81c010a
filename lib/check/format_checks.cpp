// The lines of the stream against the format (HTML 9.2.5 and 9.2.6).
#include "check/check.hpp"
#include "check/measures.hpp"

#include <fmt/format.h>

namespace sse::checks {

namespace {

constexpr std::uint64_t least_retry = 500; ///< milliseconds

std::vector<std::string> lines_of(const std::vector<BadLine>& lines) {
    std::vector<std::string> out;
    out.reserve(lines.size());
    for (const auto& line : lines)
        out.push_back(fmt::format("line {}: {}", line.number, line.text));
    return out;
}

/// A lint: `severity` with the lines, if there are any.
Verdict lint(const Observations& seen, std::vector<BadLine> FormatNotes::*lines, Severity severity,
             const char* message) {
    const auto& main = seen.main();
    if (!main.is_stream() || main.body_bytes == 0) return not_applicable();
    const auto& found = main.format.*lines;
    return found.empty() ? passed() : finding(severity, message, lines_of(found));
}

Verdict fields(const Observations& seen) {
    auto verdict = lint(seen, &FormatNotes::misspelt_fields, Severity::error,
                        "field names are misspelt, so their lines are ignored");
    if (verdict.kind != Verdict::Kind::passed) return verdict;
    return lint(seen, &FormatNotes::unknown_fields, Severity::warning,
                "lines with unknown fields are ignored");
}

Verdict no_blank_line(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.is_stream() || main.body_bytes == 0) return not_applicable();
    const bool over = main.ending == Ending::complete || main.ending == Ending::closed;
    if (over && main.format.unfinished_event) {
        return finding(Severity::error, "the last event is lost, because no blank line ends it",
                       {fmt::format("{} arrived before it", counted(main.events.size(), "event"))});
    }
    if (main.format.data_lines < 2 || !main.events.empty()) return passed();
    return finding(Severity::error, "data lines arrive, but no blank line ends an event",
                   {fmt::format("{} and no event", counted(main.format.data_lines, "data line"))});
}

Verdict no_data(const Observations& seen) {
    return lint(seen, &FormatNotes::without_data, Severity::warning,
                "events without data are ignored");
}
Verdict id_nul(const Observations& seen) {
    return lint(seen, &FormatNotes::nul_ids, Severity::error, "IDs with a NUL are ignored");
}
Verdict utf8(const Observations& seen) {
    return lint(seen, &FormatNotes::invalid_utf8, Severity::error, "the stream is not valid UTF-8");
}
Verdict doubled(const Observations& seen) {
    return lint(seen, &FormatNotes::doubled, Severity::error,
                "the data begins with a field name: the framing was added twice");
}
Verdict big(const Observations& seen) {
    return lint(seen, &FormatNotes::large, Severity::note, "events are larger than 1MiB");
}
Verdict bom(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.is_stream() || main.body_bytes == 0) return not_applicable();
    const auto& found = main.format.byte_order_marks;
    if (found.empty()) return passed();
    if (found.front().number == 1 && found.size() == 1)
        return finding(Severity::note, "the stream begins with a byte order mark", lines_of(found));
    return finding(Severity::error,
                   "a byte order mark within the stream makes clients ignore its line",
                   lines_of(found));
}

Verdict retry(const Observations& seen) {
    const auto& main = seen.main();
    if (!main.is_stream() || main.body_bytes == 0) return not_applicable();
    if (!main.format.bad_retries.empty()) {
        return finding(Severity::error, "retry is not a number of milliseconds, and is ignored",
                       lines_of(main.format.bad_retries));
    }
    if (!main.format.retry_ms) {
        return finding(Severity::note, "the stream does not set a reconnection time",
                       {"browsers then wait 3s to 5s before they reconnect"});
    }
    if (*main.format.retry_ms >= least_retry) return passed();
    return finding(
        Severity::warning,
        "the reconnection time is short: after a restart, all clients reconnect almost at once",
        {fmt::format("retry: {}", *main.format.retry_ms)});
}

constexpr Check format_list[] = {
    {"fields", Severity::error, "unknown fields",
     "The names of the fields. An error if a name differs from data, event, id or retry only in "
     "case or spaces; a warning for other unknown names.",
     "A line with any other name is ignored, and its value is lost.",
     "write \"data: ...\" in lower case, without a space before the colon; a comment begins with "
     "a colon",
     Cure::none, fields},
    {"no-blank-line", Severity::error, "blank line missing",
     "The blank lines. An error if two or more data lines arrive but no event, or if the stream "
     "ends within an event.",
     "A client dispatches an event at the blank line after it. Without one, the event waits, and "
     "is discarded at the end of the stream.",
     "end each event with two line ends: \"data: ...\\n\\n\"", Cure::none, no_blank_line},
    {"no-data", Severity::warning, "events without data",
     "Blocks with an event field but no data field.",
     "A client dispatches no event for such a block, so no listener is called.",
     "add a data field, which may be empty: \"data:\"", Cure::none, no_data},
    {"id-nul", Severity::error, "NUL in an ID", "IDs that contain U+0000.",
     "Clients ignore such an ID, and resume after the previous one.",
     "use IDs of printable characters", Cure::none, id_nul},
    {"utf-8", Severity::error, "invalid UTF-8",
     "The bytes of each line of up to 1KiB. An error if they are not valid UTF-8.",
     "Clients replace invalid bytes with U+FFFD. A character that is split between two writes is "
     "valid.",
     "encode all text as UTF-8", Cure::none, utf8},
    {"double", Severity::error, "framing added twice", "Data that begins with data: or event:.",
     "The source is already an event stream, and the server adds the framing again.",
     "pass the bytes on unchanged (sse serve --input sse)", Cure::none, doubled},
    {"big", Severity::note, "large events", "The size of each event. A note if it is over 1MiB.",
     "A browser holds several copies of the whole event in memory before the page receives it.",
     "send a URL from which the data can be fetched, or split the event", Cure::none, big},
    {"bom", Severity::error, "byte order mark",
     "U+FEFF at the start of a line. A note at the start of the stream, where it is skipped; an "
     "error elsewhere.",
     "The mark comes from concatenated files or from a template. It becomes part of the field "
     "name, "
     "so clients ignore the line.",
     "save the source without a byte order mark", Cure::none, bom},
    {"retry", Severity::error, "reconnection time",
     "The retry field. An error if its value contains anything but digits, a warning if it is "
     "under "
     "500ms, a note if there is no such field.",
     "After a restart of the server, all clients reconnect after this time.",
     "send \"retry: 3000\" at the start of the stream", Cure::none, retry},
};

} // namespace

std::span<const Check> format_checks() { return format_list; }

} // namespace sse::checks
