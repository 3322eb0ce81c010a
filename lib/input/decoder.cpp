#include "input/decoder.hpp"

#include "input/blocks.hpp"
#include "input/json_events.hpp"
#include "input/lines.hpp"
#include "input/stream_text.hpp"

namespace sse {

std::unique_ptr<Decoder> Decoder::make(InputFormat format, Sink& sink,
                                       const DecoderOptions& options) {
    switch (format) {
    case InputFormat::json: return std::make_unique<JsonLinesDecoder>(sink, options);
    case InputFormat::sse: return std::make_unique<StreamTextDecoder>(sink, options);
    case InputFormat::blocks: return std::make_unique<BlocksDecoder>(sink, options);
    case InputFormat::lines:
    case InputFormat::nul: break;
    }
    return std::make_unique<LinesDecoder>(sink, options, format == InputFormat::nul ? '\0' : '\n');
}

} // namespace sse
