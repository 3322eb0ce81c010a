#include "base/json_text.hpp"

#include "base/bytes16.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>

namespace sse {

namespace {

/// Bytes that are looked at in one step; more than an escape has.
constexpr std::size_t step = 16;

/// Those of 16 bytes that are not copied as they are: control characters, quotes, backslashes, and
/// 0xE2, which begins U+2028 and U+2029 (and others).
Bytes16 special(Bytes16 bytes) {
    return bytes.below(0x20) | bytes.equal('"') | bytes.equal('\\') | bytes.equal('\xE2');
}

/// Writes the escape of the byte at `text` to `to`, six bytes at most; gives its end, and moves
/// `text` on, three bytes for U+2028 and U+2029.
char* escape(const char*& text, const char* end, char* to) {
    const auto put = [&](std::string_view escaped) {
        return to + escaped.copy(to, escaped.size());
    };
    const auto byte = static_cast<unsigned char>(*text++);
    switch (byte) {
    case '"': return put("\\\"");
    case '\\': return put("\\\\");
    case '\n': return put("\\n");
    case '\r': return put("\\r");
    case '\t': return put("\\t");
    default: break;
    }
    if (byte < 0x20) {
        to = put("\\u00");
        *to++ = static_cast<char>('0' + (byte >> 4));
        *to++ = "0123456789abcdef"[byte & 15];
        return to;
    }
    if (const bool separator = byte == 0xE2 && end - text >= 2 && text[0] == '\x80'; separator) {
        const auto last = static_cast<unsigned char>(text[1]);
        if (last == 0xA8 || last == 0xA9) {
            text += 2;
            return put(last == 0xA8 ? "\\u2028" : "\\u2029");
        }
    }
    *to++ = static_cast<char>(byte);
    return to;
}

/// Validates from the first byte on that is not ASCII, unless `valid`.
void append_escaped(std::string_view text, bool valid, std::string& out) {
    std::array<char, 4096> buffer;
    std::array<char, 3 * step> last; // the last bytes, with so many behind them as a step reads
    const char* at = text.data();
    const char* end = at + text.size();
    char* to = buffer.data();
    for (bool in_last = false; at < end;) {
        if (const auto left = static_cast<std::size_t>(end - at); left < 2 * step && !in_last) {
            last.fill(' ');
            std::memcpy(last.data(), at, left);
            at = last.data(), end = at + left;
            in_last = true;
        }
        if (to >
            buffer.data() + buffer.size() - 7 * step) { // a step of escapes, and one that is copied
            out.append(buffer.data(), to);
            to = buffer.data();
        }
        const char* const begin = at;
        const char* const next = std::min(begin + step, end);
        const Bytes16 bytes(begin);
        if (!valid && bytes.bits() != 0) {
            const std::string_view rest(begin, static_cast<std::size_t>(end - begin));
            if (!is_utf8(rest)) {
                out.append(buffer.data(), to);
                std::string repaired;
                append_utf8(rest, repaired);
                return append_escaped(repaired, true, out);
            }
            valid = true;
        }
        for (auto found_here = special(bytes).bits(); found_here != 0;
             found_here &= found_here - 1) {
            const char* const found = begin + std::countr_zero(found_here);
            if (found < at) continue;  // part of the escape before
            std::memcpy(to, at, step); // of which only what is before `found` counts
            to += found - at;
            at = found;
            to = escape(at, end, to);
        }
        if (at >= next) continue;
        std::memcpy(to, at, step);
        to += next - at;
        at = next;
    }
    out.append(buffer.data(), to);
}

} // namespace

void append_json_string(std::string_view text, std::string& out) {
    out.push_back('"');
    append_escaped(text, false, out);
    out.push_back('"');
}

void append_seconds(std::chrono::microseconds time, std::string& out) {
    const fmt::format_int whole(time.count() / 1'000'000);
    std::array<char, 7> part{'.', '0', '0', '0', '0', '0', '0'};
    auto rest = time.count() % 1'000'000;
    for (auto at = part.size() - 1; at > 0; --at, rest /= 10)
        part[at] = static_cast<char>('0' + (rest % 10));
    out.append(whole.data(), whole.size()).append(part.data(), part.size());
}

} // namespace sse
