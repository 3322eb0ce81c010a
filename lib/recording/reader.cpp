#include "recording/reader.hpp"

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "base/utf8.hpp"

#include <algorithm>
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
                    fmt::format("{}: the file is empty: nothing was recorded", input_->name()),
                    Reason::empty_recording);
    }
    if (line.text.starts_with(bom)) line.text.remove_prefix(bom.size());
    try {
        header_ = parser_.header(line.text);
    } catch (const BadLine& e) {
        if (!line.whole && line.text.starts_with("{\"sse\":"))
            fail(line, "the first line is incomplete: nothing was recorded",
                 Reason::empty_recording);
        if (e.newer()) fail(line, e.what(), Reason::newer_version);
        fail(line, std::string("not a recording: ") + e.what(), Reason::not_a_recording);
    }
    place_.line = 1;
    records_at_ = lines_.offset();
}

void RecordingReader::fail(const RecordingLine& line, const std::string& why, Reason reason) const {
    throw Error(Errc::bad_input, fmt::format("{}: {}", lines_.where(line), why), reason);
}

const Record* RecordingReader::next(TimeBudget& budget) {
    paused_ = false;
    RecordingLine line;
    const bool grows =
        options_.grows(); // before what is read, so that nothing comes behind the end
    while (lines_.next(line, budget)) {
        if (blank(line.text)) continue;
        try {
            if (const auto* record = parse(line)) return record;
        } catch (const BadLine& e) {
            if (line.whole && !input_->cut_short()) fail(line, e.what());
            check_length(lines_.offset(), lines_.where(line));
            if (grows) {
                lines_.keep_incomplete();
                return nullptr;
            }
            warning_ =
                fmt::format("{}: the last line is incomplete and was skipped", lines_.where(line));
            return nullptr;
        }
    }
    paused_ = lines_.paused();
    if (paused_) return nullptr;
    line = {{}, lines_.offset(), place_.line == 0 ? 0 : place_.line + 1, false};
    check_length(line.offset, lines_.where(line));
    if (input_->cut_short() && warning_.empty()) {
        warning_ = fmt::format("{}:{}: the gzip data ends early", input_->name(), place_.line);
    }
    return nullptr;
}

const Record* RecordingReader::parse(const RecordingLine& line) {
    const auto* record = parser_.record(line.text);
    if (record == nullptr) return nullptr;
    if (record->t < place_.t) {
        throw BadLine(
            fmt::format("t decreases from {} to {}", seconds(place_.t), seconds(record->t)));
    }
    place_ = {line.offset, line.number, record->t};
    return record;
}

void RecordingReader::seek(const RecordingPlace& place) {
    lines_.seek(place.offset, place.line);
    place_.offset = place.offset;
    place_.t = place.t;
    warning_.clear();
}

void RecordingReader::rewind() { seek({records_at_, 2, std::chrono::microseconds(0)}); }

/// The result of `reached` for the first record between `offset` and `end` that has one; place() is
/// then the place of that record. nullopt if none of the next records has one.
std::optional<bool> RecordingReader::reached_from(std::uint64_t offset, std::uint64_t end,
                                                  const Reached& reached) {
    constexpr std::uint64_t far = 1024 * 1024; // otherwise each half would be read to its end
    if (!lines_.seek_near(offset, far)) return std::nullopt;
    place_.t = {};
    RecordingLine line;
    end = std::min(end, offset + far);
    for (int tries = 1000; tries > 0 && lines_.next(line) && line.offset < end; --tries) {
        if (blank(line.text)) continue;
        try {
            const auto* record = parse(line);
            if (record == nullptr) continue;
            if (const auto response = reached(*record)) return response;
        } catch (const BadLine& e) {
            if (!line.whole) break; // incomplete: still being written, or the writer was killed
            fail(line, e.what());
        }
    }
    return std::nullopt;
}

void RecordingReader::seek_before(const Reached& reached) {
    constexpr std::uint64_t near = 64 * 1024; // below this, reading is as fast
    rewind();
    if (!input_->random_access()) return;
    auto low = records_at_, high = *input_->size();
    while (high > low && high - low > near) {
        const auto middle = low + (high - low) / 2;
        const auto response = reached_from(middle, high, reached);
        if (response && !*response) low = place_.offset;
        else high = middle;
    }
    warning_.clear();
    if (low == records_at_) return rewind();
    seek({low, 0, {}, 0});
}

/// IDs of these characters are written unescaped, or with `\u`.
void RecordingReader::only_with_id(const std::string& id) {
    const auto plain = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '-' || c == '_' || c == '.' || c == ':' || c == '@';
    };
    if (!id.empty() && std::all_of(id.begin(), id.end(), plain)) lines_.skip_without(id);
}

} // namespace sse
