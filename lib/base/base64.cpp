#include "base/base64.hpp"

#include <array>
#include <cstdint>

namespace sse {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t none = 0xFF;
constexpr std::array<std::uint8_t, 256> digit_values = [] {
    std::array<std::uint8_t, 256> table{};
    table.fill(none);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return table;
}();

} // namespace

void append_base64(std::string_view bytes, std::string& out) {
    const auto byte = [&](std::size_t i) -> std::uint32_t {
        return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u;
    };
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto word = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
        out.push_back(alphabet[word >> 18]);
        out.push_back(alphabet[word >> 12 & 63]);
        out.push_back(i + 1 < bytes.size() ? alphabet[word >> 6 & 63] : '=');
        out.push_back(i + 2 < bytes.size() ? alphabet[word & 63] : '=');
    }
}

bool append_from_base64(std::string_view text, std::string& out) {
    if (text.size() % 4 != 0) return false;
    const auto before = out.size();
    const auto refuse = [&] { return out.resize(before), false; };
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const auto digits = i + 4 == text.size() ? 4 - padding : 4;
        std::uint32_t word = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const auto value = k < digits ? digit_values[static_cast<unsigned char>(text[i + k])]
                                          : std::uint8_t{0};
            if (value == none) return refuse();
            word = word << 6 | value;
        }
        for (std::size_t k = 0; k + 1 < digits; ++k) {
            out.push_back(static_cast<char>(word >> (16 - 8 * k) & 0xFF));
        }
        if (digits < 4 && (word >> (8 * (4 - digits)) << (8 * (4 - digits))) != word)
            return refuse();
    }
    return true;
}

} // namespace sse
