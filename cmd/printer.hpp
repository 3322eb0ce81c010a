// How events look on stdout: one class a format, each a pure function from event to text. Not the
// output: no descriptor, no flush.
#pragma once

#include "protocol/event.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace cmd {

enum class Format : std::uint8_t {
    pretty, ///< for people: time, gap, type, id, data; JSON indented
    data,   ///< the data and a line end
    json,   ///< an object a line
    sse,    ///< text/event-stream
    raw,    ///< the body's bytes
};

/// When something was heard: by the calendar, and since the command began.
struct Moment {
    std::chrono::system_clock::time_point time;
    std::chrono::microseconds since_start{0};
};

struct PrinterOptions {
    bool terminal = false; ///< control characters of the data are written out, not sent
    bool colour = false;
    std::size_t width = 80; ///< of the terminal, in columns
    std::function<Moment()> now;
};

/// What one event brings to be printed.
struct Heard {
    const sse::EventView& event;
    std::string_view
        last_id; ///< the last event ID when it was dispatched (HTML 9.2.6); "" for none
};

/// Each call appends whole lines to `out`. One thread at a time.
class Printer {
public:
    virtual ~Printer() = default;
    virtual void event(const Heard& heard, std::string& out) = 0;
    /// An id without an event, and a reconnection time: part of the stream's text only.
    virtual void id(std::string_view, std::string& /*out*/) {}
    virtual void retry(std::chrono::milliseconds, std::string& /*out*/) {}
    virtual void bytes(std::string_view, std::string& /*out*/) {}
};

std::unique_ptr<Printer> make_printer(Format format, PrinterOptions options);

/// The one of Format::pretty.
std::unique_ptr<Printer> make_pretty_printer(PrinterOptions options);

} // namespace cmd
