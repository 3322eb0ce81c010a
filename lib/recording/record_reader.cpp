#include "recording/record_reader.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "recording/event_text_reader.hpp"
#include "recording/har.hpp"
#include "recording/reader.hpp"
#include "recording/record_parser.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string>
#include <strings.h>
#include <utility>

namespace sse {

namespace {

/// Bytes that are enough to detect the format of a file.
constexpr std::size_t shown_bytes = 4096;
/// Longest first line in bytes that is checked to be one of JSON lines.
constexpr std::size_t max_first_line = 1024 * 1024;

/// True if the first line that is not empty can be one of an event stream: a comment or a field.
bool is_event_text(std::string_view text) {
    if (text.starts_with(bom)) text.remove_prefix(bom.size());
    while (text.starts_with('\n') || text.starts_with('\r')) text.remove_prefix(1);
    const auto line = text.substr(0, text.find_first_of("\r\n"));
    const auto colon = line.find(':');
    if (colon == 0) return true;
    constexpr std::array<std::string_view, 4> fields = {"data", "event", "id", "retry"};
    return std::find(fields.begin(), fields.end(), line.substr(0, colon)) != fields.end();
}

/// True once `text` contains the first key of JSON, or the first line of other text.
bool shows_format(std::string_view text) {
    if (text.starts_with(bom)) text.remove_prefix(bom.size());
    const auto skip_blanks = [&] {
        text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    };
    skip_blanks();
    if (!text.starts_with('{')) return text.find_first_of("\r\n") != text.npos;
    text.remove_prefix(1);
    skip_blanks();
    return text.find(':') != text.npos;
}

} // namespace

namespace {

/// JSON lines that are not a recording: the first line is an object without the keys of one.
bool is_json_lines(RecordingInput& input) {
    const auto has_line = [](std::string_view text) { return text.find('\n') != text.npos; };
    auto line = input.peek(max_first_line, has_line);
    if (line.starts_with(bom)) line.remove_prefix(bom.size());
    std::string padded(line.substr(0, line.find('\n')));
    const auto size = padded.size();
    padded.append(64, ' '); // read by the parser, not used
    return RecordParser().is_other_json(std::string_view(padded).substr(0, size));
}

} // namespace

StreamFormat RecordReader::stream_format() const {
    for (const auto& [name, value] : header_.response.headers) {
        if (name.size() == 12 && ::strcasecmp(name.c_str(), "content-type") == 0)
            return sse::stream_format(value);
    }
    return StreamFormat::event_stream;
}

std::string_view start_of(RecordingInput& input) { return input.peek(shown_bytes, shows_format); }

void RecordReader::check_length(std::uint64_t read, const std::string& where) const {
    const auto size = input_->size();
    if (!size || *size >= read) return;
    throw Error(
        Errc::bad_input,
        fmt::format("{}: the file was truncated to {} bytes while it was read", where, *size),
        Reason::truncated_meanwhile);
}

void RecordReader::seek_before(const Reached&) { rewind(); }

std::unique_ptr<RecordReader> open_recording(std::unique_ptr<RecordingInput> input,
                                             RecordingReaderOptions options) {
    if (options.growing && input->gzipped()) {
        throw Error(Errc::bad_input,
                    fmt::format("{}: gzipped files cannot be followed while they "
                                "grow",
                                input->name()),
                    Reason::cannot_follow);
    }
    input->wait_with(options.wait);
    const auto start = start_of(*input);
    if (is_har(start)) {
        throw Error(Errc::bad_input,
                    fmt::format("{}: a HAR file is not a single recording", input->name()));
    }
    const auto text = [&](StreamFormat format) {
        return std::make_unique<EventTextReader>(std::move(input), std::move(options), format);
    };
    if (start.starts_with("HTTP/") || is_event_text(start)) return text(StreamFormat::event_stream);
    if (start.starts_with('\x1e')) return text(StreamFormat::json_seq);
    if (is_json_lines(*input)) return text(StreamFormat::json_lines);
    return std::make_unique<RecordingReader>(std::move(input), std::move(options));
}

std::unique_ptr<RecordReader> open_recording(const std::string& path,
                                             RecordingReaderOptions options) {
    auto input = std::make_unique<RecordingInput>(path);
    if (options.names) {
        if (const auto known = options.names->find(path); known != options.names->end())
            input->set_name(known->second);
    }
    return open_recording(std::move(input), std::move(options));
}

} // namespace sse
