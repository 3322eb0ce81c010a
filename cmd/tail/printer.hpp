// How events look on stdout: one class a format, each a pure function from event to text. Not the
// output: no descriptor, no flush.
#pragma once

#include "protocol/event.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cmd {

enum class Format : std::uint8_t {
    pretty, ///< for people: time, gap, type, id, data; JSON indented
    data,   ///< the data and a line end
    json,   ///< an object a line
    sse,    ///< text/event-stream
    raw,    ///< the body's bytes
};

/// What pretty says of the time.
enum class Times : std::uint8_t { absolute, relative, delta, none };

/// When something was heard: by the calendar, and since the command began.
struct Moment {
    std::chrono::system_clock::time_point time;
    std::chrono::microseconds since_start{0};
};

struct PrinterOptions {
    bool terminal = false; ///< control characters of the data are written out, not sent
    bool colour = false;
    bool join = false; ///< --join: no line end behind the values of pointers and formats
    std::optional<std::string> missing; ///< --pointer-default: for pointers that point to nothing
    Times times = Times::absolute;
    std::optional<std::chrono::microseconds> gap_warn; ///< gaps over this are marked
    /// Of the terminal now, in columns: people change it.
    std::function<std::size_t()> width = [] { return std::size_t{80}; };
    bool fold = false; ///< pretty: no line is wider
    std::function<Moment()> now;
};

/// What one event brings to be printed.
struct ReceivedEvent {
    const sse::EventView& event;
    std::string_view last_id;     ///< the last event ID at its dispatch (HTML 9.2.6); "" for none
    std::string_view source = {}; ///< the name of its stream, where there are several; else ""
};

/// Each call appends to `out`. One thread at a time.
class Printer {
public:
    virtual ~Printer() = default;
    /// False: there was nothing in it to print.
    virtual bool event(const ReceivedEvent& received, std::string& out) = 0;
    /// An id without an event, and a reconnection time: part of the stream's text only.
    virtual void id(std::string_view, std::string& /*out*/) {}
    virtual void retry(std::chrono::milliseconds, std::string& /*out*/) {}
    virtual void bytes(std::string_view, std::string& /*out*/) {}
    /// No event follows: appends text that waited for another one.
    virtual void finish(std::string& /*out*/) {}
};

std::unique_ptr<Printer> make_printer(Format format, PrinterOptions options);

/// Prints nothing, of every event.
std::unique_ptr<Printer> make_silent_printer();

/// The one of Format::pretty.
std::unique_ptr<Printer> make_pretty_printer(PrinterOptions options);

/// `format` with its fields filled in (-F). Throws Failure with the way out.
std::unique_ptr<Printer> make_format_printer(const std::string& format, PrinterOptions options);

/// The values that JSON pointers find in the data (--pointer), separated by tabs. Throws Failure
/// with the way out.
std::unique_ptr<Printer> make_pointer_printer(std::vector<std::string> pointers,
                                              PrinterOptions options);

} // namespace cmd
