#include "recording/writer.hpp"

#include "base/base64.hpp"
#include "base/error.hpp"
#include "base/json_text.hpp"
#include "base/mask.hpp"
#include "base/output_file.hpp"
#include "base/printable.hpp"
#include "base/rfc3339.hpp"
#include "base/utf8.hpp"
#include "recording/record_parser.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace sse {

namespace {

void key(const char* name, std::string& out) {
    if (out.back() != '{') out.push_back(',');
    out.append("\"").append(name).append("\":");
}

void text_key(const char* name, std::string_view value, std::string& out) {
    key(name, out);
    append_json_string(value, out);
}

void number_key(const char* name, long long value, std::string& out) {
    key(name, out);
    fmt::format_to(std::back_inserter(out), "{}", value);
}

/// Writes one member for each name; several values of one name (Set-Cookie) become an array.
void fields_key(const RecordedFields& fields, bool mask, std::string& out) {
    key("headers", out);
    out.push_back('{');
    const auto value_of = [&](const auto& field) {
        append_json_string(mask ? mask_header(field.first, field.second) : field.second, out);
    };
    for (auto field = fields.begin(); field != fields.end(); ++field) {
        const auto same = [&](const auto& other) { return other.first == field->first; };
        if (std::any_of(fields.begin(), field, same))
            continue; // written with the first of that name
        if (out.back() != '{') out.push_back(',');
        append_json_string(field->first, out);
        out.push_back(':');
        const bool many = std::count_if(field, fields.end(), same) > 1;
        if (many) out.push_back('[');
        for (auto it = field; it != fields.end(); ++it) {
            if (!same(*it)) continue;
            if (it != field) out.push_back(',');
            value_of(*it);
        }
        if (many) out.push_back(']');
    }
    out.push_back('}');
}

void bytes_key(const char* text_name, const char* base64_name, std::string_view bytes,
               std::string& out) {
    if (is_utf8(bytes)) return text_key(text_name, bytes, out);
    key(base64_name, out);
    out.push_back('"');
    append_base64(bytes, out);
    out.push_back('"');
}

void append_response(const RecordedResponse& response, bool mask, std::string& out) {
    if (response.status != 0) number_key("status", response.status, out);
    fields_key(response.headers, mask, out);
}

void append_header(const RecordingHeader& header, bool mask, std::string& out) {
    out.push_back('{');
    number_key("sse", header.version, out);
    text_key("started", header.started, out);
    text_key("tool", header.tool, out);
    if (!header.url.empty()) text_key("url", mask ? mask_url(header.url) : header.url, out);
    if (header.exact) {
        key("exact", out);
        out.append("true");
    }
    if (!header.request.method.empty()) {
        key("request", out);
        out.push_back('{');
        text_key("method", header.request.method, out);
        const auto& target = header.request.target;
        if (!target.empty()) text_key("target", mask ? mask_url(target) : target, out);
        fields_key(header.request.headers, mask, out);
        if (header.request.body) bytes_key("body", "body_base64", *header.request.body, out);
        out.push_back('}');
    }
    if (header.response.status != 0) {
        key("response", out);
        out.push_back('{');
        append_response(header.response, mask, out);
        out.push_back('}');
    }
    out.push_back('}');
}

/// `secret`: it will hold what others must not read, so only the owner may.
int create(const std::string& path, bool secret) {
    try {
        return open_output_file(path, Existing::truncated, secret ? 0600 : 0666);
    } catch (const std::system_error& e) {
        throw Error(Errc::io, e.what(), Reason::write_failed);
    }
}

/// True if writing to `fd` may block: not for a file.
bool blocks(int fd) {
    struct stat about {};
    return ::fstat(fd, &about) == 0 &&
           (S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode) || ::isatty(fd) == 1);
}

/// True if PIPE_BUF bytes can be written without blocking.
bool has_room(int fd) {
    pollfd room{fd, POLLOUT, 0};
    return ::poll(&room, 1, 0) > 0;
}

} // namespace

RecordingWriter::RecordingWriter(std::string path, RecordingHeader header,
                                 RecordingWriterOptions options)
    : RecordingWriter(create(path, !options.mask || header.request.body), path, std::move(header),
                      std::move(options)) {
    may_cut_ = true;
}

RecordingWriter::RecordingWriter(int fd, std::string name, RecordingHeader header,
                                 RecordingWriterOptions options)
    : name_(std::move(name))
    , options_(std::move(options))
    , fd_(fd)
    , may_block_(options_.wait && blocks(fd))
    , to_terminal_(::isatty(fd) == 1) {
    if (header.started.empty()) header.started = rfc3339(std::chrono::system_clock::now());
    if (header.tool.empty()) header.tool = "sse " SSE_VERSION;
    append_header(header, options_.mask, buffer_);
    if (name_.ends_with(".gz")) gzip_ = std::make_unique<Gzip>();
    try {
        end();
        flush();
    } catch (...) { // no destructor will run
        ::close(fd_);
        throw;
    }
}

RecordingWriter::~RecordingWriter() {
    try {
        finish();
    } catch (const Error&) { // finish() reports them
    }
}

void RecordingWriter::begin(std::chrono::microseconds t) {
    last_ = std::max(last_, t);
    if (last_ > RecordParser::max_t) {
        throw Error(Errc::too_large,
                    fmt::format("{}: a time of {} s exceeds the maximum of {} s", name_,
                                last_.count() / 1'000'000, RecordParser::max_t.count()),
                    Reason::playback_too_long);
    }
    buffer_.append("{\"t\":");
    append_seconds(last_, buffer_);
}

/// Writes what a terminal would act on as JSON escapes. In a line of JSON it can only be in
/// strings.
void RecordingWriter::escape_for_terminal() {
    std::string line;
    for (std::string_view rest = std::string_view(buffer_).substr(line_);;) {
        const auto del = rest.find('\x7f');
        append_printable(rest.substr(0, del), line);
        if (del == rest.npos) break;
        line.append("\\u007f");
        rest.remove_prefix(del + 1);
    }
    buffer_.replace(line_, std::string::npos, line);
}

void RecordingWriter::end() {
    const auto bytes = buffer_.size() - line_;
    if (bytes > options_.max_line_bytes) {
        buffer_.resize(line_);
        throw Error(Errc::too_large, fmt::format("{}: a line of {} bytes exceeds the limit of {}",
                                                 name_, bytes, options_.max_line_bytes));
    }
    if (to_terminal_) escape_for_terminal();
    buffer_.push_back('\n');
    line_ = buffer_.size();
    if (line_ >= options_.buffer_bytes) flush();
}

void RecordingWriter::event(std::chrono::microseconds t, const EventView& event) {
    begin(t);
    if (!event.type.empty() && event.type != "message") text_key("event", event.type, buffer_);
    if (event.id) text_key("id", *event.id, buffer_);
    text_key("data", event.data, buffer_);
    buffer_.push_back('}');
    end();
}

void RecordingWriter::id(std::chrono::microseconds t, std::string_view id) {
    begin(t);
    text_key("id", id, buffer_);
    buffer_.push_back('}');
    end();
}

void RecordingWriter::comment(std::chrono::microseconds t, std::string_view text) {
    begin(t);
    text_key("comment", text, buffer_);
    buffer_.push_back('}');
    end();
}

void RecordingWriter::retry(std::chrono::microseconds t, std::chrono::milliseconds time) {
    begin(t);
    number_key("retry", time.count(), buffer_);
    buffer_.push_back('}');
    end();
}

void RecordingWriter::open(std::chrono::microseconds t, const RecordedOpen& open) {
    begin(t);
    buffer_.append(",\"open\":{");
    append_response(open.response, options_.mask, buffer_);
    if (!open.last_event_id.empty()) text_key("last_event_id", open.last_event_id, buffer_);
    buffer_.append("}}");
    end();
}

void RecordingWriter::close(std::chrono::microseconds t, const RecordedClose& close) {
    begin(t);
    text_key("close", close.how, buffer_);
    if (!close.message.empty()) text_key("message", close.message, buffer_);
    buffer_.push_back('}');
    end();
}

void RecordingWriter::bytes(std::chrono::microseconds t, std::string_view bytes) {
    begin(t);
    bytes_key("bytes", "base64", bytes, buffer_);
    buffer_.push_back('}');
    end();
}

void RecordingWriter::write(const Record& record) {
    struct {
        RecordingWriter& to;
        std::chrono::microseconds t;
        void operator()(const EventView& it) const { to.event(t, it); }
        void operator()(const RecordedId& it) const { to.id(t, it.id); }
        void operator()(const RecordedComment& it) const { to.comment(t, it.text); }
        void operator()(const RecordedRetry& it) const { to.retry(t, it.time); }
        void operator()(const RecordedOpen& it) const { to.open(t, it); }
        void operator()(const RecordedClose& it) const { to.close(t, it); }
        void operator()(const RecordedBytes& it) const { to.bytes(t, it.bytes); }
    } const visitor{*this, record.t};
    std::visit(visitor, record.what);
}

void RecordingWriter::fail(int error) {
    error_ = error;
    throw Error(Errc::io, fmt::format("cannot write {}: {}", name_, std::strerror(error)),
                Reason::write_failed);
}

bool RecordingWriter::flush() {
    if (!gzip_) return write_out(buffer_, line_);
    gzip_->add(std::string_view(buffer_).substr(0, line_), packed_);
    buffer_.erase(0, line_);
    line_ = 0;
    auto size = packed_.size();
    return write_out(packed_, size);
}

/// Writes the first `size` bytes of `from`, and subtracts what was written from both. False if some
/// are left.
bool RecordingWriter::write_out(std::string& from, std::size_t& size) {
    if (error_ != 0) fail(error_);
    std::size_t done = 0;
    while (done < size) {
        if (may_block_ && !has_room(fd_) && !options_.wait(fd_)) break;
        const auto piece = may_block_ ? std::min<std::size_t>(size - done, PIPE_BUF) : size - done;
        const auto wrote = ::write(fd_, from.data() + done, piece);
        if (wrote >= 0) {
            done += static_cast<std::size_t>(wrote);
        } else if (errno == EAGAIN) {
            pollfd ready{fd_, POLLOUT, 0};
            ::poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            const int error = errno;
            // Keep whole lines; of gzip nothing, since a partial block would make the rest
            // unreadable.
            const auto whole = gzip_ ? 0 : std::string_view(from).substr(0, done).rfind('\n') + 1;
            if (may_cut_ && ::ftruncate(fd_, static_cast<off_t>(written_ + whole)) == 0)
                done = whole;
            written_ += done;
            fail(error);
        }
    }
    written_ += done;
    from.erase(0, done);
    size -= done;
    return size == 0;
}

bool RecordingWriter::finish() {
    if (fd_ < 0) return true;
    const int fd = fd_;
    bool all = true;
    try {
        if (error_ == 0) all = flush();
        if (error_ == 0 && all && gzip_) {
            gzip_->finish(packed_);
            auto size = packed_.size();
            all = write_out(packed_, size);
        }
    } catch (...) {
        fd_ = -1;
        ::close(fd);
        throw;
    }
    fd_ = -1;
    if (::close(fd) != 0 && errno != EINTR && error_ == 0) fail(errno);
    return all;
}

} // namespace sse
