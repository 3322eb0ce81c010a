// Any bytes, cut anywhere: the parser gives the same events and holds no more than its bound.
#include "base/error.hpp"
#include "unit/recording_sink.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

/// A sink that also watches the bound.
struct Watch : test::RecordingSink {
    explicit Watch(std::size_t bound)
        : bound_(bound) {}
    void on_event(const sse::EventView& e) override {
        if (e.type.empty()) std::abort();
        // each bad byte of the wire may have become the three of U+FFFD
        if (e.data.size() + (e.id ? e.id->size() : 0) > 3 * bound_) std::abort();
        if (e.id && e.id->find('\0') != e.id->npos) std::abort();
        RecordingSink::on_event(e);
    }
    void on_retry(std::chrono::milliseconds ms) override {
        if (ms.count() < 0 || ms > sse::Parser::max_retry) std::abort();
        RecordingSink::on_retry(ms);
    }

private:
    std::size_t bound_;
};

/// The events of `bytes`, fed in pieces of `first` and `second` bytes by turns, as one text.
std::string parse(std::string_view bytes, std::size_t first, std::size_t second,
                  std::size_t bound) {
    Watch received(bound);
    sse::Parser parser(received, {.max_event_bytes = bound});
    try {
        while (!bytes.empty()) {
            parser.feed(bytes.substr(0, first));
            bytes.remove_prefix(std::min(first, bytes.size()));
            std::swap(first, second);
        }
        parser.finish();
    } catch (const sse::Error& e) {
        if (e.code() != sse::Errc::too_large) std::abort();
        return received.text + "!" + received.warnings;
    }
    return received.text + "|" + received.last_id + "|" + received.warnings;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    // The first byte chooses the bound, the second one the cut.
    const std::size_t bound = data[0] < 64 ? data[0] : std::size_t{1} << 20;
    const std::size_t first = 1 + (data[1] & 15), second = 1 + (data[1] >> 4);
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    const auto whole = parse(bytes, size, size, bound);
    if (parse(bytes, 1, 1, bound) != whole) std::abort();
    if (parse(bytes, first, second, bound) != whole) std::abort();
    return 0;
}
