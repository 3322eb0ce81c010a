// Any bytes, cut anywhere: the parser hears the same, and holds no more than it may.
#include "base/error.hpp"
#include "unit/recording_sink.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

/// A hearing that also watches the bound.
struct Watch : test::Hearing {
    explicit Watch(std::size_t bound)
        : bound_(bound) {}
    void on_event(const sse::EventView& e) override {
        if (e.type.empty()) std::abort();
        // each bad byte of the wire may have become the three of U+FFFD
        if (e.data.size() + (e.id ? e.id->size() : 0) > 3 * bound_) std::abort();
        if (e.id && e.id->find('\0') != e.id->npos) std::abort();
        Hearing::on_event(e);
    }
    void on_retry(std::chrono::milliseconds ms) override {
        if (ms.count() < 0 || ms > sse::Parser::max_retry) std::abort();
        Hearing::on_retry(ms);
    }

private:
    std::size_t bound_;
};

/// What is heard of `bytes` in pieces of `first` and `second` bytes by turns, as one text.
std::string hear(std::string_view bytes, std::size_t first, std::size_t second, std::size_t bound) {
    Watch received(bound);
    sse::Parser parser(received, {.max_event_bytes = bound});
    try {
        while (!bytes.empty()) {
            parser.feed(bytes.substr(0, first));
            bytes.remove_prefix(std::min(first, bytes.size()));
            std::swap(first, second);
        }
        if (parser.last_event_id() != received.last_id) std::abort();
        parser.finish();
    } catch (const sse::Error& e) {
        if (e.code() != sse::Errc::too_large) std::abort();
        return received.text + "!" + received.warnings;
    }
    return received.text + "|" + parser.last_event_id() + "|" + received.warnings;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    // The first byte chooses the bound, the second one the cut.
    const std::size_t bound = data[0] < 64 ? data[0] : std::size_t{1} << 20;
    const std::size_t first = 1 + (data[1] & 15), second = 1 + (data[1] >> 4);
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    const auto whole = hear(bytes, size, size, bound);
    if (hear(bytes, 1, 1, bound) != whole) std::abort();
    if (hear(bytes, first, second, bound) != whole) std::abort();
    return 0;
}
