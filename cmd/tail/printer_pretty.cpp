#include "base/printable.hpp"
#include "cmd/tail/printer.hpp"
#include "cmd/term/fold.hpp"
#include "cmd/term/json_view.hpp"

#include <ctime>
#include <fmt/format.h>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>

namespace cmd {

namespace {

using std::chrono::microseconds;

/// Four digits or so, in the unit that reads best.
std::string gap_text(microseconds gap) {
    using namespace std::chrono;
    if (gap < 1s) return fmt::format("+{}ms", duration_cast<milliseconds>(gap).count());
    if (gap < 60s) return fmt::format("+{:.2f}s", duration<double>(gap).count());
    const auto whole = duration_cast<seconds>(gap).count();
    if (whole < 3600) return fmt::format("+{}m{:02}s", whole / 60, whole % 60);
    return fmt::format("+{}h{:02}m", whole / 3600, whole / 60 % 60);
}

/// A line `time gap type #id data`; data of several lines, and JSON, below it.
class PrettyPrinter : public Printer {
public:
    explicit PrettyPrinter(PrinterOptions options)
        : options_(std::move(options))
        , palette_(options_.colour ? colours : Palette{}) {}

    bool event(const ReceivedEvent& received, std::string& out) override {
        width_ = options_.width();
        if (!options_.fold) {
            show(received, out);
        } else {
            text_.clear();
            show(received, text_);
            append_folded(text_, width_, out);
        }
        return true;
    }

private:
    void show(const ReceivedEvent& received, std::string& out) {
        const auto now = options_.now();
        const auto gap = now.since_start - last_.value_or(microseconds(0));
        last_ = now.since_start;
        times(now, gap, out);
        if (!received.source.empty()) {
            paint(source_colour(received.source), sse::printable(received.source, 200), out);
            out.append("  ");
        }
        paint(bold, sse::printable(received.event.type, 200), out);
        if (received.event.id) {
            out.append("  ");
            paint(magenta, fmt::format("#{}", sse::printable(*received.event.id, 200)), out);
        }
        data(received.event.data, out);
        out.push_back('\n');
    }

    static constexpr std::string_view dim = "\x1b[2m", bold = "\x1b[1;36m", magenta = "\x1b[35m";
    static constexpr std::string_view red = "\x1b[1;31m";
    static constexpr std::size_t indent = 2;

    /// One of six, the same for the same name.
    static std::string_view source_colour(std::string_view name) {
        static constexpr std::string_view palette[] = {"\x1b[31m", "\x1b[32m",   "\x1b[35m",
                                                       "\x1b[36m", "\x1b[1;32m", "\x1b[1;35m"};
        return palette[std::hash<std::string_view>()(name) % std::size(palette)];
    }

    void times(const Moment& now, microseconds gap, std::string& out) const {
        if (options_.times == Times::none) return;
        if (options_.times == Times::absolute) {
            const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time);
            const auto ms =
                std::chrono::duration_cast<std::chrono::milliseconds>(now.time - seconds).count();
            const auto time = std::chrono::system_clock::to_time_t(seconds);
            std::tm local{};
            ::localtime_r(&time, &local);
            paint(dim,
                  fmt::format("{:02}:{:02}:{:02}.{:03} ", local.tm_hour, local.tm_min, local.tm_sec,
                              ms),
                  out);
        } else if (options_.times == Times::relative) {
            paint(dim,
                  fmt::format("{:>10.3f} ", std::chrono::duration<double>(now.since_start).count()),
                  out);
        }
        const bool long_gap = options_.gap_warn && gap > *options_.gap_warn;
        paint(long_gap ? red : dim, fmt::format("{:>7}{}", gap_text(gap), long_gap ? "!" : ""),
              out);
        out.append("  ");
    }

    void paint(std::string_view colour, std::string_view text, std::string& out) const {
        if (options_.colour) out.append(colour);
        out.append(text);
        if (options_.colour) out.append(palette_.end);
    }

    void data(std::string_view data, std::string& out) const {
        if (data.empty()) return;
        const auto before = out.size();
        out.append("\n").append(indent, ' ');
        if (append_json_view(data, indent, width_, palette_, out)) return;
        out.resize(before);
        if (data.find('\n') == data.npos) {
            out.append("  ");
            sse::append_printable(data, out, "\t");
            return;
        }
        while (true) {
            const auto end = data.find('\n');
            out.append("\n").append(indent, ' ');
            sse::append_printable(data.substr(0, end), out, "\t");
            if (end == data.npos) break;
            data.remove_prefix(end + 1);
        }
    }

    PrinterOptions options_;
    Palette palette_;
    std::optional<microseconds> last_;
    std::size_t width_ = 80;
    std::string text_; ///< of one event, before it is folded
};

} // namespace

std::unique_ptr<Printer> make_pretty_printer(PrinterOptions options) {
    return std::make_unique<PrettyPrinter>(std::move(options));
}

} // namespace cmd
