#include "recording/vcr.hpp"

#include "base/error.hpp"
#include "base/rfc3339.hpp"
#include "base/utf8.hpp"
#include "recording/imported_body.hpp"

#include <fmt/format.h>
#include <string>
#ifdef SSE_YAML
#include <algorithm>
#include <chrono>
#include <optional>
#include <sstream>
#include <utility>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>
#endif

namespace sse {

namespace {

/// The key of the list of interactions: of vcrpy, and of VCR.
constexpr std::string_view python_key = "interactions", ruby_key = "http_interactions";

#ifdef SSE_YAML

/// Refuses a document of too many values before they take memory. A pass of its own, as
/// YAML::Load() keeps what it reads.
class ValueLimit : public YAML::EventHandler {
public:
    explicit ValueLimit(std::size_t limit, std::string name)
        : limit_(limit)
        , left_(limit)
        , name_(std::move(name)) {}

    void OnDocumentStart(const YAML::Mark& /*at*/) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& at, YAML::anchor_t /*anchor*/) override { count(at); }
    void OnAlias(const YAML::Mark& at, YAML::anchor_t /*anchor*/) override { count(at); }
    void OnScalar(const YAML::Mark& at, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  const std::string& /*value*/) override {
        count(at);
    }
    void OnSequenceStart(const YAML::Mark& at, const std::string& /*tag*/,
                         YAML::anchor_t /*anchor*/, YAML::EmitterStyle::value /*style*/) override {
        count(at);
    }
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark& at, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                    YAML::EmitterStyle::value /*style*/) override {
        count(at);
    }
    void OnMapEnd() override {}

private:
    void count(const YAML::Mark& at) {
        if (left_-- > 0) return;
        throw Error(Errc::too_large, fmt::format("{}:{}: the cassette has more than {} values",
                                                 name_, at.line + 1, limit_));
    }

    std::size_t limit_, left_;
    std::string name_;
};

void check_size(const std::string& name, const std::string& text, std::size_t max_values) {
    std::istringstream stream(text);
    ValueLimit limit(max_values, name);
    YAML::Parser(stream).HandleNextDocument(limit);
}

/// Reads the values of a cassette, and counts their bytes: an alias may repeat any of them.
class CassetteReader {
public:
    /// `text`: the cassette, from which yaml-cpp has read the nodes; it must outlive the reader.
    CassetteReader(std::string name, std::string_view text, const VcrOptions& options)
        : name_(std::move(name))
        , text_(text)
        , options_(options)
        , left_(options.max_bytes) {}

    RecordingHeader header(const YAML::Node& interaction) {
        const auto request = interaction["request"], response = interaction["response"];
        if (!request || !request.IsMap() || !response || !response.IsMap())
            fail(interaction, "an interaction needs a request and a response");
        RecordingHeader header;
        header.exact = true;
        if (const auto at = interaction["recorded_at"]) header.started = started(at);
        header.url = text(request, "uri");
        header.request.method = text(request, "method");
        for (char& c : header.request.method) c = upper(c);
        header.request.headers = fields(request["headers"]);
        header.request.body = body(request["body"]);
        header.response.status = status(response);
        header.response.headers = fields(response["headers"]);
        return header;
    }

    std::string response_body(const YAML::Node& interaction, const RecordedFields& fields) {
        const auto response = interaction["response"];
        // vcrpy before 6.0 writes the responses of httpx with `content` and `status_code`.
        const auto node = response["body"] ? response["body"] : response["content"];
        auto text = body(node).value_or("");
        return without_coding(
            std::move(text), fields, options_.max_bytes, [&](const std::string& why) {
                options_.warn(fmt::format("{}:{}: {}", name_, response.Mark().line + 1, why));
            });
    }

    [[noreturn]] void fail(const YAML::Node& at, const std::string& why) const {
        throw Error(Errc::bad_input, fmt::format("{}:{}: {}", name_, at.Mark().line + 1, why),
                    Reason::not_a_recording);
    }

private:
    static char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

    std::string text(const YAML::Node& request, const char* key) {
        const auto node = request[key];
        if (!node || !node.IsScalar()) fail(request, fmt::format("the request has no {}", key));
        return counted(node.Scalar());
    }

    std::string counted(const std::string& value) {
        if (value.size() >= left_) {
            throw Error(Errc::too_large, fmt::format("{}: the cassette has more than {} bytes",
                                                     name_, options_.max_bytes));
        }
        left_ -= value.size() + 1;
        return value;
    }

    /// The time of an interaction, which VCR writes as HTTP does or as RFC 3339 says; "" for what
    /// is not the latter.
    std::string started(const YAML::Node& node) {
        const auto time = node.IsScalar() ? parse_rfc3339(node.Scalar()) : std::nullopt;
        return time ? rfc3339(std::chrono::system_clock::time_point(*time)) : "";
    }

    int status(const YAML::Node& response) {
        const auto node = response["status"] ? response["status"] : response["status_code"];
        const auto code = node && node.IsMap() ? node["code"] : node;
        int value = 0;
        const bool valid = code && code.IsScalar() && YAML::convert<int>::decode(code, value) &&
                           value >= 100 && value <= 599;
        if (!valid) fail(response, "response.status.code is not a status");
        return value;
    }

    RecordedFields fields(const YAML::Node& node) {
        RecordedFields out;
        if (!node || !node.IsMap()) return out;
        const auto bad = [](char c) { return c <= ' ' || c == 0x7F || c == ':'; };
        const auto add = [&](const std::string& name, const YAML::Node& value) {
            if (!value.IsScalar() || name.empty() || std::any_of(name.begin(), name.end(), bad))
                return;
            const auto line = counted(value.Scalar());
            out.emplace_back(counted(name), line.substr(0, line.find_first_of("\r\n")));
        };
        for (const auto& field : node) {
            if (!field.first.IsScalar()) continue;
            if (field.second.IsSequence()) {
                for (const auto& value : field.second) add(field.first.Scalar(), value);
            } else {
                add(field.first.Scalar(), field.second);
            }
        }
        return out;
    }

    /// A body is a text, or a map with one; nullopt if there is none.
    std::optional<std::string> body(const YAML::Node& node) {
        if (!node || node.IsNull()) return std::nullopt;
        if (node.IsMap()) {
            if (const auto encoded = node["base64_string"]; encoded && encoded.IsScalar())
                return binary(encoded);
            return body(node["string"]);
        }
        if (!node.IsScalar()) return std::nullopt;
        // Ruby writes the tag as `!binary`, which YAML 1.2 does not expand.
        if (node.Tag() == "tag:yaml.org,2002:binary" || node.Tag() == "!binary")
            return binary(node);
        return counted(with_line_ends(node));
    }

    /// The text of a scalar. Of the line breaks at the end of one in single quotes, yaml-cpp keeps
    /// only one, and so the blank line after the last event would be lost.
    std::string with_line_ends(const YAML::Node& node) const {
        auto value = node.Scalar();
        const auto start = static_cast<std::size_t>(node.Mark().pos);
        if (start >= text_.size() || text_[start] != '\'') return value;
        auto end = text_.find('\'', start + 1);
        while (end != text_.npos && text_.substr(end + 1, 1) == "'")
            end = text_.find('\'', end + 2);
        if (end == text_.npos) return value;
        const auto quoted = text_.substr(start + 1, end - start - 1);
        const auto tail = quoted.substr(quoted.find_last_not_of(" \t\r\n") + 1);
        const auto breaks = std::count(tail.begin(), tail.end(), '\n');
        if (breaks < 2) return value; // one is folded to a space
        value.erase(value.find_last_not_of('\n') + 1);
        return value.append(static_cast<std::size_t>(breaks) - 1, '\n');
    }

    std::string binary(const YAML::Node& node) {
        std::string out;
        if (!append_loose_base64(counted(node.Scalar()), out)) fail(node, "the body is not base64");
        return out;
    }

    std::string name_;
    std::string_view text_;
    const VcrOptions& options_;
    std::size_t left_; ///< bytes of values
};

#endif

} // namespace

bool is_vcr(std::string_view start) {
    if (start.starts_with(bom)) start.remove_prefix(bom.size());
    while (!start.empty()) {
        const auto end = start.find('\n');
        const auto line = start.substr(0, end);
        if (line.starts_with(fmt::format("{}:", python_key)) ||
            line.starts_with(fmt::format("{}:", ruby_key)))
            return true;
        const bool before = line.empty() || line == "\r" || line.starts_with('#') ||
                            line.starts_with("---") || line.starts_with("%YAML") ||
                            line.starts_with("version: ");
        if (!before || end == start.npos) return false;
        start.remove_prefix(end + 1);
    }
    return false;
}

#ifdef SSE_YAML

void read_vcr(RecordingInput& input,
              const std::function<std::unique_ptr<RecordingWriter>(RecordingHeader)>& make,
              const VcrOptions& options) {
    auto text = whole_text(input, options.max_bytes);
    if (text.starts_with(bom)) text.erase(0, bom.size()); // the places of nodes do not count it
    CassetteReader reader(input.name(), text, options);
    try {
        check_size(input.name(), text, options.max_values);
        const auto root = YAML::Load(text);
        YAML::Node interactions;
        for (const auto key : {python_key, ruby_key}) {
            const auto list = root.IsMap() ? root[std::string(key)] : YAML::Node();
            if (list && list.IsSequence()) interactions.reset(list);
        }
        if (interactions.size() == 0) reader.fail(root, "the cassette has no interaction");
        for (const auto& interaction : interactions) {
            if (!interaction.IsMap()) reader.fail(interaction, "an interaction is not a map");
            auto header = reader.header(interaction);
            const auto body = reader.response_body(interaction, header.response.headers);
            const auto writer = make(std::move(header));
            if (!body.empty()) writer->bytes(std::chrono::microseconds(0), body);
            writer->finish();
        }
    } catch (const YAML::Exception& e) {
        throw Error(Errc::bad_input,
                    fmt::format("{}:{}: not YAML: {}", input.name(), e.mark.line + 1, e.msg),
                    Reason::not_a_recording);
    }
}

#else

void read_vcr(RecordingInput& input,
              const std::function<std::unique_ptr<RecordingWriter>(RecordingHeader)>&,
              const VcrOptions&) {
    throw Error(
        Errc::bad_input,
        fmt::format("{}: this build cannot read VCR cassettes (it has no yaml-cpp)", input.name()),
        Reason::not_a_recording);
}

#endif

} // namespace sse
