// Blocks of lines as events.
#pragma once

#include "base/line_splitter.hpp"
#include "input/decoder.hpp"

#include <cstdint>
#include <string>

namespace sse {

/// The lines up to a blank one are the data of an event. Several blank lines are as one, so there
/// is no event without data; the end of the input ends the last block.
class BlocksDecoder : public Decoder {
public:
    BlocksDecoder(Sink& sink, const DecoderOptions& options);
    void feed(std::string_view bytes) override;
    void finish() override;

private:
    void take(std::string_view line);
    void take_long();
    void end_block();

    Sink& sink_;
    DecoderOptions options_;
    EventView event_;
    LineSplitter lines_;
    std::string block_;
    std::uint64_t first_ = 0; ///< number of the block's first line; 0 between blocks
    bool too_long_ = false;
};

} // namespace sse
