#include "base/bytes16.hpp"

#include "unit/catch2.hpp"

#include <array>

namespace {

/// Bit i is what `holds` says of byte i.
template <typename Holds>
std::uint32_t each(const std::array<char, 16>& bytes, Holds holds) {
    std::uint32_t bits = 0;
    for (unsigned i = 0; i < 16; ++i) {
        if (holds(static_cast<unsigned char>(bytes[i]))) bits |= 1u << i;
    }
    return bits;
}

template <typename TestType>
void check_all() {
    for (unsigned start = 0; start < 256; ++start) {
        for (const unsigned step : {0u, 1u, 3u, 127u, 128u, 255u}) {
            std::array<char, 16> bytes{};
            for (unsigned i = 0; i < 16; ++i) bytes[i] = static_cast<char>(start + (i * step));
            const TestType all(bytes.data());
            INFO(start << " in steps of " << step);
            CHECK(all.bits() == each(bytes, [](unsigned char c) { return c >= 0x80; }));
            for (const unsigned other : {0u, 1u, 0x1Fu, 0x20u, 0x7Fu, 0x80u, 0xE2u, 0xFFu}) {
                const auto is = [&](unsigned char c) { return c == other; };
                CHECK(all.equal(static_cast<char>(other)).bits() == each(bytes, is));
                const auto both = all.equal(static_cast<char>(other)) | all.equal('\n');
                CHECK(both.bits() ==
                      each(bytes, [&](unsigned char c) { return is(c) || c == '\n'; }));
                if (other < 1 || other > 0x80) continue;
                const auto less = all.below(static_cast<unsigned char>(other)).bits();
                CHECK(less == each(bytes, [&](unsigned char c) { return c < other; }));
            }
        }
    }
    CHECK(TestType().bits() == 0);
}

} // namespace

TEST_CASE("sixteen bytes are compared as one is, whatever their neighbours are") {
    check_all<sse::Bytes16>();
    check_all<sse::PlainBytes16>();
}
