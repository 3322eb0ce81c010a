// A parser's sink that keeps every event, so that two ways of feeding a stream can be compared.
#pragma once

#include "protocol/parser.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace test {

/// Keeps copies of everything a sink is called with: as values, and in order as one short text of
/// `type(data)#id`, `id=x;`, `:comment;` and `retry=ms;`. Warnings are a text of their own.
struct RecordingSink : sse::Parser::Sink {
    struct Event {
        std::string type, data, last_id;
        friend bool operator==(const Event&, const Event&) = default;
    };

    explicit RecordingSink(std::string last_event_id = {})
        : last_id(std::move(last_event_id)) {}

    std::vector<Event> events;
    std::vector<std::string> comments;
    std::optional<long long> retry;
    std::string last_id;
    std::string text;
    std::string warnings;

    void on_event(const sse::EventView& e) override {
        if (e.id) last_id = *e.id;
        events.push_back({std::string(e.type), std::string(e.data), last_id});
        text.append(e.type).append("(").append(e.data).append(")");
        if (e.id) text.append("#").append(*e.id);
    }
    void on_id(std::string_view id) override {
        last_id = id;
        text.append("id=").append(id).append(";");
    }
    void on_comment(std::string_view comment) override {
        comments.emplace_back(comment);
        text.append(":").append(comment).append(";");
    }
    void on_retry(std::chrono::milliseconds ms) override {
        retry = ms.count();
        text.append("retry=").append(std::to_string(ms.count())).append(";");
    }
    void on_warning(sse::ParseWarning warning, std::string_view line) override {
        warnings.append(sse::to_string(warning)).append("(").append(line).append(");");
    }
};

/// `bytes` cut into pieces of `size` bytes.
inline std::vector<std::string_view> pieces(std::string_view bytes, std::size_t size) {
    std::vector<std::string_view> all;
    for (std::size_t at = 0; at < bytes.size(); at += size) all.push_back(bytes.substr(at, size));
    return all;
}

} // namespace test
