// Reads event-stream text as a recording: a `.sse` file, or the output of `curl -N` or `curl -i`.
// Text contains no times, so every `t` is 0. open_recording() detects the format.
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
    /// `input` is at its start. The constructor reads the response head, or the last of several
    /// (`curl -i`). Throws Error: bad_input with `file:line: reason`, too_large, io.
    EventTextReader(std::unique_ptr<RecordingInput> input, RecordingReaderOptions options);

    const Record* next() override;
    void seek(const RecordingPlace& place) override;
    void rewind() override { seek(body_); }
    std::string_view format_name() const override { return "event-stream text"; }

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
    std::size_t begin_ = 0, end_ = 0; ///< bytes of the buffer not yet parsed
    std::uint64_t offset_ = 0;        ///< of buffer_[begin_] in the text
    std::uint64_t line_ = 0;          ///< number of lines parsed
    RecordingPlace body_;             ///< first line after the head
    RecordingPlace block_;            ///< start of the current block
    std::uint32_t of_block_ = 0;      ///< records of the current block so far
    bool got_ = false;                ///< the parser produced a record
    bool finished_ = false;
    Record record_;
    std::string type_, data_, id_; ///< storage of record_
};

} // namespace sse
