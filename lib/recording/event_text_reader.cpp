#include "recording/event_text_reader.hpp"

#include "base/error.hpp"
#include "base/trimmed.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

constexpr std::string_view head_start = "HTTP/";

std::string_view without_end(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

/// The status of `HTTP/1.1 200 OK`, `HTTP/2 200`; 0 if it is no such line.
int status_of(std::string_view line) {
    const auto space = line.find(' ');
    if (!line.starts_with(head_start) || space == line.npos || line.size() < space + 4) return 0;
    int status = 0;
    for (const char c : line.substr(space + 1, 3)) {
        if (c < '0' || c > '9') return 0;
        status = status * 10 + (c - '0');
    }
    return status >= 100 && status <= 599 ? status : 0;
}

} // namespace

StreamTextParser::StreamTextParser(StreamFormat format, Parser::Sink& sink) {
    switch (format) {
    case StreamFormat::event_stream: events_.emplace(sink); break;
    case StreamFormat::json_lines: lines_.emplace(sink); break;
    case StreamFormat::json_seq: sequence_.emplace(sink); break;
    }
}

void StreamTextParser::feed(std::string_view bytes) {
    if (events_) events_->feed(bytes);
    if (lines_) lines_->feed(bytes);
    if (sequence_) sequence_->feed(bytes);
}

void StreamTextParser::finish() {
    if (events_) events_->finish();
    if (lines_) lines_->finish();
    if (sequence_) sequence_->finish();
}

EventTextReader::EventTextReader(std::unique_ptr<RecordingInput> input,
                                 RecordingReaderOptions options, StreamFormat format)
    : RecordReader(std::move(input), std::move(options))
    , format_(format)
    , buffer_(*input_, options_.buffer_bytes) {
    read_heads();
    if (header_.response.status != 0) {
        format_ = stream_format();
    } else if (format_ != StreamFormat::event_stream) {
        const bool lines = format_ == StreamFormat::json_lines;
        header_.response = {
            200, {{"Content-Type", lines ? "application/x-ndjson" : "application/json-seq"}}};
    }
    if (format_ != StreamFormat::event_stream) skip_bom();
    body_ = block_ = {buffer_.offset(), line_ + 1, {}, 0};
    parser_ = std::make_unique<StreamTextParser>(format_, static_cast<Parser::Sink&>(*this));
}

std::string_view EventTextReader::format_name() const {
    switch (format_) {
    case StreamFormat::json_lines: return "JSON lines";
    case StreamFormat::json_seq: return "JSON text sequence";
    default: return "event-stream text";
    }
}

/// Parser skips a byte order mark itself; the parsers of JSON do not.
void EventTextReader::skip_bom() {
    while (buffer_.unread().size() < bom.size() && fill()) {
    }
    if (buffer_.unread().starts_with(bom)) buffer_.consume(bom.size());
}

void EventTextReader::fail(std::uint64_t line, const std::string& why) const {
    throw Error(Errc::bad_input, fmt::format("{}:{}: {}", input_->name(), line, why),
                Reason::not_a_recording);
}

bool EventTextReader::fill() {
    if (buffer_.unread().size() >= options_.max_line_bytes) {
        throw Error(Errc::too_large,
                    fmt::format("{}:{}: the line is longer than {} bytes", input_->name(),
                                line_ + 1, options_.max_line_bytes));
    }
    return buffer_.fill(options_.max_line_bytes);
}

/// The next whole line with its end (LF, CR or CRLF; in a JSON text sequence also before RS), valid
/// until the next fill(). False if there is none yet, or with paused_ if `budget` is used up.
bool EventTextReader::next_line(std::string_view& line, TimeBudget& budget) {
    const std::string_view ends = format_ == StreamFormat::json_seq ? "\r\n\x1e" : "\r\n";
    for (;;) {
        paused_ = budget.over(buffer_.offset() + searched_);
        if (paused_) return false;
        const auto rest = buffer_.unread();
        auto at = rest.find_first_of(ends, searched_);
        if (at == 0 && rest[at] == '\x1e') at = rest.find_first_of(ends, 1); // it begins the line
        if (at != rest.npos && (rest[at] != '\r' || at + 1 < rest.size())) {
            const bool crlf = rest[at] == '\r' && rest[at + 1] == '\n';
            line = rest.substr(0, at + (rest[at] == '\x1e' ? 0 : crlf ? 2 : 1));
        } else {
            searched_ = std::min(at, rest.size());
            if (fill()) continue;
            if (at == rest.npos || options_.grows()) return false; // an LF may follow a last CR
            line = buffer_.unread();                               // fill() has moved it
        }
        buffer_.consume(line.size());
        searched_ = 0;
        ++line_;
        return true;
    }
}

/// Reads all heads that `curl -i` prints: of redirects, of a proxy, interim ones. Keeps the last.
void EventTextReader::read_heads() {
    for (;;) {
        while (buffer_.unread().size() < head_start.size() &&
               head_start.starts_with(buffer_.unread()) && fill()) {
        }
        if (!buffer_.unread().starts_with(head_start)) return;
        TimeBudget unlimited(TimeBudget::Clock::time_point::max());
        std::string_view line;
        const auto read_line = [&] {
            if (!next_line(line, unlimited))
                fail(line_ + 1, "the response head is incomplete: nothing was captured");
            if (buffer_.offset() <= max_head_bytes) return;
            throw Error(Errc::too_large, fmt::format("{}:{}: the heads are larger than {} bytes",
                                                     input_->name(), line_, max_head_bytes));
        };
        read_line();
        header_.response = {status_of(without_end(line)), {}};
        if (header_.response.status == 0) fail(line_, "not an HTTP status line");
        for (;;) {
            read_line();
            const auto field = without_end(line);
            if (field.empty()) break;
            const auto colon = field.find(':');
            const auto name = field.substr(0, colon);
            if (colon == field.npos || name.empty() || name.find_first_of(" \t") != name.npos)
                fail(line_, "not a header field");
            header_.response.headers.emplace_back(name, trimmed(field.substr(colon + 1)));
        }
    }
}

const Record* EventTextReader::next(TimeBudget& budget) {
    std::string_view line;
    const bool grows = options_.grows(); // asked before reading: nothing is read after the end
    got_ = false;
    while (next_line(line, budget)) {
        const auto start = RecordingPlace{buffer_.offset() - line.size(), line_, {}, 0};
        const bool blank = line.front() == '\n' || line.front() == '\r';
        const bool element = format_ == StreamFormat::json_seq && line.front() == '\x1e';
        try {
            parser_->feed(line);
        } catch (const Error& e) {
            throw Error(e.code(), fmt::format("{}:{}: {}", input_->name(), line_, e.what()));
        }
        if (got_) {
            place_ = block_;
            place_.skip = of_block_++;
        }
        if (element) { // the record is the element before
            block_ = start;
            of_block_ = 0;
        } else if (format_ == StreamFormat::json_lines ||
                   (blank && format_ == StreamFormat::event_stream)) {
            block_ = {buffer_.offset(), line_ + 1, {}, 0};
            of_block_ = 0;
        }
        if (!std::exchange(got_, false)) continue;
        if (skip_ == 0) return &record_;
        --skip_;
    }
    if (paused_) return nullptr;
    check_length(buffer_.offset(), fmt::format("{}:{}", input_->name(), line_ + 1));
    if (grows || std::exchange(finished_, true)) return nullptr;
    place_ = block_;
    place_.skip = of_block_;
    parser_->feed(buffer_.unread());
    parser_->finish(); // JSON formats pass on an event without a line end here
    if (input_->cut_short() && warning_.empty()) {
        warning_ = fmt::format("{}:{}: the gzip data ends early", input_->name(), line_ + 1);
    }
    return std::exchange(got_, false) && skip_ == 0 ? &record_ : nullptr;
}

void EventTextReader::seek(const RecordingPlace& place) {
    buffer_.seek(place.offset);
    searched_ = 0;
    line_ = place.line - 1;
    block_ = place;
    block_.skip = of_block_ = 0;
    skip_ = place.skip;
    finished_ = false;
    got_ = false;
    warning_.clear();
    parser_ = std::make_unique<StreamTextParser>(format_, static_cast<Parser::Sink&>(*this));
    // A byte order mark is one at the start of the stream only.
    if (format_ == StreamFormat::event_stream && buffer_.offset() != body_.offset)
        parser_->feed("\n");
}

void EventTextReader::on_event(const EventView& event) {
    type_ = event.type, data_ = event.data;
    EventView view{type_, data_, std::nullopt};
    if (event.id) view.id = id_.assign(*event.id);
    record_.what = view;
    got_ = true;
}

void EventTextReader::on_id(std::string_view id) {
    record_.what = RecordedId{id_.assign(id)};
    got_ = true;
}

void EventTextReader::on_comment(std::string_view text) {
    record_.what = RecordedComment{data_.assign(text)};
    got_ = true;
}

void EventTextReader::on_retry(std::chrono::milliseconds time) {
    record_.what = RecordedRetry{time};
    got_ = true;
}

void EventTextReader::on_warning(ParseWarning warning, std::string_view) {
    ++warnings_[static_cast<std::size_t>(warning)];
    if (warning == ParseWarning::unfinished_event) {
        warning_ = fmt::format("{}:{}: the last event is incomplete and was skipped",
                               input_->name(), line_ + 1);
    }
}

} // namespace sse
