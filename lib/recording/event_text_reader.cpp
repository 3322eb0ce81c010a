#include "recording/event_text_reader.hpp"

#include "base/error.hpp"
#include "base/trimmed.hpp"

#include <algorithm>
#include <cstring>
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

EventTextReader::EventTextReader(std::unique_ptr<RecordingInput> input,
                                 RecordingReaderOptions options)
    : RecordReader(std::move(input), std::move(options))
    , buffer_(options_.buffer_bytes) {
    read_heads();
    body_ = block_ = {offset_, line_ + 1, {}, 0};
    parser_ = std::make_unique<Parser>(static_cast<Parser::Sink&>(*this));
}

void EventTextReader::fail(std::uint64_t line, const std::string& why) const {
    throw Error(Errc::bad_input, fmt::format("{}:{}: {}", input_->name(), line, why));
}

bool EventTextReader::fill() {
    if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_, begin_ = 0;
    }
    if (end_ == buffer_.size()) {
        if (end_ >= options_.max_line_bytes) {
            throw Error(Errc::too_large,
                        fmt::format("{}:{}: the line is longer than {} bytes", input_->name(),
                                    line_ + 1, options_.max_line_bytes));
        }
        buffer_.resize(std::min(buffer_.size() * 2, options_.max_line_bytes));
    }
    const auto got = input_->read(buffer_.data() + end_, buffer_.size() - end_);
    end_ += got;
    return got > 0;
}

/// The next whole line with its end (LF, CR or CRLF), valid until the next fill(); false if there
/// is none yet.
bool EventTextReader::next_line(std::string_view& line) {
    for (std::size_t searched = 0;;) {
        const std::string_view rest(buffer_.data() + begin_, end_ - begin_);
        const auto at = rest.find_first_of("\r\n", searched);
        if (at != rest.npos && (rest[at] == '\n' || at + 1 < rest.size())) {
            const bool crlf = rest[at] == '\r' && rest[at + 1] == '\n';
            line = rest.substr(0, at + (crlf ? 2 : 1));
        } else {
            searched = std::min(at, rest.size());
            if (fill()) continue;
            if (at == rest.npos || options_.grows()) return false; // an LF may follow a last CR
            line = rest;
        }
        begin_ += line.size();
        offset_ += line.size();
        ++line_;
        return true;
    }
}

/// `curl -i` prints all of them: of redirects, of a proxy, interim ones. The last counts.
void EventTextReader::read_heads() {
    for (;;) {
        const auto rest = [&] { return std::string_view(buffer_.data() + begin_, end_ - begin_); };
        while (rest().size() < head_start.size() && head_start.starts_with(rest()) && fill()) {
        }
        if (!rest().starts_with(head_start)) return;
        std::string_view line;
        if (!next_line(line)) fail(line_ + 1, "the head is torn: nothing was captured");
        header_.response = {status_of(without_end(line)), {}};
        if (header_.response.status == 0) fail(line_, "not a status line of HTTP");
        for (;;) {
            if (!next_line(line)) fail(line_ + 1, "the head is torn: nothing was captured");
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

const Record* EventTextReader::next() {
    std::string_view line;
    const bool grows =
        options_.grows(); // before what is read, so that nothing comes behind the end
    got_ = false;
    while (next_line(line)) {
        const bool blank = line.front() == '\n' || line.front() == '\r';
        try {
            parser_->feed(line);
        } catch (const Error& e) {
            throw Error(e.code(), fmt::format("{}:{}: {}", input_->name(), line_, e.what()));
        }
        if (got_) {
            place_ = block_;
            place_.skip = of_block_++;
        }
        if (blank) {
            block_ = {offset_, line_ + 1, {}, 0};
            of_block_ = 0;
        }
        if (got_) return &record_;
    }
    check_length(offset_, fmt::format("{}:{}", input_->name(), line_ + 1));
    if (grows || std::exchange(finished_, true)) return nullptr;
    parser_->feed({buffer_.data() + begin_, end_ - begin_});
    parser_->finish();
    if (input_->cut_short() && warning_.empty()) {
        warning_ =
            fmt::format("{}:{}: the gzip data ends before its time", input_->name(), line_ + 1);
    }
    return nullptr;
}

void EventTextReader::seek(const RecordingPlace& place) {
    input_->seek(place.offset);
    begin_ = end_ = 0;
    offset_ = place.offset;
    line_ = place.line - 1;
    block_ = place;
    block_.skip = of_block_ = 0;
    finished_ = false;
    warning_.clear();
    parser_ = std::make_unique<Parser>(static_cast<Parser::Sink&>(*this));
    if (offset_ != body_.offset) parser_->feed("\n"); // a byte order mark is one at the start only
    for (auto skip = place.skip; skip > 0; --skip) next();
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
    if (warning == ParseWarning::unfinished_block) {
        warning_ = fmt::format("{}:{}: the last event is unfinished and was skipped",
                               input_->name(), line_ + 1);
    }
}

} // namespace sse
