#include "protocol/stream_format.hpp"

#include "base/ascii.hpp"
#include "base/trimmed.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace sse {

namespace {

constexpr std::array<std::string_view, 8> json_lines_types = {
    "application/x-ndjson",      "application/ndjson",     "application/jsonl",
    "application/x-jsonlines",   "application/jsonlines",  "application/json-lines",
    "application/x-json-stream", "application/stream+json"};

} // namespace

StreamFormat stream_format(std::string_view content_type) {
    std::string type(trimmed(content_type.substr(0, content_type.find(';'))));
    std::transform(type.begin(), type.end(), type.begin(), ascii_lower);
    if (std::find(json_lines_types.begin(), json_lines_types.end(), type) != json_lines_types.end())
        return StreamFormat::json_lines;
    if (type == "application/json-seq" || type.ends_with("+json-seq")) // RFC 8091
        return StreamFormat::json_seq;
    return StreamFormat::event_stream;
}

} // namespace sse
