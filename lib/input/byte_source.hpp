// Where the bytes of one input come from. Not a decoder: it does not look at them.
#pragma once

#include <string>
#include <string_view>

namespace sse {

/// run() on a thread of its own; stop() on any.
class ByteSource {
public:
    /// Called on run()'s thread; may throw, and run() then throws that. Views die with the call.
    class Sink {
    public:
        virtual ~Sink() = default;
        virtual void on_bytes(std::string_view bytes) = 0;
        /// A text has ended and another begins: the file was replaced, the command started again.
        virtual void on_break() = 0;
        /// Something that a person may want to know; one lowercase line.
        virtual void on_note(const std::string& text) = 0;
    };

    virtual ~ByteSource() = default;
    /// Hands on each piece as soon as it is there, until the end of the input or stop(). Returns
    /// true at the end of the input. Throws std::system_error, with the input's name in its text.
    virtual bool run(Sink& sink) = 0;
    /// Lets run() return soon, wherever it is waiting.
    virtual void stop() = 0;
    /// It has an end of its own: what stands behind it may wait for that, as for a file of `cat`.
    virtual bool ends_by_itself() const { return false; }
    /// As a person would call it: a path, `standard input`, the words of a command.
    virtual const std::string& name() const = 0;
};

} // namespace sse
