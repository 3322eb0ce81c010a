// Plain lines as events.
#pragma once

#include "base/line_splitter.hpp"
#include "input/decoder.hpp"

namespace sse {

/// Each line is the data of an event; an empty line is an event with empty data. If `end` is
/// NUL, data may consist of several lines.
class LinesDecoder : public Decoder {
public:
    LinesDecoder(Sink& sink, const DecoderOptions& options, char end = '\n');
    void feed(std::string_view bytes) override;
    void finish() override;

private:
    void read_line(std::string_view line);
    void skip_line();

    Sink& sink_;
    DecoderOptions options_;
    EventView event_;
    LineSplitter lines_;
    const char* noun_;
};

} // namespace sse
