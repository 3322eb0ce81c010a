// The inputs of the benches: event-stream text whose events have so many bytes.
#pragma once

#include <cstddef>
#include <string>

namespace bench {

/// `events` events with data of `bytes` bytes each, in `lines` data lines; every one has an id.
inline std::string stream_text(std::size_t events, std::size_t bytes, std::size_t lines = 1) {
    std::string text;
    for (std::size_t n = 0; n < events; ++n) {
        text += "id: " + std::to_string(1'000'000 + n) + "\n";
        for (std::size_t line = 0; line < lines; ++line) {
            const auto begin = bytes * line / lines, end = bytes * (line + 1) / lines;
            text += "data: ";
            for (auto at = begin + (line > 0 ? 1 : 0); at < end;
                 ++at) // its line end is one of them
                text += static_cast<char>('a' + (n + at) % 26);
            text += '\n';
        }
        text += '\n';
    }
    return text;
}

/// A JSON object of some 200 bytes, as APIs send them.
inline std::string json_data(std::size_t n) {
    return R"({"id":"chatcmpl-)" + std::to_string(1'000'000 + n) +
           R"(","object":"chat.completion.chunk","created":1795000000,"model":"m-1",)"
           R"("choices":[{"index":0,"delta":{"content":" wórd\n"},"logprobs":null,)"
           R"("finish_reason":null}],"usage":1.10})";
}

} // namespace bench
