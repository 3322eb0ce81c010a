// Reads a recording in the format of sse-recording(5). Does not wait for the times in it.
#pragma once

#include "base/error.hpp"
#include "recording/line_reader.hpp"
#include "recording/record_parser.hpp"
#include "recording/record_reader.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace sse {

/// Reads one recording in order, in memory bounded by its longest line. One thread at a time.
class RecordingReader : public RecordReader {
public:
    /// `input` is at its start. The constructor reads the first line. Throws Error: io, and
    /// bad_input or too_large with `file:line: reason`.
    explicit RecordingReader(std::unique_ptr<RecordingInput> input,
                             RecordingReaderOptions options = {});

    explicit RecordingReader(const std::string& path, RecordingReaderOptions options = {})
        : RecordingReader(std::make_unique<RecordingInput>(path), std::move(options)) {}

    using RecordReader::next;
    const Record* next(TimeBudget& budget) override;
    void seek(const RecordingPlace& place) override;
    void rewind() override;
    void seek_before(const Reached& reached) override;
    void only_with_id(const std::string& id) override;
    std::string_view format_name() const override { return "recording"; }

private:
    [[noreturn]] void fail(const RecordingLine& line, const std::string& why,
                           Reason reason = Reason::unspecified) const;
    std::optional<bool> reached_from(std::uint64_t offset, std::uint64_t end,
                                     const Reached& reached);
    const Record* parse(const RecordingLine& line);

    LineReader lines_;
    RecordParser parser_;
    std::uint64_t records_at_ = 0; ///< start of the second line
};

} // namespace sse
