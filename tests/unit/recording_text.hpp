// A recording's lines as short text, for tables.
#pragma once

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "recording/reader.hpp"

#include <memory>
#include <string>

/// `0.500000 delta(x)#7`, `:comment`, `retry=ms`, `id=x`, `open 200 after 6`, `close eof`,
/// `bytes(x)`.
inline std::string describe(const sse::Record& record) {
    struct {
        std::string operator()(const sse::EventView& e) const {
            auto text = std::string(e.type).append("(").append(e.data).append(")");
            return e.id ? text.append("#").append(*e.id) : text;
        }
        std::string operator()(const sse::RecordedId& it) const {
            return "id=" + std::string(it.id);
        }
        std::string operator()(const sse::RecordedComment& it) const {
            return ":" + std::string(it.text);
        }
        std::string operator()(const sse::RecordedRetry& it) const {
            return "retry=" + std::to_string(it.time.count());
        }
        std::string operator()(const sse::RecordedOpen& it) const {
            return "open " + std::to_string(it.response.status) + " after " + it.last_event_id;
        }
        std::string operator()(const sse::RecordedClose& it) const {
            return "close " + std::string(it.how) + " " + std::string(it.message);
        }
        std::string operator()(const sse::RecordedBytes& it) const {
            return "bytes(" + std::string(it.bytes) + ")";
        }
    } const text;
    std::string out;
    sse::append_seconds(record.t, out);
    return out + " " + std::visit(text, record.what);
}

/// All that is left of `reader`, a line each, then its warning or error.
inline std::string describe_rest(sse::RecordReader& reader) {
    std::string out;
    try {
        while (const auto* record = reader.next()) out += describe(*record) + "\n";
        if (!reader.warning().empty()) out += "warning: " + reader.warning();
    } catch (const sse::Error& e) {
        out += std::string("error: ") + e.what();
    }
    return out;
}

inline std::string describe_file(const std::string& path,
                                 sse::RecordingReaderOptions options = {}) {
    try {
        sse::RecordingReader reader(path, options);
        return describe_rest(reader);
    } catch (const sse::Error& e) {
        return std::string("error: ") + e.what();
    }
}
