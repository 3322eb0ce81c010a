// The interface of inputs: a file, a pipe, a command. Not a decoder: it does not interpret the
// bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sse {

/// A place in a file, whatever name that has.
struct FilePlace {
    std::uint64_t device = 0, inode = 0, offset = 0;
};

/// run() on one thread; stop() on any.
class ByteSource {
public:
    /// Called on run()'s thread. May throw; run() then throws the same. Views are valid during the
    /// call.
    class Sink {
    public:
        virtual ~Sink() = default;
        virtual void on_bytes(std::string_view bytes) = 0;
        /// Of a followed file, before on_bytes(): where those bytes begin.
        virtual void on_place(const FilePlace& /*place*/) {}
        /// One text has ended and another begins: the file was replaced, or the command restarted.
        virtual void on_break() = 0;
        /// A message for a person: one lowercase line.
        virtual void on_note(const std::string& text) = 0;
    };

    virtual ~ByteSource() = default;
    /// Passes each piece on as soon as it can be read, until the end of the input (true) or stop()
    /// (false). Throws std::system_error that names the input.
    virtual bool run(Sink& sink) = 0;
    /// Makes run() return soon, also while it waits.
    virtual void stop() = 0;
    /// True for a plain file, which ends without anyone's doing: the inputs after it can wait for
    /// its end, as with cat.
    virtual bool ends_by_itself() const { return false; }
    /// For messages: a path, `standard input` or the name of a command.
    virtual const std::string& name() const = 0;
};

} // namespace sse
