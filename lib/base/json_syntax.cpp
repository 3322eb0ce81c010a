#include "base/json_syntax.hpp"

#include "base/json_number.hpp"
#include "base/simdjson_compat.hpp"

#include <simdjson.h>
#include <string_view>
#include <vector>

namespace sse {

namespace {

const char* text_of(simdjson::error_code error) {
    switch (error) {
    case simdjson::SUCCESS: return nullptr;
    case simdjson::UTF8_ERROR: return "not UTF-8";
    case simdjson::UNCLOSED_STRING: return "not JSON: a string has no end";
    case simdjson::NUMBER_ERROR: return "not JSON: a number is malformed";
    case simdjson::DEPTH_ERROR: return "JSON that is nested too deeply";
    default: return "not JSON";
    }
}

} // namespace

struct JsonSyntax::Parser {
    simdjson::dom::parser dom;
};

JsonSyntax::JsonSyntax()
    : parser_(std::make_unique<Parser>()) {}
JsonSyntax::~JsonSyntax() = default;

const char* JsonSyntax::error(const std::string& text) {
    auto error = parser_->dom.parse(text).error();
    if (is_number_error(error)) { // malformed, or larger than any type: 1e400
        std::string indexed;
        std::vector<std::string_view> numbers;
        error = index_json_numbers(text, indexed, numbers) ? parser_->dom.parse(indexed).error()
                                                           : simdjson::NUMBER_ERROR;
    }
    return text_of(error);
}

} // namespace sse
