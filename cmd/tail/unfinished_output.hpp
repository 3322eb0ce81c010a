// Repairs an output file whose last event is incomplete, because an earlier run was killed, before
// more events are appended to it (`sse tail ... >> FILE`).
#pragma once

#include <cstdint>

namespace cmd {

/// How an event ends in the output.
enum class EventEnd : std::uint8_t {
    none,   ///< nowhere in particular: nothing is repaired
    line,   ///< with its line
    object, ///< with its line, which is an object of Format::json
    block,  ///< with a blank line, as in Format::sse
};

enum class Repair : std::uint8_t { nothing, removed, ended };

/// Repairs the file of `fd`, if it is a regular file that is open for appending and that this
/// process may read. An incomplete object or block is removed if `may_remove` (the server is going
/// to send its event again), and only if it looks like the beginning of one of ours. Any other
/// incomplete line is ended, so that the next event starts on a line of its own.
Repair repair_unfinished_output(int fd, EventEnd end, bool may_remove);

} // namespace cmd
