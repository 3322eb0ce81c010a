// JSON objects, one a line, as events.
#pragma once

#include "base/line_splitter.hpp"
#include "input/decoder.hpp"
#include "input/json_event.hpp"

namespace sse {

/// Each line is an object as JsonEventReader reads it. A line that cannot be read is skipped and
/// reported; an empty one is ignored.
class JsonLinesDecoder : public Decoder {
public:
    JsonLinesDecoder(Sink& sink, const DecoderOptions& options);
    void feed(std::string_view bytes) override;
    void finish() override;

private:
    void read_line(std::string_view text);
    void skip(const std::string& why);
    void skip_long();

    Sink& sink_;
    DecoderOptions options_;
    LineSplitter lines_;
    JsonEventReader reader_;
    bool named_ = false; ///< the last line had a channel
};

} // namespace sse
