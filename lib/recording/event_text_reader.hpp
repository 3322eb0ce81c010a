// Reads the text of a stream as a recording: event-stream text, JSON lines or a JSON text sequence,
// alone or after a response head, as printed by `curl -N` and `curl -i`. Text contains no times, so
// every `t` is 0. open_recording() detects the format.
#pragma once

#include "protocol/json_seq_parser.hpp"
#include "protocol/ndjson_parser.hpp"
#include "protocol/parser.hpp"
#include "recording/input_buffer.hpp"
#include "recording/record_reader.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// Parses the text of a stream in any StreamFormat.
class StreamTextParser {
public:
    /// `sink` must outlive it.
    StreamTextParser(StreamFormat format, Parser::Sink& sink);
    void feed(std::string_view bytes);
    void finish();

private:
    std::optional<Parser> events_; ///< exactly one of these is set
    std::optional<NdjsonParser> lines_;
    std::optional<JsonSeqParser> sequence_;
};

/// Reads text in order, in memory bounded by its largest event. One thread at a time.
class EventTextReader : public RecordReader, private Parser::Sink {
public:
    /// Maximum size in bytes of all response heads together.
    static constexpr std::uint64_t max_head_bytes = 1024 * 1024;

    /// `input` is at its start. The constructor reads the response head, or the last of several
    /// (`curl -i`). Its content type determines the format of the text; without a head it is
    /// `format`. Throws Error: bad_input with `file:line: reason`, too_large, io.
    EventTextReader(std::unique_ptr<RecordingInput> input, RecordingReaderOptions options,
                    StreamFormat format);

    using RecordReader::next;
    const Record* next(TimeBudget& budget) override;
    void seek(const RecordingPlace& place) override;
    void rewind() override { seek(body_); }
    std::string_view format_name() const override;

private:
    bool fill();
    bool next_line(std::string_view& line, TimeBudget& budget);
    void read_heads();
    void skip_bom();
    [[noreturn]] void fail(std::uint64_t line, const std::string& why) const;

    void on_event(const EventView& event) override;
    void on_id(std::string_view id) override;
    void on_comment(std::string_view text) override;
    void on_retry(std::chrono::milliseconds time) override;
    void on_warning(ParseWarning warning, std::string_view line) override;

    StreamFormat format_;
    std::unique_ptr<StreamTextParser> parser_;
    InputBuffer buffer_;         ///< the text that is not yet parsed
    std::size_t searched_ = 0;   ///< bytes of it without a line end
    std::uint64_t line_ = 0;     ///< number of lines parsed
    RecordingPlace body_;        ///< first line after the head
    RecordingPlace block_;       ///< start of the current block
    std::uint32_t of_block_ = 0; ///< records of the current block so far
    std::uint32_t skip_ = 0;     ///< records to skip after a seek
    bool got_ = false;           ///< the parser produced a record
    bool finished_ = false;
    Record record_;
    std::string type_, data_, id_; ///< storage of record_
};

} // namespace sse
