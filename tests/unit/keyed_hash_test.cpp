#include "base/keyed_hash.hpp"

#include "unit/catch2.hpp"

TEST_CASE("The keyed hash is SipHash-1-3") {
    struct Row {
        std::string_view bytes;
        std::uint64_t hash;
    };
    // With a key of zeros, as CPython 3.11 hashes bytes with PYTHONHASHSEED=0.
    for (const auto& [bytes, hash] :
         {Row{"a", 0x407448D2B89B1813U}, Row{"abcdefg", 0x6DB12AAE9070F506U},
          Row{"abcdefgh", 0x3F7B849C0B8E35EAU}, Row{"0123456789abcdef-x", 0x80AAA59C0842A5CFU}}) {
        CAPTURE(bytes);
        CHECK(sse::keyed_hash(bytes, {}) == hash);
        CHECK(sse::keyed_hash(bytes) == sse::keyed_hash(bytes));
        CHECK(sse::keyed_hash(bytes) != hash);
    }
}
