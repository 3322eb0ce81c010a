// What a parser of the recorded stream would say, record by record, whether events were recorded or
// reads.
#pragma once

#include "protocol/parser.hpp"
#include "recording/record.hpp"

#include <memory>

namespace sse {

/// One thread at a time.
class RecordEvents {
public:
    /// `sink` must outlive it.
    explicit RecordEvents(Parser::Sink& sink)
        : sink_(sink) {}

    /// Tells the sink what is in `record`; of a read, what is whole by now. A reconnection begins a
    /// stream of its own (HTML 9.2.3). Throws Error (too_large) as Parser does.
    void take(const Record& record);
    /// There is no more.
    void finish();

private:
    Parser::Sink& sink_;
    std::unique_ptr<Parser> parser_; ///< of reads
};

} // namespace sse
