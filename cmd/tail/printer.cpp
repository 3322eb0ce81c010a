#include "cmd/tail/printer.hpp"

#include "base/json_text.hpp"
#include "base/printable.hpp"
#include "base/rfc3339.hpp"
#include "protocol/encoder.hpp"

#include <fmt/format.h>
#include <iterator>
#include <utility>

namespace cmd {

namespace {

class DataPrinter : public Printer {
public:
    explicit DataPrinter(bool terminal)
        : terminal_(terminal) {}
    bool event(const ReceivedEvent& received, std::string& out) override {
        auto rest = received.event.data;
        if (!received.source.empty()) { // every line is marked
            for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
                line(received.source, rest.substr(0, end), out);
                rest.remove_prefix(end + 1);
            }
        }
        line(received.source, rest, out);
        return true;
    }

private:
    void line(std::string_view source, std::string_view text, std::string& out) const {
        if (!source.empty()) out.append(source).push_back('\t');
        if (terminal_) sse::append_printable(text, out, "\n\t");
        else out.append(text);
        out.push_back('\n');
    }

    bool terminal_;
};

class JsonPrinter : public Printer {
public:
    explicit JsonPrinter(PrinterOptions options)
        : options_(std::move(options)) {}
    bool event(const ReceivedEvent& received, std::string& out) override {
        if (!options_.terminal) {
            object(received, out);
            return true;
        }
        text_.clear();
        object(received, text_);
        // What JSON may hold as it is and a terminal acts on is escaped as JSON has it, too.
        shown_.clear();
        sse::append_printable(text_, shown_, "\n\x7f");
        for (const char c : shown_) {
            if (c == '\x7f') out.append("\\u007f");
            else out.push_back(c);
        }
        return true;
    }

private:
    void object(const ReceivedEvent& received, std::string& out) const {
        const auto now = options_.now();
        out.append(R"({"time":")");
        sse::append_rfc3339(now.time, out);
        out.append(R"(","t":)");
        sse::append_seconds(now.since_start, out);
        if (!received.source.empty()) {
            out.append(R"(,"source":)");
            sse::append_json_string(received.source, out);
        }
        out.append(R"(,"event":)");
        sse::append_json_string(received.event.type, out);
        out.append(R"(,"id":)");
        sse::append_json_string(received.last_id, out);
        out.append(R"(,"data":)");
        sse::append_json_string(received.event.data, out);
        out.append("}\n");
    }

    PrinterOptions options_;
    std::string text_, shown_; ///< of one event, for a terminal
};

class SsePrinter : public Printer {
public:
    explicit SsePrinter(bool terminal)
        : terminal_(terminal) {}
    bool event(const ReceivedEvent& received, std::string& out) override {
        if (!terminal_) {
            sse::encode(received.event, out);
            return true;
        }
        text_.clear();
        sse::encode(received.event, text_);
        sse::append_printable(text_, out, "\n\t");
        return true;
    }
    void id(std::string_view id, std::string& out) override {
        out.append("id: ");
        if (terminal_) sse::append_printable(id, out);
        else out.append(id);
        out.append("\n\n");
    }
    void retry(std::chrono::milliseconds time, std::string& out) override {
        sse::encode_retry(time, out);
    }

private:
    bool terminal_;
    std::string text_; ///< of one event
};

class RawPrinter : public Printer {
public:
    explicit RawPrinter(bool terminal)
        : terminal_(terminal) {}
    bool event(const ReceivedEvent&, std::string&) override { return true; }
    void bytes(std::string_view bytes, std::string& out) override {
        if (terminal_) sse::append_printable(bytes, out, "\r\n\t");
        else out.append(bytes);
    }

private:
    bool terminal_;
};

class SilentPrinter : public Printer {
public:
    bool event(const ReceivedEvent&, std::string&) override { return true; }
};

} // namespace

std::unique_ptr<Printer> make_silent_printer() { return std::make_unique<SilentPrinter>(); }

std::unique_ptr<Printer> make_printer(Format format, PrinterOptions options) {
    switch (format) {
    case Format::pretty: return make_pretty_printer(std::move(options));
    case Format::data: return std::make_unique<DataPrinter>(options.terminal);
    case Format::json: return std::make_unique<JsonPrinter>(std::move(options));
    case Format::sse: return std::make_unique<SsePrinter>(options.terminal);
    case Format::raw: return std::make_unique<RawPrinter>(options.terminal);
    }
    return nullptr;
}

} // namespace cmd
