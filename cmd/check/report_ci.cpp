// The report for continuous integration: JUnit's XML and GitHub's workflow commands.
#include "base/utf8.hpp"
#include "cmd/check/report.hpp"

#include <fmt/format.h>

namespace cmd {

namespace {

using namespace sse::checks;

/// `text` as a value of an attribute or the text of an element (XML 1.0, 2.2 and 2.4).
std::string xml(std::string_view text) {
    std::string valid, out;
    sse::append_utf8(text, valid);
    for (const char c : valid) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\n': out += "&#10;"; break;
        default: out.push_back(static_cast<unsigned char>(c) < 0x20 ? '?' : c);
        }
    }
    return out;
}

/// `text` as the message of a workflow command.
std::string command_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '%': out += "%25"; break;
        case '\r': out += "%0D"; break;
        case '\n': out += "%0A"; break;
        default: out.push_back(c);
        }
    }
    return out;
}

std::string details(const CheckReport& report, const Result& result) {
    std::string text;
    for (const auto& line : result.verdict.evidence) text += line + "\n";
    for (const auto& remedy : remedies_for(*result.check, report.servers))
        text += "fix: " + remedy + "\n";
    if (!text.empty()) text.pop_back();
    return text;
}

std::string test_case(const CheckReport& report, const Result& result) {
    const auto& verdict = result.verdict;
    const auto open =
        fmt::format("    <testcase classname=\"sse.check\" name=\"{}\"", result.check->id);
    switch (verdict.kind) {
    case Verdict::Kind::passed: return open + "/>\n";
    case Verdict::Kind::unknown:
    case Verdict::Kind::not_applicable: {
        const auto why = verdict.message.empty() ? "there is nothing to check" : verdict.message;
        return fmt::format("{}>\n      <skipped message=\"{}\"/>\n    </testcase>\n", open,
                           xml(why));
    }
    case Verdict::Kind::finding: break;
    }
    if (verdict.severity != Severity::error) {
        return fmt::format("{}>\n      <system-out>{}: {}&#10;{}</system-out>\n    </testcase>\n",
                           open, to_string(verdict.severity), xml(verdict.message),
                           xml(details(report, result)));
    }
    return fmt::format("{}>\n      <failure type=\"error\" message=\"{}\">{}</failure>\n    "
                       "</testcase>\n",
                       open, xml(verdict.message), xml(details(report, result)));
}

} // namespace

std::string junit_report(const CheckReport& report) {
    std::size_t tests = 0, failures = 0, skipped = 0;
    std::string cases;
    for (const auto& result : report.results) {
        const auto kind = result.verdict.kind;
        ++tests;
        skipped += kind == Verdict::Kind::unknown || kind == Verdict::Kind::not_applicable;
        failures += kind == Verdict::Kind::finding && result.verdict.severity == Severity::error;
        cases += test_case(report, result);
    }
    const auto counts = fmt::format("tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{:.3f}\"",
                                    tests, failures, skipped, report.seen.duration);
    return fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {}>\n  <testsuite "
                       "name=\"{}\" {}>\n{}  </testsuite>\n</testsuites>\n",
                       counts, xml(report.seen.url), counts, cases);
}

std::string github_report(const CheckReport& report) {
    std::string out;
    for (const auto& result : report.results) {
        const auto& verdict = result.verdict;
        if (verdict.kind != Verdict::Kind::finding) continue;
        const char* command = verdict.severity == Severity::error     ? "error"
                              : verdict.severity == Severity::warning ? "warning"
                                                                      : "notice";
        out += fmt::format("::{} title=sse check {}::{}\n", command, result.check->id,
                           command_text(fmt::format("{}: {}\n{}", report.seen.url, verdict.message,
                                                    details(report, result))));
    }
    return out;
}

} // namespace cmd
