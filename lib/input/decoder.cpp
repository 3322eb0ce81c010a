#include "input/decoder.hpp"

#include "input/blocks.hpp"
#include "input/json_events.hpp"
#include "input/lines.hpp"
#include "input/stream_text.hpp"

namespace sse {

std::unique_ptr<Decoder> Decoder::make(InputForm form, Sink& sink, const DecoderOptions& options) {
    switch (form) {
    case InputForm::json: return std::make_unique<JsonLinesDecoder>(sink, options);
    case InputForm::sse: return std::make_unique<StreamTextDecoder>(sink, options);
    case InputForm::blocks: return std::make_unique<BlocksDecoder>(sink, options);
    case InputForm::lines:
    case InputForm::nul: break;
    }
    return std::make_unique<LinesDecoder>(sink, options, form == InputForm::nul ? '\0' : '\n');
}

} // namespace sse
