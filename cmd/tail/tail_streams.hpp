// The clients and the printer that the options of sse tail describe, and what is refused about
// them.
#pragma once

#include "cmd/tail/tail_options.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cmd {

/// One stream to follow.
struct Stream {
    std::string name; ///< the label of its lines, if there are several streams
    sse::ClientOptions client;
};

/// The streams of `o`, in the order of the command line. Throws Failure and sse::Error for usage
/// errors.
std::vector<Stream> streams_of(const TailOptions& o, Format format);

/// The printer of `o`. `terminal`: standard output is one. Throws sse::Error (invalid_argument).
std::unique_ptr<Printer> printer_of(const TailOptions& o, Format format, bool terminal);

} // namespace cmd
