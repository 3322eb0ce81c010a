#include "recording/imported_body.hpp"

#include "base/ascii.hpp"
#include "base/base64.hpp"
#include "base/content_coding.hpp"
#include "base/error.hpp"
#include "base/trimmed.hpp"

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

std::string without_coding(std::string body, const RecordedFields& fields, std::size_t max_bytes) {
    std::unique_ptr<ContentDecoder> decoder;
    for (const auto& [name, value] : fields) {
        if (::strcasecmp(name.c_str(), "content-encoding") == 0)
            decoder = ContentDecoder::make(trimmed(value));
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
        return body; // it has been decoded before
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
