#include "base/error.hpp"
#include "base/json_string.hpp"
#include "base/json_text.hpp"
#include "base/printable.hpp"
#include "base/rfc3339.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/json_values.hpp"
#include "cmd/tail/printer.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace cmd {

namespace {

constexpr std::array<std::string_view, 7> field_names{"time",  "t",  "gap", "source",
                                                      "event", "id", "data"};

/// A piece of the format: text as it is, a field by name, or a pointer into the data.
struct Piece {
    enum class Kind : std::uint8_t { text, field, pointer } kind;
    std::string text;
};

[[noreturn]] void refuse(const std::string& format, const std::string& why) {
    throw Failure(Exit::usage, fmt::format("--format \"{}\" {}", sse::printable(format, 200), why),
                  "for example --format '{id} {/choices/0/delta/content}'");
}

char escaped(char c, const std::string& format) {
    switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case '0': return '\0';
    case 'e': return '\x1b';
    case '\\': return '\\';
    default:
        refuse(format,
               fmt::format("has the unknown escape \\{}; the escapes are \\n \\t \\r \\0 \\e \\\\",
                           c));
    }
}

/// `{name}`, `{/pointer}`, `{{` and `}}` for braces, and escapes.
std::vector<Piece> read_format(const std::string& format) {
    std::vector<Piece> pieces;
    std::string text;
    const auto end_text = [&] {
        if (!text.empty()) pieces.push_back({Piece::Kind::text, std::exchange(text, {})});
    };
    for (std::size_t at = 0; at < format.size(); ++at) {
        const char c = format[at];
        const bool twice = at + 1 < format.size() && format[at + 1] == c;
        if (c == '\\') {
            if (at + 1 == format.size()) refuse(format, "ends in a backslash");
            text.push_back(escaped(format[++at], format));
        } else if ((c == '{' || c == '}') && twice) {
            text.push_back(c);
            ++at;
        } else if (c == '{') {
            const auto end = format.find('}', at);
            if (end == format.npos) refuse(format, "has a { without a matching }");
            const auto name = format.substr(at + 1, end - at - 1);
            end_text();
            if (name.starts_with('/')) {
                check_pointer(name);
                pieces.push_back({Piece::Kind::pointer, name});
            } else if (std::find(field_names.begin(), field_names.end(), name) !=
                       field_names.end()) {
                pieces.push_back({Piece::Kind::field, name});
            } else {
                refuse(format,
                       fmt::format("has the unknown field {{{}}}; the fields are {{time}} {{t}} "
                                   "{{gap}} {{source}} {{event}} "
                                   "{{id}} {{data}} and JSON pointers such as {{/a/0}}",
                                   name));
            }
            at = end;
        } else {
            text.push_back(c);
        }
    }
    end_text();
    return pieces;
}

/// Appends values of JSON strings. With --join the halves of a surrogate pair that two events of
/// one stream hold are joined, as with the deltas of an LLM that splits an emoji; else each value
/// stands by itself.
class ValueWriter {
public:
    explicit ValueWriter(const PrinterOptions& options)
        : terminal_(options.terminal)
        , join_(options.join) {}

    void append(std::string_view source, std::string_view value, std::string& out) {
        text_.clear();
        if (join_) {
            const auto at = joiners_.try_emplace(std::string(source)).first;
            at->second.append(value, text_);
        } else {
            sse::SurrogateJoiner joiner;
            joiner.append(value, text_);
            joiner.finish(text_);
        }
        show(text_, out);
    }
    /// Other text follows, over which no half can be joined.
    void finish(std::string_view source, std::string& out) {
        if (const auto at = joiners_.find(source); at != joiners_.end()) at->second.finish(out);
    }
    void finish(std::string& out) {
        for (auto& [source, joiner] : joiners_) joiner.finish(out);
    }

private:
    void show(std::string_view text, std::string& out) const {
        if (terminal_) sse::append_printable(text, out, "\n\t");
        else out.append(text);
    }

    bool terminal_, join_;
    std::map<std::string, sse::SurrogateJoiner, std::less<>> joiners_; ///< by source
    std::string text_;
};

class FormatPrinter : public Printer {
public:
    FormatPrinter(const std::string& format, PrinterOptions options)
        : pieces_(read_format(format))
        , options_(std::move(options))
        , writer_(options_) {}

    void finish(std::string& out) override { writer_.finish(out); }
    bool event(const ReceivedEvent& received, std::string& out) override {
        const auto now = options_.now();
        const auto gap = now.since_start - last_.value_or(now.since_start);
        last_ = now.since_start;
        for (const auto& piece : pieces_) {
            switch (piece.kind) {
            case Piece::Kind::text:
                writer_.finish(received.source, out);
                out.append(piece.text);
                break;
            case Piece::Kind::field:
                writer_.finish(received.source, out);
                field(piece.text, received, now, gap, out);
                break;
            case Piece::Kind::pointer:
                writer_.append(received.source,
                               values_.find(received.event.data, piece.text)
                                   .value_or(options_.missing.value_or("")),
                               out);
                break;
            }
        }
        if (!options_.join) out.push_back('\n');
        return true;
    }

private:
    void show(std::string_view text, std::string& out) const {
        if (options_.terminal) sse::append_printable(text, out, "\n\t");
        else out.append(text);
    }
    void field(std::string_view name, const ReceivedEvent& received, const Moment& now,
               std::chrono::microseconds gap, std::string& out) {
        if (name == "data") show(received.event.data, out);
        else if (name == "event") show(received.event.type, out);
        else if (name == "id") show(received.last_id, out);
        else if (name == "source") show(received.source, out);
        else if (name == "t") sse::append_seconds(now.since_start, out);
        else if (name == "gap") sse::append_seconds(gap, out);
        else sse::append_rfc3339(now.time, out);
    }

    std::vector<Piece> pieces_;
    PrinterOptions options_;
    JsonValues values_;
    ValueWriter writer_;
    std::optional<std::chrono::microseconds> last_;
};

/// What the pointers point to, and nothing else.
class PointerPrinter : public Printer {
public:
    PointerPrinter(std::vector<std::string> pointers, PrinterOptions options)
        : pointers_(std::move(pointers))
        , options_(std::move(options))
        , writer_(options_) {
        try {
            for (const auto& pointer : pointers_) check_pointer(pointer);
        } catch (const sse::Error& e) {
            throw Failure(Exit::usage, fmt::format("--pointer {}", e.what()),
                          "for example --pointer /choices/0/delta/content");
        }
    }

    void finish(std::string& out) override { writer_.finish(out); }
    bool event(const ReceivedEvent& received, std::string& out) override {
        bool any = false;
        for (const auto& pointer : pointers_) {
            auto value = values_.find(received.event.data, pointer);
            if (!value) value = options_.missing;
            if (!value) continue;
            if (!any && !received.source.empty()) out.append(received.source).push_back('\t');
            if (any && !options_.join) out.push_back('\t');
            writer_.append(received.source, *value, out);
            any = true;
        }
        if (any && !options_.join) out.push_back('\n');
        return any;
    }

private:
    std::vector<std::string> pointers_;
    PrinterOptions options_;
    JsonValues values_;
    ValueWriter writer_;
};

} // namespace

std::unique_ptr<Printer> make_format_printer(const std::string& format, PrinterOptions options) {
    return std::make_unique<FormatPrinter>(format, std::move(options));
}

std::unique_ptr<Printer> make_pointer_printer(std::vector<std::string> pointers,
                                              PrinterOptions options) {
    return std::make_unique<PointerPrinter>(std::move(pointers), std::move(options));
}

} // namespace cmd
