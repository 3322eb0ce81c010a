#include "recording/reader.hpp"

#include "protocol/error.hpp"
#include "protocol/utf8.hpp"
#include "recording/json_text.hpp"

#include <fmt/format.h>

namespace sse {

namespace {

bool blank(std::string_view text) { return text.find_first_not_of(" \t\r") == text.npos; }

std::string seconds(std::chrono::microseconds t) {
    std::string text;
    append_seconds(t, text);
    return text;
}

} // namespace

RecordingReader::RecordingReader(std::unique_ptr<RecordingInput> input,
                                 RecordingReaderOptions options)
    : RecordReader(std::move(input), std::move(options))
    , lines_(*input_, options_.buffer_bytes, options_.max_line_bytes) {
    RecordingLine line;
    if (!lines_.next(line)) {
        throw Error(Errc::bad_input,
                    fmt::format("{}: the file is empty: nothing was recorded", input_->name()));
    }
    if (line.text.starts_with(bom)) line.text.remove_prefix(bom.size());
    try {
        header_ = parser_.header(line.text);
    } catch (const BadLine& e) {
        if (!line.whole && line.text.starts_with("{\"sse\":"))
            fail(1, "the first line is torn: nothing was recorded");
        const std::string why = e.what();
        fail(1, why.starts_with("recording version") ? why : "not a recording: " + why);
    }
    place_.line = 1;
    records_at_ = lines_.offset();
}

void RecordingReader::fail(std::uint64_t line, const std::string& why) const {
    throw Error(Errc::bad_input, fmt::format("{}:{}: {}", input_->name(), line, why));
}

const Record* RecordingReader::next() {
    RecordingLine line;
    const bool grows =
        options_.grows(); // before what is read, so that nothing comes behind the end
    while (lines_.next(line)) {
        if (blank(line.text)) continue;
        try {
            if (const auto* record = take(line)) return record;
        } catch (const BadLine& e) {
            if (line.whole && !input_->cut_short()) fail(line.number, e.what());
            if (grows) {
                lines_.keep_torn();
                return nullptr;
            }
            warning_ = fmt::format("{}:{}: the last line is torn and was skipped", input_->name(),
                                   line.number);
            return nullptr;
        }
    }
    check_length(lines_.offset(), place_.line + 1);
    if (input_->cut_short() && warning_.empty()) {
        warning_ =
            fmt::format("{}:{}: the gzip data ends before its time", input_->name(), place_.line);
    }
    return nullptr;
}

const Record* RecordingReader::take(const RecordingLine& line) {
    const auto* record = parser_.record(line.text);
    if (record == nullptr) return nullptr;
    if (record->t < place_.t) {
        throw BadLine(
            fmt::format("t goes back from {} to {}", seconds(place_.t), seconds(record->t)));
    }
    place_ = {line.offset, line.number, record->t};
    return record;
}

void RecordingReader::seek(const RecordingPlace& place) {
    lines_.seek(place.offset, place.line);
    place_.t = place.t;
    warning_.clear();
}

void RecordingReader::rewind() { seek({records_at_, 2, std::chrono::microseconds(0)}); }

} // namespace sse
