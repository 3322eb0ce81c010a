#include "recording/record_parser.hpp"

#include "base/base64.hpp"
#include "base/simdjson_compat.hpp"
#include "protocol/parser.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <simdjson.h>

namespace sse {

namespace {

namespace json = simdjson::ondemand;
static_assert(simdjson::SIMDJSON_PADDING <= 64);

/// The value in `result`. Throws BadLine with the key `name`, and `wanted` as the expected type.
template <typename T>
T get(simdjson::simdjson_result<T> result, const char* name, const char* wanted) {
    T value;
    const auto error = std::move(result).get(value);
    if (error == simdjson::SUCCESS) return value;
    if (error == simdjson::INCORRECT_TYPE) throw BadLine(fmt::format("{} is not {}", name, wanted));
    if (is_number_error(error)) throw BadLine(fmt::format("{} is not a valid number", name));
    if (error == simdjson::STRING_ERROR)
        throw BadLine(fmt::format("{} is not a well-formed string", name));
    throw BadLine("not a JSON object");
}

std::string_view text(json::value value, const char* name) {
    return get(value.get_string(), name, "a string");
}

std::string_view line_of_text(json::value value, const char* name) {
    const auto found = text(value, name);
    for (const char c : found) {
        if (c != '\r' && c != '\n' && c != '\0') continue;
        throw BadLine(fmt::format("{} contains {}", name,
                                  c == '\r'   ? "CR"
                                  : c == '\n' ? "LF"
                                              : "NUL"));
    }
    return found;
}

/// Calls `visit(key, value)` for each member.
template <typename Visit>
void each_member(json::object object, Visit&& visit) {
    for (auto member : object) {
        json::field field;
        if (std::move(member).get(field) != simdjson::SUCCESS) throw BadLine("not a JSON object");
        const auto key = get(field.unescaped_key(), "a key", "a string");
        visit(key, field.value());
    }
}

void add_field(std::string_view name, json::value value, RecordedFields& fields) {
    for (const char c : name) {
        if (c <= ' ' || c >= 0x7F || c == ':') throw BadLine("a header's name is not a token");
    }
    if (name.empty()) throw BadLine("a header's name is empty");
    fields.emplace_back(name, line_of_text(value, "a header"));
}

RecordedFields headers(json::value value) {
    RecordedFields fields;
    each_member(get(value.get_object(), "headers", "an object"),
                [&](std::string_view key, json::value member) {
                    const std::string name(key);
                    if (get(member.type(), "a header", "a string") != json::json_type::array) {
                        return add_field(name, member, fields);
                    }
                    for (auto item : get(member.get_array(), "a header", "an array")) {
                        // NOLINTNEXTLINE(performance-move-const-arg): a later simdjson asks for it
                        add_field(name, get(std::move(item), "a header", "a string"), fields);
                    }
                });
    return fields;
}

RecordedResponse response(json::value value, const char* name,
                          std::string* last_event_id = nullptr) {
    RecordedResponse found;
    each_member(
        get(value.get_object(), name, "an object"), [&](std::string_view key, json::value member) {
            if (key == "status") {
                const auto status = get(member.get_int64(), "status", "a whole number");
                if (status < 100 || status > 599)
                    throw BadLine(fmt::format("status {} is not between 100 and 599", status));
                found.status = static_cast<int>(status);
            } else if (key == "headers") {
                found.headers = headers(member);
            } else if (key == "last_event_id" && last_event_id != nullptr) {
                *last_event_id = line_of_text(member, "last_event_id");
            }
        });
    return found;
}

void decode_base64(std::string_view encoded, const char* name, std::string& out) {
    if (!append_from_base64(encoded, out)) throw BadLine(fmt::format("{} is not base64", name));
}

RecordedRequest request(json::value value) {
    RecordedRequest found;
    each_member(get(value.get_object(), "request", "an object"), [&](std::string_view key,
                                                                     json::value member) {
        if (key == "method") found.method = line_of_text(member, "method");
        else if (key == "target") found.target = line_of_text(member, "target");
        else if (key == "headers") found.headers = headers(member);
        else if (key == "body") found.body = std::string(text(member, "body"));
        else if (key == "body_base64")
            decode_base64(text(member, "body_base64"), "body_base64", found.body.emplace());
    });
    return found;
}

std::chrono::microseconds time_of(json::value value) {
    const auto seconds = get(value.get_double(), "t", "a number");
    if (!(seconds >= 0)) throw BadLine(fmt::format("t is negative: {}", seconds));
    if (seconds > static_cast<double>(RecordParser::max_t.count())) {
        throw BadLine(fmt::format("t is too large: {}", seconds));
    }
    return std::chrono::microseconds(std::llround(seconds * 1e6)); // exact: 2^53 us are 285 years
}

} // namespace

struct RecordParser::Impl {
    json::parser parser;
    json::document document;
    Record record;
    std::string base64;

    json::object object(std::string_view line) {
        const auto error = parser.iterate(line.data(), line.size(), line.size() + 64).get(document);
        if (error == simdjson::UTF8_ERROR) throw BadLine("not UTF-8");
        json::object object;
        if (error != simdjson::SUCCESS || document.get_object().get(object) != simdjson::SUCCESS) {
            throw BadLine("not a JSON object");
        }
        return object;
    }
    void nothing_follows() {
        if (document.current_location().error() != simdjson::OUT_OF_BOUNDS)
            throw BadLine("unexpected text after the JSON object");
    }
};

RecordParser::RecordParser()
    : impl_(std::make_unique<Impl>()) {}
RecordParser::~RecordParser() = default;
RecordParser::RecordParser(RecordParser&&) noexcept = default;
RecordParser& RecordParser::operator=(RecordParser&&) noexcept = default;

RecordingHeader RecordParser::header(std::string_view line) {
    RecordingHeader header;
    header.version = 0;
    each_member(impl_->object(line), [&](std::string_view key, json::value value) {
        if (key == "sse") {
            const auto version = get(value.get_int64(), "sse", "a whole number");
            if (version > recording_version) {
                throw BadLine(fmt::format("recording version {} is newer than {}, the newest "
                                          "version that this program reads",
                                          version, recording_version),
                              true);
            }
            if (version < 1)
                throw BadLine(fmt::format("recording version {} does not exist", version));
            header.version = static_cast<int>(version);
        } else if (key == "started") header.started = text(value, "started");
        else if (key == "tool") header.tool = text(value, "tool");
        else if (key == "url") header.url = text(value, "url");
        else if (key == "exact") header.exact = get(value.get_bool(), "exact", "true or false");
        else if (key == "request") header.request = request(value);
        else if (key == "response") header.response = response(value, "response");
    });
    impl_->nothing_follows();
    if (header.version == 0) throw BadLine("the first line has no key sse");
    return header;
}

bool RecordParser::is_other_json(std::string_view line) {
    constexpr std::array<std::string_view, 8> types = {"data", "id",    "comment", "retry",
                                                       "open", "close", "bytes",   "base64"};
    bool first = false, timed = false, typed = false;
    try {
        each_member(impl_->object(line), [&](std::string_view key, json::value) {
            first = first || key == "sse";
            timed = timed || key == "t";
            typed = typed || std::find(types.begin(), types.end(), key) != types.end();
        });
        impl_->nothing_follows();
    } catch (const BadLine&) {
        return false;
    }
    return !first && !(timed && typed);
}

const Record* RecordParser::record(std::string_view line) {
    auto& record = impl_->record;
    bool timed = false;
    const char* kind = nullptr; // the key that determines the type of the line
    const auto is = [&](const char* name) {
        if (kind != nullptr) throw BadLine(fmt::format("both {} and {}", kind, name));
        kind = name;
    };
    std::optional<std::string_view> type, id;
    std::string_view message;
    each_member(impl_->object(line), [&](std::string_view key, json::value value) {
        if (key == "t") {
            record.t = time_of(value);
            timed = true;
        } else if (key == "data") {
            is("data");
            record.what = EventView{"message", text(value, "data"), std::nullopt};
        } else if (key == "event") type = line_of_text(value, "event");
        else if (key == "id") id = line_of_text(value, "id");
        else if (key == "comment") {
            is("comment");
            record.what = RecordedComment{text(value, "comment")};
        } else if (key == "retry") {
            is("retry");
            const auto time = get(value.get_int64(), "retry", "a whole number of milliseconds");
            if (time < 0) throw BadLine(fmt::format("retry is negative: {}", time));
            record.what =
                RecordedRetry{std::min(std::chrono::milliseconds(time), Parser::max_retry)};
        } else if (key == "open") {
            is("open");
            RecordedOpen open;
            open.response = response(value, "open", &open.last_event_id);
            record.what = std::move(open);
        } else if (key == "close") {
            is("close");
            record.what = RecordedClose{text(value, "close"), {}};
        } else if (key == "message") message = text(value, "message");
        else if (key == "bytes") {
            is("bytes");
            record.what = RecordedBytes{text(value, "bytes")};
        } else if (key == "base64") {
            is("base64");
            impl_->base64.clear();
            decode_base64(text(value, "base64"), "base64", impl_->base64);
            record.what = RecordedBytes{impl_->base64};
        }
    });
    impl_->nothing_follows();
    if (kind == nullptr && id) {
        kind = "id";
        record.what = RecordedId{*id};
    }
    if (kind == nullptr && type) throw BadLine("an event without data");
    if (kind == nullptr) return nullptr;
    if (!timed) throw BadLine("no t");
    if (auto* event = std::get_if<EventView>(&record.what)) {
        if (type && !type->empty()) event->type = *type;
        event->id = id;
    } else if (auto* close = std::get_if<RecordedClose>(&record.what)) {
        close->message = message;
    }
    return &record;
}

} // namespace sse
