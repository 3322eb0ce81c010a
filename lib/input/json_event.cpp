#include "input/json_event.hpp"

#include "base/error.hpp"
#include "base/json_syntax.hpp"

#include <simdjson.h>
#include <string>

namespace sse {

namespace {

using namespace simdjson;

[[noreturn]] void refuse(const char* why) { throw Error(Errc::bad_input, why); }

std::string_view text_of(ondemand::value& value, const char* why) {
    std::string_view text;
    if (value.get_string().get(text)) refuse(why);
    return text;
}

/// The JSON text of a value, as it stands there.
std::string_view raw_json(ondemand::value& value, ondemand::json_type type) {
    std::string_view json;
    if (type == ondemand::json_type::object) {
        ondemand::object object;
        if (value.get_object().get(object) || object.raw_json().get(json))
            refuse("data is malformed");
    } else if (type == ondemand::json_type::array) {
        ondemand::array array;
        if (value.get_array().get(array) || array.raw_json().get(json)) refuse("data is malformed");
    } else {
        json = value.raw_json_token();
        json = json.substr(0, json.find_last_not_of(" \t\r\n") + 1);
    }
    return json;
}

std::string compact(std::string_view json) {
    std::string result(json.size(), '\0');
    std::size_t size = 0;
    if (minify(json.data(), json.size(), result.data(), size)) refuse("data is malformed");
    result.resize(size);
    return result;
}

} // namespace

struct JsonEventReader::Parsers {
    JsonSyntax syntax;
    ondemand::parser fields;
    std::string text; ///< what is being read, with the room behind it that simdjson asks for
};

JsonEventReader::JsonEventReader()
    : parsers_(std::make_unique<Parsers>()) {}
JsonEventReader::~JsonEventReader() = default;

JsonEvent JsonEventReader::read(std::string_view given) {
    auto& text = parsers_->text;
    text.reserve(given.size() + SIMDJSON_PADDING);
    text.assign(given);
    // Read twice: once to check that all of it is JSON, once for the text of its values, which a
    // tree of values no longer has.
    if (const auto* why = parsers_->syntax.error(text)) refuse(why);
    ondemand::document document;
    ondemand::object object;
    if (parsers_->fields.iterate(text.data(), text.size(), text.capacity()).get(document) ||
        document.get_object().get(object)) {
        refuse("not a JSON object");
    }
    JsonEvent result;
    result.event.type = "";
    for (auto field : object) {
        std::string_view key;
        ondemand::value value;
        ondemand::json_type type;
        if (field.unescaped_key().get(key) || field.value().get(value) || value.type().get(type)) {
            refuse("not JSON");
        }
        if (key == "data") {
            result.has_data = true;
            const bool is_string = type == ondemand::json_type::string;
            if (!is_string) data_ = compact(raw_json(value, type));
            result.event.data =
                is_string ? text_of(value, "data is malformed") : std::string_view(data_);
        } else if (key == "event") {
            result.event.type = text_of(value, "event is not a string");
        } else if (key == "id") {
            const bool is_number = type == ondemand::json_type::number;
            if (is_number) id_ = raw_json(value, type);
            result.event.id =
                is_number ? std::string_view(id_) : text_of(value, "id is not a string");
        } else if (key == "comment") {
            result.comment = text_of(value, "comment is not a string");
        } else if (key == "channel") {
            result.channel = text_of(value, "channel is not a string");
        } else if (key == "retry") {
            std::uint64_t ms = 0;
            if (value.get_uint64().get(ms) || ms > 2'147'483'647)
                refuse("retry is not a number of milliseconds");
            result.retry = std::chrono::milliseconds(ms);
        }
    }
    if (!result.has_data && !result.comment && !result.retry)
        refuse("neither data, retry nor comment");
    return result;
}

} // namespace sse
