// Reads what a client was sent, as text: a `.sse` file, what `curl -N` or `curl -i` left. There are
// no times in it: every `t` is 0. Not the parser, and not the guess at what a file is.
#pragma once

#include "protocol/parser.hpp"
#include "recording/record_reader.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// Reads event-stream text in order, in memory bounded by its largest event. One thread at a time.
class EventTextReader : public RecordReader, private Parser::Sink {
public:
    /// `input` is at its start. A head (`curl -i`; the last, if there are several) is read at once.
    /// Throws Error: bad_input with `file:line: why` where it is broken, io.
    EventTextReader(std::unique_ptr<RecordingInput> input, RecordingReaderOptions options);

    const Record* next() override;
    void seek(const RecordingPlace& place) override;
    void rewind() override { seek(body_); }
    std::string_view form() const override { return "event-stream text"; }

private:
    bool fill();
    bool next_line(std::string_view& line);
    void read_heads();
    void take_head(const std::vector<std::string>& lines);
    [[noreturn]] void fail(std::uint64_t line, const std::string& why) const;

    void on_event(const EventView& event) override;
    void on_id(std::string_view id) override;
    void on_comment(std::string_view text) override;
    void on_retry(std::chrono::milliseconds time) override;
    void on_warning(ParseWarning warning, std::string_view line) override;

    std::unique_ptr<Parser> parser_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0, end_ = 0; ///< what of the buffer has not been given to the parser
    std::uint64_t offset_ = 0;        ///< of begin_ in the text
    std::uint64_t line_ = 0;          ///< lines given to the parser
    RecordingPlace body_;             ///< where the head, if any, is over
    RecordingPlace block_;            ///< where the block being read begins
    std::uint32_t of_block_ = 0;      ///< records that it has given
    bool got_ = false;                ///< the sink was called: `record_` is new
    bool finished_ = false;
    Record record_;
    std::string type_, data_, id_; ///< what record_ looks at
};

} // namespace sse
