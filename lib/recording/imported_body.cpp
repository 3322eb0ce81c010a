#include "recording/imported_body.hpp"

#include "base/ascii.hpp"
#include "base/base64.hpp"
#include "base/content_coding.hpp"
#include "base/error.hpp"
#include "base/trimmed.hpp"
#include "base/utf8.hpp"

#include <fmt/format.h>
#include <strings.h>
#include <utility>

namespace sse {

bool append_loose_base64(std::string_view text, std::string& out) {
    std::string encoded(text);
    std::erase_if(encoded, [](char c) { return c == '\r' || c == '\n' || c == ' ' || c == '\t'; });
    return append_from_base64(encoded, out);
}

bool append_hexadecimal(std::string_view text, std::string& out) {
    if (text.size() % 2 != 0) return false;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_value(text[i]), low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return false;
        out.push_back(static_cast<char>(high * 16 + low));
    }
    return true;
}

namespace {

/// True if a body that cannot be decoded seems to be in its coding all the same, and not to have
/// been decoded before.
bool has_coding(std::string_view body, std::string_view coding) {
    if (::strcasecmp(std::string(coding).c_str(), "gzip") == 0 ||
        ::strcasecmp(std::string(coding).c_str(), "x-gzip") == 0) {
        return body.starts_with("\x1F\x8B");
    }
    return !body.empty() && !is_utf8(body); // the others have no mark, but are hardly ever text
}

} // namespace

std::string without_coding(std::string body, const RecordedFields& fields, std::size_t max_bytes,
                           const std::function<void(const std::string&)>& warn) {
    std::unique_ptr<ContentDecoder> decoder;
    std::string_view coding;
    for (const auto& [name, value] : fields) {
        if (::strcasecmp(name.c_str(), "content-encoding") != 0) continue;
        coding = trimmed(value);
        decoder = ContentDecoder::make(coding);
    }
    if (!decoder) return body;
    std::string decoded;
    try {
        std::string_view rest = body;
        for (auto piece = decoder->next(rest); !piece.empty(); piece = decoder->next(rest)) {
            if (piece.size() > max_bytes - decoded.size()) {
                throw Error(Errc::too_large,
                            fmt::format("the decoded body is larger than {} bytes", max_bytes));
            }
            decoded.append(piece);
        }
        decoder->finish();
    } catch (const Error& e) {
        if (e.code() == Errc::too_large) throw;
        if (!has_coding(body, coding)) return body;
        warn(fmt::format("{}; only the {} bytes before the damage were decoded", e.what(),
                         decoded.size()));
    }
    return decoded;
}

std::string whole_text(RecordingInput& input, std::size_t max_bytes) {
    std::string text;
    for (;;) {
        const auto have = text.size();
        text.resize(have + 256 * 1024);
        const auto got = input.read(text.data() + have, text.size() - have);
        text.resize(have + got);
        if (got == 0) return text;
        if (text.size() > max_bytes) {
            throw Error(Errc::too_large,
                        fmt::format("{}: larger than {} bytes", input.name(), max_bytes));
        }
    }
}

} // namespace sse
