// Any bytes as a URL, a Location, a proxy, a content-coded body and a JSON body: no crash, and what
// is accepted means the same when it is read again, however it is cut, and shows no secret.
#include "base/content_coding.hpp"
#include "base/error.hpp"
#include "base/mask.hpp"
#include "client/json_body.hpp"
#include "client/proxy.hpp"
#include "http/url.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

namespace {

std::optional<sse::Url> parsed(std::string_view text) {
    try {
        return sse::Url::parse(text);
    } catch (const sse::Error&) {
        return std::nullopt;
    }
}

void check_url(std::string_view text) {
    const auto url = parsed(text);
    if (!url) return;
    if (url->target.empty() || url->target.front() != '/') std::abort();
    if (url->host.find('%') == url->host.npos) { // a zone is not part of text()
        const auto again = parsed(url->text());
        if (!again || again->text() != url->text() || again->endpoint() != url->endpoint())
            std::abort();
    }
    if (sse::mask_url(url->shown()) != url->shown()) std::abort();
    try {
        const auto next = sse::Url::parse("http://h/a/b?c").resolve(text);
        if (next.has_user || next.target.find_first_of(" \r\n") != next.target.npos) std::abort();
    } catch (const sse::Error&) {
    }
    sse::bypasses_proxy(text, url->host, url->port);
}

/// The body, its bytes fed by `step`, and what was wrong behind `!`.
std::string decoded(const char* coding, std::string_view bytes, std::size_t step) {
    constexpr std::size_t enough = 1 << 20; // a bomb is not the matter here
    const auto decoder = sse::ContentDecoder::make(coding);
    std::string body;
    try {
        for (; !bytes.empty() && body.size() < enough;
             bytes.remove_prefix(std::min(step, bytes.size()))) {
            auto feed = bytes.substr(0, step);
            for (auto piece = decoder->next(feed); !piece.empty() && body.size() < enough;
                 piece = decoder->next(feed))
                body.append(piece);
        }
        if (body.size() >= enough) return body.substr(0, enough);
        decoder->finish();
    } catch (const sse::Error& e) {
        return body + "!" + e.what();
    }
    return body;
}

class Events : public sse::Parser::Sink {
public:
    std::string text;
    void on_event(const sse::EventView& event) override { text.append(event.data).push_back('|'); }
};

std::string json(std::string_view bytes, std::size_t step) {
    Events events;
    sse::JsonBody body(events);
    for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size())))
        body.feed(bytes.substr(0, step));
    body.finish();
    return events.text;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::size_t step = 1 + data[0] % 16;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    check_url(bytes);
    sse::mask_head(bytes);
    try {
        sse::parse_proxy(bytes);
    } catch (const sse::Error&) {
    }
    for (const char* coding : {"gzip", "deflate", "br"}) {
        const auto whole = decoded(coding, bytes, size);
        if (decoded(coding, bytes, 1) != whole || decoded(coding, bytes, step) != whole)
            std::abort();
    }
    if (json(bytes, size) != json(bytes, step)) std::abort();
    return 0;
}
