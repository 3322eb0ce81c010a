#include "recording/har_text.hpp"

#include "base/json_text.hpp"
#include "base/mask.hpp"
#include "base/rfc3339.hpp"
#include "recording/writer.hpp"

#include <fmt/format.h>
#include <iterator>
#include <string_view>
#include <strings.h>
#include <utility>

namespace sse {

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
    start_ = parse_rfc3339(header.started).value_or(std::chrono::microseconds(0));
    bytes_ = 0;
    any_event_ = false;
    if (std::exchange(any_stream_, true)) out_.push_back(',');
    out_.append("\n{\"_resourceType\":\"eventsource\"");
    append_member("startedDateTime", rfc3339(std::chrono::system_clock::time_point(start_)), out_);
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
