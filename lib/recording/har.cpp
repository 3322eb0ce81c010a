#include "recording/har.hpp"

#include "base/ascii.hpp"
#include "base/base64.hpp"
#include "base/error.hpp"
#include "base/json_text.hpp"
#include "base/mask.hpp"
#include "base/rfc3339.hpp"
#include "base/utf8.hpp"
#include "protocol/parser.hpp"
#include "recording/record_parser.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fmt/format.h>
#include <simdjson.h>
#include <string>
#include <strings.h>
#include <utility>

namespace sse {

namespace {

using std::chrono::microseconds;
namespace dom = simdjson::dom;

std::string_view text_at(const dom::element& object, std::string_view key) {
    std::string_view text;
    return object[key].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

/// The fields of HAR's `headers`. HTTP/2's `:method` and its like are none.
RecordedFields fields_at(const dom::element& message) {
    RecordedFields fields;
    dom::array list;
    if (message["headers"].get(list) != simdjson::SUCCESS) return fields;
    for (const auto field : list) {
        const auto name = text_at(field, "name");
        auto value = text_at(field, "value");
        const auto bad = [](char c) { return c <= ' ' || c >= 0x7F || c == ':'; };
        if (name.empty() || std::any_of(name.begin(), name.end(), bad)) continue;
        for (;;) { // Chrome joins several of one name by LF
            const auto end = value.find_first_of(std::string_view("\r\n\0", 3));
            fields.emplace_back(name, value.substr(0, end));
            if (end == value.npos) break;
            value.remove_prefix(end + 1);
        }
    }
    return fields;
}

RecordingHeader header_of(const dom::element& entry) {
    RecordingHeader header;
    header.started = text_at(entry, "startedDateTime");
    dom::element request, response;
    if (entry["request"].get(request) == simdjson::SUCCESS) {
        header.url = text_at(request, "url");
        header.request.method = text_at(request, "method");
        header.request.headers = fields_at(request);
        dom::element body;
        if (request["postData"].get(body) == simdjson::SUCCESS)
            header.request.body = text_at(body, "text");
    }
    if (entry["response"].get(response) == simdjson::SUCCESS) {
        std::int64_t status = 0;
        if (response["status"].get(status) == simdjson::SUCCESS && status >= 100 && status <= 599)
            header.response.status = static_cast<int>(status);
        header.response.headers = fields_at(response);
    }
    return header;
}

/// Since 1970, of `2026-11-22T05:00:00.123Z` or with `+01:00`; nothing if it is none.
std::optional<microseconds> epoch_of(const std::string& text) {
    std::tm date{};
    const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &date);
    if (rest == nullptr) return std::nullopt;
    std::chrono::seconds whole(::timegm(&date));
    double fraction = 0;
    if (*rest == '.') {
        char* end = nullptr;
        fraction = std::strtod(rest, &end);
        rest = end;
    }
    int hours = 0, minutes = 0;
    char sign = 0;
    if (std::sscanf(rest, "%c%2d:%2d", &sign, &hours, &minutes) == 3) {
        const auto offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
        whole += sign == '-' ? offset : -offset;
    }
    return whole + microseconds(std::llround(fraction * 1e6));
}

std::string_view without_line_ends(std::string_view text) {
    return text.substr(0, text.find_first_of(std::string_view("\r\n\0", 3)));
}

void write_messages(const dom::array& messages, const std::string& started, RecordingWriter& to) {
    auto zero = epoch_of(started);
    for (const auto message : messages) {
        double seconds = 0;
        auto time = zero.value_or(microseconds(0));
        if (message["time"].get(seconds) == simdjson::SUCCESS && std::abs(seconds) < 1e11)
            time = microseconds(std::llround(seconds * 1e6));
        if (!zero) zero = time; // nothing says when it began
        const auto t = std::clamp<microseconds>(time - *zero, microseconds(0), RecordParser::max_t);
        EventView event{"message", text_at(message, "data"), std::nullopt};
        if (const auto type = without_line_ends(text_at(message, "eventName")); !type.empty())
            event.type = type;
        if (const auto id = without_line_ends(text_at(message, "eventId")); !id.empty())
            event.id = id;
        to.event(t, event);
    }
}

/// A body as it was, at time 0.
class BodyLines : public Parser::Sink {
public:
    explicit BodyLines(RecordingWriter& to)
        : to_(to) {}
    void on_event(const EventView& event) override { to_.event(microseconds(0), event); }
    void on_id(std::string_view id) override { to_.id(microseconds(0), id); }
    void on_comment(std::string_view text) override { to_.comment(microseconds(0), text); }
    void on_retry(std::chrono::milliseconds time) override { to_.retry(microseconds(0), time); }

private:
    RecordingWriter& to_;
};

/// The text/event-stream body of `entry`; nullopt if it has none.
std::optional<std::string> body_of(const dom::element& entry) {
    dom::element content;
    if (entry["response"]["content"].get(content) != simdjson::SUCCESS) return std::nullopt;
    std::string type(text_at(content, "mimeType").substr(0, 17));
    for (char& c : type) c = ascii_lower(c);
    std::string_view text;
    if (type != "text/event-stream" || content["text"].get(text) != simdjson::SUCCESS)
        return std::nullopt;
    std::string body;
    if (text_at(content, "encoding") != "base64" || !append_from_base64(text, body)) body = text;
    return body;
}

std::string whole_text(RecordingInput& input, std::size_t max_bytes) {
    std::string text;
    for (;;) {
        const auto have = text.size();
        text.resize(have + 256 * 1024);
        const auto got = input.read(text.data() + have, text.size() - have);
        text.resize(have + got);
        if (got == 0) return text;
        if (text.size() > max_bytes) {
            throw Error(Errc::too_large,
                        fmt::format("{}: larger than {} bytes", input.name(), max_bytes));
        }
    }
}

} // namespace

bool is_har(std::string_view start) {
    const auto skip = [&](std::string_view what) {
        start.remove_prefix(std::min(start.find_first_not_of(" \t\r\n"), start.size()));
        const bool there = start.starts_with(what);
        if (there) start.remove_prefix(what.size());
        return there;
    };
    skip(bom);
    return skip("{") && skip("\"log\"") && skip(":");
}

void read_har(RecordingInput& input,
              const std::function<std::unique_ptr<RecordingWriter>(RecordingHeader)>& make,
              const HarOptions& options) {
    const simdjson::padded_string text(whole_text(input, options.max_bytes));
    dom::parser parser;
    dom::element document;
    if (const auto error = parser.parse(text).get(document)) {
        throw Error(Errc::bad_input, fmt::format("{}: not a HAR file: {}", input.name(),
                                                 simdjson::error_message(error)));
    }
    dom::array entries;
    if (document["log"]["entries"].get(entries) != simdjson::SUCCESS)
        throw Error(Errc::bad_input, fmt::format("{}: a HAR file without entries", input.name()));
    bool any = false;
    for (const auto entry : entries) {
        dom::array messages;
        const bool listed =
            entry["_eventSourceMessages"].get(messages) == simdjson::SUCCESS && messages.size() > 0;
        const auto body = listed ? std::nullopt : body_of(entry);
        if (!listed && !body) continue;
        any = true;
        auto header = header_of(entry);
        const auto started = header.started;
        const auto writer = make(std::move(header));
        if (listed) {
            write_messages(messages, started, *writer);
        } else {
            BodyLines lines(*writer);
            Parser events(lines);
            events.feed(*body);
            events.finish();
        }
        writer->finish();
    }
    if (!any) {
        throw Error(Errc::bad_input,
                    fmt::format("{}: a HAR file without a stream of events", input.name()));
    }
}

namespace {

void append_fields(const RecordedFields& fields, std::string& out) {
    out.append("\"headers\":[");
    bool first = true;
    for (const auto& [name, value] : fields) {
        out.append(std::exchange(first, false) ? "{\"name\":" : ",{\"name\":");
        append_json_string(name, out);
        out.append(",\"value\":");
        append_json_string(mask_header(name, value), out);
        out.push_back('}');
    }
    out.append("],\"headersSize\":-1,\"bodySize\":-1,\"cookies\":[],\"httpVersion\":\"HTTP/1.1\"");
}

void append_member(const char* name, std::string_view value, std::string& out) {
    out.append(",\"").append(name).append("\":");
    append_json_string(value, out);
}

} // namespace

HarText::HarText(std::string& out)
    : out_(out) {
    out_.append(
        "{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"sse\",\"version\":\"" SSE_VERSION
        "\"},\"entries\":[");
}

void HarText::begin(const RecordingHeader& header) {
    header_ = header;
    start_ = epoch_of(header.started).value_or(microseconds(0));
    bytes_ = 0;
    any_event_ = false;
    if (std::exchange(any_stream_, true)) out_.push_back(',');
    out_.append("\n{\"_resourceType\":\"eventsource\"");
    append_member("startedDateTime",
                  rfc3339(std::chrono::system_clock::time_point(
                      std::chrono::duration_cast<std::chrono::system_clock::duration>(start_))),
                  out_);
    out_.append(",\"_eventSourceMessages\":[");
}

void HarText::event(std::chrono::microseconds t, const EventView& event) {
    if (std::exchange(any_event_, true)) out_.push_back(',');
    out_.append("\n{\"time\":");
    append_seconds(start_ + t, out_);
    append_member("eventName", event.type, out_);
    append_member("eventId", event.id.value_or(""), out_);
    append_member("data", event.data, out_);
    out_.push_back('}');
    bytes_ += event.data.size();
}

void HarText::end(std::chrono::microseconds t) {
    const auto milliseconds = static_cast<double>(t.count()) / 1e3;
    const auto& request = header_.request;
    const auto& response = header_.response;
    std::string type = "text/event-stream";
    for (const auto& [name, value] : response.headers) {
        if (name.size() == 12 && ::strcasecmp(name.c_str(), "content-type") == 0) type = value;
    }
    out_ += fmt::format(
        "],\"time\":{},\"timings\":{{\"send\":0,\"wait\":0,\"receive\":{}}},\"cache\":{{}},"
        "\"request\":{{\"method\":",
        milliseconds, milliseconds);
    append_json_string(request.method.empty() ? "GET" : request.method, out_);
    append_member("url", mask_url(header_.url), out_);
    out_.append(",\"queryString\":[],");
    append_fields(request.headers, out_);
    if (request.body) {
        out_.append(",\"postData\":{\"mimeType\":\"\"");
        append_member("text", *request.body, out_);
        out_.push_back('}');
    }
    out_ += fmt::format("}},\"response\":{{\"status\":{},\"statusText\":\"\",\"redirectURL\":\"\",",
                        response.status == 0 ? 200 : response.status);
    append_fields(response.headers, out_);
    out_ += fmt::format(",\"content\":{{\"size\":{}", bytes_);
    append_member("mimeType", type, out_);
    out_.append("}}}");
}

void HarText::finish() { out_.append("\n]}}\n"); }

} // namespace sse
