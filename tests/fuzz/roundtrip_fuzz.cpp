// Any type, data, id and comment: either refused, or parse(encode(e)) == e.
#include "base/error.hpp"
#include "base/utf8.hpp"
#include "protocol/encoder.hpp"
#include "unit/recording_sink.hpp"

#include <cstdint>
#include <cstdlib>
#include <fuzzer/FuzzedDataProvider.h>

namespace {

std::string utf8(std::string_view bytes) {
    std::string out;
    sse::append_utf8(bytes, out);
    return out;
}

/// `text` with every line end as LF, as a parser gives it back.
std::string lines(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        out.push_back(text[at] == '\r' ? '\n' : text[at]);
        if (text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n') ++at;
    }
    return out;
}

bool fits_a_line(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedDataProvider input(data, size);
    sse::Event event;
    const auto comment = input.ConsumeRandomLengthString(64);
    event.type = input.ConsumeRandomLengthString(64);
    if (input.ConsumeBool()) event.id = input.ConsumeRandomLengthString(64);
    event.data = input.ConsumeRemainingBytesAsString();

    std::string wire;
    sse::encode_comment(comment, wire);
    const auto before = wire;
    const bool encodable = fits_a_line(event.type) && fits_a_line(event.id.value_or(""));
    try {
        sse::encode(event.view(), wire);
        if (!encodable) std::abort();
    } catch (const sse::Error&) {
        if (encodable || wire != before) std::abort();
        return 0;
    }
    if (!sse::is_utf8(wire)) std::abort();

    test::RecordingSink received;
    sse::Parser parser(received);
    parser.feed(wire);
    parser.finish();
    if (!received.warnings.empty() || received.events.size() != 1) std::abort();
    const auto type = event.type.empty() ? "message" : utf8(event.type);
    const test::RecordingSink::Event expected{type, lines(utf8(event.data)),
                                              utf8(event.id.value_or(""))};
    if (received.events[0] != expected) std::abort();
    std::string said;
    for (const auto& line : received.comments) said.append(said.empty() ? "" : "\n").append(line);
    // an empty first line leaves no trace in `said`
    const auto meant = lines(utf8(comment));
    if (said != meant.substr(std::min(meant.find_first_not_of('\n'), meant.size()))) std::abort();
    return 0;
}
