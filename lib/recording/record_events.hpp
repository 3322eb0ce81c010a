// Events of recorded records, whether events or reads were recorded.
#pragma once

#include "protocol/parser.hpp"
#include "recording/record.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace sse {

/// Passes the events, IDs, comments and reconnection times in records to a sink. Parses recorded
/// reads; a reconnection starts a new stream (HTML 9.2.3). One thread at a time.
class RecordEvents {
public:
    /// `sink` must outlive it.
    explicit RecordEvents(Parser::Sink& sink)
        : sink_(sink) {}

    /// Passes on what `record` contains; of a read, all that is complete so far. Throws Error
    /// (too_large) as Parser does.
    void on_record(const Record& record);
    /// The stream has ended: an incomplete event is discarded, and reported to the sink.
    void finish();
    /// Forgets an incomplete event without a report.
    void reset() { parser_.reset(); }

private:
    Parser::Sink& sink_;
    std::unique_ptr<Parser> parser_; ///< of recorded reads
};

/// Counts events, including those too large for a parser.
class EventCounter : public Parser::Sink {
public:
    std::uint64_t events = 0;
    std::string last_id; ///< ID of the newest event that had one

    void on_event(const EventView& event) override {
        ++events;
        if (event.id) last_id.assign(*event.id);
    }
    bool on_too_large() override {
        ++events;
        return true;
    }
};

} // namespace sse
