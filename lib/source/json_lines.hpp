// JSON objects, one a line, as events.
#pragma once

#include "source/decoder.hpp"
#include "source/line_splitter.hpp"

#include <memory>

namespace sse {

/// Reads `{"event","id","data","retry","comment"}`: all may be absent, other keys are ignored. Data
/// that is not a string is its JSON text, without white space and else unchanged; an id may be a
/// number. A line that cannot be read is skipped and told; an empty one is nothing.
class JsonLinesDecoder : public Decoder {
public:
    JsonLinesDecoder(Sink& sink, const DecoderOptions& options);
    ~JsonLinesDecoder() override;
    void feed(std::string_view bytes) override;
    void finish() override;

private:
    struct Reader;
    void take(std::string_view line);
    void skip(const std::string& why);
    void skip_long();

    Sink& sink_;
    DecoderOptions options_;
    LineSplitter lines_;
    std::unique_ptr<Reader> reader_;
};

} // namespace sse
