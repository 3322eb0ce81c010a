#include "base/canonical_json.hpp"

#include "base/json_number.hpp"
#include "base/json_text.hpp"

#include <algorithm>
#include <simdjson.h>
#include <utility>
#include <vector>

namespace sse {

namespace {

namespace dom = simdjson::dom;

using Numbers = std::vector<std::string_view>; ///< an integer in the tree is an index of them

void append(const dom::element& element, const Numbers& numbers, std::string& out);

void append_array(const dom::array& array, const Numbers& numbers, std::string& out) {
    out.push_back('[');
    for (const auto item : array) {
        if (out.back() != '[') out.push_back(',');
        append(item, numbers, out);
    }
    out.push_back(']');
}

void append_object(const dom::object& object, const Numbers& numbers, std::string& out) {
    std::vector<std::pair<std::string_view, dom::element>> members;
    for (const auto member : object) members.emplace_back(member.key, member.value);
    std::stable_sort(members.begin(), members.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    out.push_back('{');
    for (const auto& [name, value] : members) {
        if (out.back() != '{') out.push_back(',');
        append_json_string(name, out);
        out.push_back(':');
        append(value, numbers, out);
    }
    out.push_back('}');
}

void append(const dom::element& element, const Numbers& numbers, std::string& out) {
    switch (element.type()) {
    case dom::element_type::ARRAY: return append_array(element.get_array().value(), numbers, out);
    case dom::element_type::OBJECT:
        return append_object(element.get_object().value(), numbers, out);
    case dom::element_type::STRING: return append_json_string(element.get_string().value(), out);
    case dom::element_type::BOOL: out.append(element.get_bool().value() ? "true" : "false"); return;
    case dom::element_type::NULL_VALUE: out.append("null"); return;
    default: break;
    }
    append_canonical_number(numbers.at(element.get_uint64().value()), out);
}

} // namespace

std::optional<std::string> canonical_json(std::string_view text) {
    std::string indexed;
    Numbers numbers;
    if (!index_json_numbers(text, indexed, numbers)) return std::nullopt;
    dom::parser parser;
    dom::element root;
    if (parser.parse(indexed).get(root) != simdjson::SUCCESS) return std::nullopt;
    std::string out;
    append(root, numbers, out);
    return out;
}

} // namespace sse
