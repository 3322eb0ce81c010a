#include "recording/har.hpp"

#include "base/ascii.hpp"
#include "base/error.hpp"
#include "base/mask.hpp"
#include "base/rfc3339.hpp"
#include "base/trimmed.hpp"
#include "base/utf8.hpp"
#include "protocol/parser.hpp"
#include "protocol/stream_format.hpp"
#include "recording/event_text_reader.hpp"
#include "recording/imported_body.hpp"
#include "recording/mitmproxy_text.hpp"
#include "recording/record_parser.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <simdjson.h>
#include <string>
#include <strings.h>
#include <utility>
#include <vector>

namespace sse {

namespace {

using std::chrono::microseconds;
namespace json = simdjson::ondemand;

/// One message of `_eventSourceMessages`.
struct HarMessage {
    std::optional<double> seconds; ///< since 1970
    std::string type, id, data;
};

/// An entry as far as it is needed. Other values in it are never parsed, so it does not matter if
/// they cannot be.
struct HarEntry {
    RecordingHeader header;
    std::vector<HarMessage> messages;
    std::string media_type, encoding, request_type;
    std::string_view body;            ///< JSON of the string in `content.text`, within the file
    bool hexadecimal = false;         ///< Polly's `_isBinary`: chunks in hexadecimal digits
    std::optional<std::string> error; ///< the first value that is needed and cannot be read
};

[[noreturn]] void fail(simdjson::error_code error) {
    throw Error(Errc::bad_input, fmt::format("not a HAR file: {}", simdjson::error_message(error)),
                Reason::har_without_events);
}

template <class Result>
auto checked(Result result) {
    if (result.error() != simdjson::SUCCESS) fail(result.error());
    return std::move(result).value_unsafe();
}

/// Calls `visit(key, value)` for each member of `value`, if that is an object.
template <class Visit>
void each_member(json::value value, const Visit& visit) {
    json::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return;
    for (auto member : object) {
        auto field = checked(std::move(member));
        std::string_view key;
        if (field.unescaped_key().get(key) == simdjson::SUCCESS) visit(key, field.value());
    }
}

/// Calls `visit(value)` for each element of `value`, if that is an array.
template <class Visit>
void each_element(json::value value, const Visit& visit) {
    json::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return;
    for (auto element : array) visit(checked(element));
}

/// Reads the strings of one entry, and keeps the first error.
class EntryReader {
public:
    explicit EntryReader(HarEntry& entry)
        : entry_(entry) {}

    void read(json::value value) {
        each_member(value, [&](std::string_view key, json::value member) {
            auto& header = entry_.header;
            if (key == "startedDateTime") read_text(member, key, header.started);
            else if (key == "request") read_request(member);
            else if (key == "response") read_response(member);
            else if (key == "_eventSourceMessages")
                each_element(member, [&](json::value message) { read_message(message); });
        });
    }

private:
    void read_text(json::value value, std::string_view name, std::string& to) {
        std::string_view text;
        const auto error = value.get_string().get(text);
        if (error == simdjson::SUCCESS) to = text;
        else if (error != simdjson::INCORRECT_TYPE && !entry_.error)
            entry_.error = fmt::format("{} is not a well-formed string", name);
    }

    void read_request(json::value value) {
        auto& request = entry_.header.request;
        each_member(value, [&](std::string_view key, json::value member) {
            if (key == "url") read_text(member, "request.url", entry_.header.url);
            else if (key == "method") read_text(member, "request.method", request.method);
            else if (key == "headers") read_fields(member, "request.headers", request.headers);
            else if (key == "postData")
                each_member(member, [&](std::string_view name, json::value text) {
                    if (name == "text")
                        read_text(text, "request.postData.text", request.body.emplace());
                    else if (name == "mimeType")
                        read_text(text, "request.postData.mimeType", entry_.request_type);
                });
        });
    }

    void read_response(json::value value) {
        auto& response = entry_.header.response;
        each_member(value, [&](std::string_view key, json::value member) {
            if (key == "headers") return read_fields(member, "response.headers", response.headers);
            if (key == "content") return read_content(member);
            std::int64_t status = 0;
            if (key == "status" && member.get_int64().get(status) == simdjson::SUCCESS &&
                status >= 100 && status <= 599)
                response.status = static_cast<int>(status);
        });
    }

    void read_content(json::value value) {
        bool binary = false;
        each_member(value, [&](std::string_view key, json::value member) {
            if (key == "mimeType")
                read_text(member, "response.content.mimeType", entry_.media_type);
            else if (key == "encoding")
                read_text(member, "response.content.encoding", entry_.encoding);
            else if (key == "text") entry_.body = member.raw_json_token();
            else if (key == "_isBinary" && member.get_bool().get(binary) == simdjson::SUCCESS)
                entry_.hexadecimal = binary;
        });
    }

    /// HAR's `headers`. Pseudo-fields of HTTP/2, such as `:method`, are ignored.
    void read_fields(json::value list, const char* where, RecordedFields& fields) {
        each_element(list, [&](json::value field) {
            std::string name, text;
            each_member(field, [&](std::string_view key, json::value member) {
                if (key == "name") read_text(member, where, name);
                else if (key == "value") read_text(member, where, text);
            });
            const auto bad = [](char c) { return c <= ' ' || c >= 0x7F || c == ':'; };
            if (name.empty() || std::any_of(name.begin(), name.end(), bad)) return;
            for (std::string_view value = text;;) { // Chrome joins several of one name by LF
                const auto end = value.find_first_of(std::string_view("\r\n\0", 3));
                fields.emplace_back(name, value.substr(0, end));
                if (end == value.npos) break;
                value.remove_prefix(end + 1);
            }
        });
    }

    void read_message(json::value value) {
        auto& message = entry_.messages.emplace_back();
        const auto name = fmt::format("message {}: ", entry_.messages.size());
        each_member(value, [&](std::string_view key, json::value member) {
            double seconds = 0;
            if (key == "data") read_text(member, name + "data", message.data);
            else if (key == "eventName") read_text(member, name + "eventName", message.type);
            else if (key == "eventId") read_text(member, name + "eventId", message.id);
            else if (key == "time" && member.get_double().get(seconds) == simdjson::SUCCESS &&
                     std::abs(seconds) < 1e11)
                message.seconds = seconds;
        });
    }

    HarEntry& entry_;
};

std::string_view without_line_ends(std::string_view text) {
    return text.substr(0, text.find_first_of(std::string_view("\r\n\0", 3)));
}

void write_messages(const HarEntry& entry, RecordingWriter& to) {
    auto zero = parse_rfc3339(entry.header.started);
    for (const auto& message : entry.messages) {
        auto time = zero.value_or(microseconds(0));
        if (message.seconds) time = microseconds(std::llround(*message.seconds * 1e6));
        if (!zero) zero = time; // the start is unknown: use the first message
        const auto t = std::clamp<microseconds>(time - *zero, microseconds(0), RecordParser::max_t);
        EventView event{"message", message.data, std::nullopt};
        if (const auto type = without_line_ends(message.type); !type.empty()) event.type = type;
        if (const auto id = without_line_ends(message.id); !id.empty()) event.id = id;
        to.event(t, event);
    }
}

/// Writes a body as records at time 0.
class BodyLines : public Parser::Sink {
public:
    explicit BodyLines(RecordingWriter& to)
        : to_(to) {}
    bool unfinished() const { return unfinished_; }
    void on_event(const EventView& event) override { to_.event(microseconds(0), event); }
    void on_id(std::string_view id) override { to_.id(microseconds(0), id); }
    void on_comment(std::string_view text) override { to_.comment(microseconds(0), text); }
    void on_retry(std::chrono::milliseconds time) override { to_.retry(microseconds(0), time); }
    void on_warning(ParseWarning warning, std::string_view) override {
        unfinished_ = unfinished_ || warning == ParseWarning::unfinished_event;
    }

private:
    RecordingWriter& to_;
    bool unfinished_ = false;
};

/// True if the body of `entry` is a stream of events in any format.
bool has_stream_body(const HarEntry& entry) {
    if (entry.body.empty()) return false;
    auto type = entry.media_type.substr(0, entry.media_type.find(';'));
    for (char& c : type) c = ascii_lower(c);
    return trimmed(type) == "text/event-stream" ||
           stream_format(entry.media_type) != StreamFormat::event_stream;
}

/// The strings of `text`, a JSON array of them; nullopt if it is none.
std::optional<std::vector<std::string>> strings_of(std::string_view text, json::parser& parser) {
    if (!text.starts_with('[')) return std::nullopt;
    const simdjson::padded_string padded(text);
    json::document document;
    json::array array;
    if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
        document.get_array().get(array) != simdjson::SUCCESS)
        return std::nullopt;
    std::vector<std::string> strings;
    for (auto element : array) {
        std::string_view string;
        if (element.get_string().get(string) != simdjson::SUCCESS) return std::nullopt;
        strings.emplace_back(string);
    }
    return strings;
}

/// True if mitmproxy has written `har`, with its command or its script.
bool is_of_mitmproxy(const simdjson::padded_string& har, json::parser& parser) {
    json::document document;
    std::string_view name;
    return parser.iterate(har).get(document) == simdjson::SUCCESS &&
           document["log"]["creator"]["name"].get_string().get(name) == simdjson::SUCCESS &&
           name.starts_with("mitmproxy");
}

/// The body of `entry`, decoded. Throws Error (bad_input) with the reason, too_large.
std::string body_of(const HarEntry& entry, json::parser& parser, bool of_mitmproxy,
                    std::size_t max_bytes, const std::function<void(const std::string&)>& warn) {
    json::document document;
    std::string_view text;
    const auto& raw = entry.body;
    if (parser.iterate(raw.data(), raw.size(), raw.size() + simdjson::SIMDJSON_PADDING)
            .get(document) != simdjson::SUCCESS)
        throw Error(Errc::bad_input, "response.content.text is not a well-formed string");
    const auto error = document.get_string().get(text);
    if (error == simdjson::INCORRECT_TYPE) return {};
    if (error != simdjson::SUCCESS)
        throw Error(Errc::bad_input, "response.content.text is not a well-formed string");
    const bool base64 = entry.encoding == "base64";
    std::string body(text);
    if (of_mitmproxy && !base64) body = without_latin_1(std::move(body), entry.media_type);
    if (base64 || entry.hexadecimal) {
        // Polly writes the chunks of a compressed body as an array of strings.
        const std::string copy = std::exchange(body, {});
        const auto chunks = strings_of(copy, parser).value_or(std::vector<std::string>(1, copy));
        for (const auto& chunk : chunks) {
            if (!(base64 ? append_loose_base64(chunk, body) : append_hexadecimal(chunk, body))) {
                throw Error(Errc::bad_input, fmt::format("response.content.text is not valid {}",
                                                         base64 ? "base64" : "hexadecimal"));
            }
        }
    }
    return without_coding(std::move(body), entry.header.response.headers, max_bytes, warn);
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
    auto bytes = whole_text(input, options.max_bytes);
    if (bytes.starts_with(bom)) bytes.erase(0, bom.size());
    simdjson::padded_string text(bytes);
    json::parser parser, body_parser;
    const bool of_mitmproxy = is_of_mitmproxy(text, parser);
    if (of_mitmproxy) {
        replace_undecoded_bytes(bytes);
        text = simdjson::padded_string(bytes);
    }
    std::string().swap(bytes);
    std::size_t number = 0;
    bool any = false;
    const auto read_entry = [&](json::value value) {
        ++number;
        HarEntry entry;
        EntryReader(entry).read(value);
        if (entry.messages.empty() && !has_stream_body(entry)) return;
        any = true;
        const auto where = fmt::format("{}: entry {}: ", input.name(), number);
        if (entry.error)
            throw Error(Errc::bad_input, where + *entry.error, Reason::har_without_events);
        auto header = entry.header;
        const auto started = parse_rfc3339(header.started);
        header.started = started ? rfc3339(std::chrono::system_clock::time_point(*started)) : "";
        if (of_mitmproxy && header.request.body)
            header.request.body =
                without_latin_1(std::move(*header.request.body), entry.request_type);
        if (!entry.messages.empty()) {
            const auto writer = make(std::move(header));
            write_messages(entry, *writer);
            writer->finish();
            return;
        }
        std::string body;
        try {
            body = body_of(entry, body_parser, of_mitmproxy, options.max_bytes,
                           [&](const std::string& why) { options.warn(where + why); });
        } catch (const Error& e) {
            throw Error(e.code(), where + e.what(), Reason::har_without_events);
        }
        if (of_mitmproxy && body.empty()) {
            options.warn(where + "the body is empty; mitmproxy keeps no body that it streams, "
                                 "unless store_streamed_bodies is set");
        }
        auto& fields = header.response.headers;
        const auto format = stream_format(entry.media_type);
        const bool typed = std::any_of(fields.begin(), fields.end(), [](const auto& field) {
            return ::strcasecmp(field.first.c_str(), "content-type") == 0;
        });
        if (!typed && format != StreamFormat::event_stream) {
            if (header.response.status == 0) header.response.status = 200;
            fields.emplace_back("Content-Type", without_line_ends(entry.media_type));
        }
        const auto writer = make(std::move(header));
        BodyLines lines(*writer);
        StreamTextParser events(format, lines);
        events.feed(body);
        events.finish();
        if (lines.unfinished())
            options.warn(where + "the last event is incomplete and was skipped");
        writer->finish();
    };
    try {
        auto document = checked(parser.iterate(text));
        json::array entries;
        const auto error = document["log"]["entries"].get_array().get(entries);
        if (error == simdjson::NO_SUCH_FIELD || error == simdjson::INCORRECT_TYPE)
            throw Error(Errc::bad_input, "the HAR file has no entries", Reason::har_without_events);
        if (error != simdjson::SUCCESS) fail(error);
        for (auto entry : entries) read_entry(checked(entry));
    } catch (const Error& e) {
        if (e.code() != Errc::bad_input || std::string_view(e.what()).starts_with(input.name()))
            throw;
        throw Error(e.code(), fmt::format("{}: {}", input.name(), e.what()), e.reason());
    }
    if (!any) {
        throw Error(Errc::bad_input,
                    fmt::format("{}: the HAR file contains no event stream", input.name()),
                    Reason::har_without_events);
    }
}

} // namespace sse
