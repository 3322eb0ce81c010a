#include "base/keyed_hash.hpp"

#include "base/random.hpp"

#include <bit>
#include <cstddef>

namespace sse {

namespace {

class State {
public:
    explicit State(const HashKey& key)
        : v0_(key.low ^ 0x736F6D6570736575U)
        , v1_(key.high ^ 0x646F72616E646F6DU)
        , v2_(key.low ^ 0x6C7967656E657261U)
        , v3_(key.high ^ 0x7465646279746573U) {}

    void add(std::uint64_t word) {
        v3_ ^= word;
        round();
        v0_ ^= word;
    }
    std::uint64_t finish() {
        v2_ ^= 0xFF;
        for (int i = 0; i < 3; ++i) round();
        return v0_ ^ v1_ ^ v2_ ^ v3_;
    }

private:
    void round() {
        v0_ += v1_;
        v1_ = std::rotl(v1_, 13) ^ v0_;
        v0_ = std::rotl(v0_, 32);
        v2_ += v3_;
        v3_ = std::rotl(v3_, 16) ^ v2_;
        v0_ += v3_;
        v3_ = std::rotl(v3_, 21) ^ v0_;
        v2_ += v1_;
        v1_ = std::rotl(v1_, 17) ^ v2_;
        v2_ = std::rotl(v2_, 32);
    }
    std::uint64_t v0_, v1_, v2_, v3_;
};

/// The first `count` bytes, at most 8, as a little-endian number.
std::uint64_t word_of(std::string_view bytes, std::size_t count) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < count; ++i)
        word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    return word;
}

} // namespace

const HashKey& process_hash_key() {
    static const HashKey key{random_bits(), random_bits()};
    return key;
}

std::uint64_t keyed_hash(std::string_view bytes, const HashKey& key) {
    State state(key);
    const auto last = std::uint64_t{bytes.size() & 0xFF} << 56;
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) state.add(word_of(bytes, 8));
    state.add(last | word_of(bytes, bytes.size()));
    return state.finish();
}

} // namespace sse
