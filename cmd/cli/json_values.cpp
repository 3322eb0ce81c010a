#include "cmd/cli/json_values.hpp"

#include "base/error.hpp"
#include "base/json_string.hpp"
#include "base/printable.hpp"

#include <fmt/format.h>
#include <simdjson.h>

namespace cmd {

struct JsonValues::Impl {
    simdjson::ondemand::parser parser;
    std::string padded;
};

JsonValues::JsonValues()
    : impl_(std::make_unique<Impl>()) {}
JsonValues::~JsonValues() = default;

namespace {

template <class Value>
std::optional<std::string> text_of(Value& value) {
    if (value.type() == simdjson::ondemand::json_type::string) {
        std::string_view json = value.raw_json_token();
        json = json.substr(0, json.find_last_not_of(" \t\r\n") + 1);
        std::string text;
        if (!sse::append_json_text(json, text)) return std::nullopt;
        return text;
    }
    std::string_view raw;
    if (simdjson::to_json_string(value).get(raw) != simdjson::SUCCESS) return std::nullopt;
    std::string out(raw.size(), '\0');
    std::size_t length = 0;
    if (simdjson::minify(raw.data(), raw.size(), out.data(), length) != simdjson::SUCCESS)
        return std::nullopt;
    out.resize(length);
    return out;
}

} // namespace

std::optional<std::string> JsonValues::find(std::string_view json, const std::string& pointer) try {
    auto& padded = impl_->padded;
    padded.assign(json);
    padded.append(simdjson::SIMDJSON_PADDING, ' ');
    const simdjson::padded_string_view view(padded.data(), json.size(), padded.size());
    simdjson::ondemand::document document;
    if (impl_->parser.iterate(view).get(document) != simdjson::SUCCESS) return std::nullopt;
    if (pointer.empty()) return text_of(document);
    simdjson::ondemand::value value;
    if (document.at_pointer(pointer).get(value) != simdjson::SUCCESS) return std::nullopt;
    return text_of(value);
} catch (const simdjson::simdjson_error&) {
    return std::nullopt;
}

void check_pointer(const std::string& pointer) {
    bool fits = pointer.empty() || pointer.front() == '/';
    for (std::size_t at = 0; at < pointer.size() && fits; ++at) {
        if (pointer[at] != '~') continue;
        fits = at + 1 < pointer.size() && (pointer[at + 1] == '0' || pointer[at + 1] == '1');
    }
    if (fits) return;
    throw sse::Error(sse::Errc::invalid_argument,
                     fmt::format("\"{}\" is not a JSON pointer such as /choices/0/delta/content",
                                 sse::printable(pointer, 200)));
}

} // namespace cmd
