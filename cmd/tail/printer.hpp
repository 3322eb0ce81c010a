// Formats events as text: one class for each output format. Does not write: see Output.
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
    pretty, ///< for people: time, gap, type, ID and data, with JSON indented
    data,   ///< the data and a line end
    json,   ///< one object per line
    sse,    ///< text/event-stream
    raw,    ///< the bytes of the body
};

/// The time that Format::pretty shows.
enum class Times : std::uint8_t { absolute, relative, delta, none };

/// The time of an event: of the system clock, and since the start of the command.
struct Moment {
    std::chrono::system_clock::time_point time;
    std::chrono::microseconds since_start{0};
};

struct PrinterOptions {
    bool terminal = false; ///< escape control characters of the data
    bool colour = false;
    bool join = false; ///< --join: no line end after the values of pointers and formats
    std::optional<std::string> missing; ///< --pointer-default: for pointers without a value
    Times times = Times::absolute;
    std::optional<std::chrono::microseconds> gap_warn; ///< longer gaps are marked
    /// The width of the terminal in columns; called for each event, because it may change.
    std::function<std::size_t()> width = [] { return std::size_t{80}; };
    bool fold = false; ///< pretty: fold lines at this width
    std::function<Moment()> now;
};

/// An event with its context.
struct ReceivedEvent {
    const sse::EventView& event;
    std::string_view last_id;     ///< at the dispatch of the event (HTML 9.2.6); "" for none
    std::string_view source = {}; ///< the label of its stream; "" with a single stream
};

/// Each member appends to `out`. One thread at a time.
class Printer {
public:
    virtual ~Printer() = default;
    /// False if the event has nothing to print.
    virtual bool event(const ReceivedEvent& received, std::string& out) = 0;
    /// An ID without an event, and a reconnection time; only Format::sse prints them.
    virtual void id(std::string_view, std::string& /*out*/) {}
    virtual void retry(std::chrono::milliseconds, std::string& /*out*/) {}
    virtual void bytes(std::string_view, std::string& /*out*/) {}
    /// No event follows: appends text that waited for another one.
    virtual void finish(std::string& /*out*/) {}
};

std::unique_ptr<Printer> make_printer(Format format, PrinterOptions options);

/// Prints no text, but counts every event as printed.
std::unique_ptr<Printer> make_silent_printer();

/// The printer of Format::pretty.
std::unique_ptr<Printer> make_pretty_printer(PrinterOptions options);

/// Prints `format` with its fields replaced (-F). Throws Failure (usage) if it is malformed.
std::unique_ptr<Printer> make_format_printer(const std::string& format, PrinterOptions options);

/// Prints the values of JSON pointers into the data (--pointer), separated by tabs. Throws Failure
/// (usage) if a pointer is malformed.
std::unique_ptr<Printer> make_pointer_printer(std::vector<std::string> pointers,
                                              PrinterOptions options);

} // namespace cmd
