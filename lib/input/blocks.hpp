// Blocks of lines as events.
#pragma once

#include "base/line_splitter.hpp"
#include "input/decoder.hpp"

#include <cstdint>
#include <string>

namespace sse {

/// The lines up to a blank line are the data of an event. Further blank lines are ignored, so that
/// no event is empty; the end of the input ends the last block.
class BlocksDecoder : public Decoder {
public:
    BlocksDecoder(Sink& sink, const DecoderOptions& options);
    void feed(std::string_view bytes) override;
    void finish() override;

private:
    void read_line(std::string_view line);
    void drop_block();
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
