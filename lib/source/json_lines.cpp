#include "source/json_lines.hpp"

#include "protocol/error.hpp"

#include <fmt/format.h>
#include <optional>
#include <simdjson.h>

namespace sse {

namespace {

using simdjson::dom::element;

/// What a line said, read whole before any of it is acted on.
struct Line {
    std::string data_text; ///< of data that is not a string
    EventView event;
    bool has_data = false;
    std::optional<std::string_view> comment;
    std::optional<std::chrono::milliseconds> retry;
};

[[noreturn]] void refuse(const char* why) { throw Error(Errc::bad_input, why); }

std::string_view text_of(const element& value, const char* why) {
    if (!value.is_string()) refuse(why);
    return value.get_string().value_unsafe();
}

} // namespace

/// simdjson's parsers keep their memory from line to line.
struct JsonLinesDecoder::Reader {
    simdjson::dom::parser parser;
    simdjson::ondemand::parser raw;
    simdjson::padded_string raw_line;
    std::string id_text;

    Line read(std::string_view text, const DecoderOptions& options) {
        Line line;
        if (!options.event.empty()) line.event.type = options.event;
        element whole;
        if (const auto error = parser.parse(text.data(), text.size()).get(whole)) {
            refuse(simdjson::error_message(error));
        }
        simdjson::dom::object object;
        if (whole.get_object().get(object)) refuse("not a JSON object");
        for (const auto [key, value] : object) {
            if (key == "data") {
                line.has_data = true;
                if (value.is_string()) line.event.data = text_of(value, "");
                else line.data_text = raw_data(text);
            } else if (key == "event") {
                const auto type = text_of(value, "event is not a string");
                if (!type.empty()) line.event.type = type;
            } else if (key == "id") {
                if (!value.is_string() && !value.is_number()) refuse("id is not a string");
                if (value.is_number()) id_text = simdjson::to_string(value);
                line.event.id = value.is_string() ? text_of(value, "") : std::string_view(id_text);
            } else if (key == "comment") {
                line.comment = text_of(value, "comment is not a string");
            } else if (key == "retry") {
                std::uint64_t ms = 0;
                if (value.get_uint64().get(ms) || ms > 2'147'483'647)
                    refuse("retry is not a number of milliseconds");
                line.retry = std::chrono::milliseconds(ms);
            }
        }
        return line;
    }

    /// The JSON text of `data`, as it was written but for white space: a number keeps its digits.
    std::string raw_data(std::string_view text) {
        raw_line = simdjson::padded_string(text);
        auto document = raw.iterate(raw_line);
        simdjson::ondemand::object object;
        if (document.get_object().get(object)) refuse("not a JSON object");
        std::string_view json;
        for (auto field : object) { // the last of equal keys counts, as above
            std::string_view key;
            if (field.unescaped_key().get(key)) refuse("a key cannot be read");
            simdjson::ondemand::value value;
            if (field.value().get(value)) refuse("data cannot be read");
            if (key == "data") json = raw_json(value);
        }
        std::string compact(json.size(), '\0');
        std::size_t size = 0;
        if (simdjson::minify(json.data(), json.size(), compact.data(), size))
            refuse("data cannot be read");
        compact.resize(size);
        return compact;
    }

    static std::string_view raw_json(simdjson::ondemand::value& value) {
        simdjson::ondemand::json_type type;
        if (value.type().get(type)) refuse("data cannot be read");
        std::string_view json;
        if (type == simdjson::ondemand::json_type::object) {
            simdjson::ondemand::object object;
            if (value.get_object().get(object) || object.raw_json().get(json))
                refuse("data cannot be read");
        } else if (type == simdjson::ondemand::json_type::array) {
            simdjson::ondemand::array array;
            if (value.get_array().get(array) || array.raw_json().get(json))
                refuse("data cannot be read");
        } else {
            json = value.raw_json_token();
        }
        return json;
    }
};

JsonLinesDecoder::JsonLinesDecoder(Sink& sink, const DecoderOptions& options)
    : sink_(sink)
    , options_(options)
    , lines_(options.max_event_bytes)
    , reader_(std::make_unique<Reader>()) {}
JsonLinesDecoder::~JsonLinesDecoder() = default;

void JsonLinesDecoder::take(std::string_view text) {
    if (text.find_first_not_of(" \t") == text.npos) return;
    try {
        Line line = reader_->read(text, options_);
        if (!line.data_text.empty()) line.event.data = line.data_text;
        if (line.retry) sink_.on_retry(*line.retry);
        if (line.comment) sink_.on_comment(*line.comment);
        if (line.has_data) sink_.on_event(line.event);
        else if (!line.retry && !line.comment) skip("neither data, retry nor comment");
    } catch (const Error& e) {
        skip(e.what());
    }
}

void JsonLinesDecoder::skip(const std::string& why) {
    sink_.on_skipped(fmt::format("line {}", lines_.number()), why);
}

void JsonLinesDecoder::skip_long() {
    skip(fmt::format("longer than {} bytes", options_.max_event_bytes));
}

void JsonLinesDecoder::feed(std::string_view bytes) {
    lines_.feed(
        bytes, [this](std::string_view line) { take(line); }, [this] { skip_long(); });
}

void JsonLinesDecoder::finish() {
    lines_.finish([this](std::string_view line) { take(line); }, [this] { skip_long(); });
}

} // namespace sse
