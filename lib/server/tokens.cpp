#include "server/tokens.hpp"

#include "base/error.hpp"
#include "base/trimmed.hpp"
#include "http/head.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sstream>
#include <sys/stat.h>
#include <utility>

namespace sse {

namespace {

/// Far above any real token (a JSON Web Token has about 1 KiB), far below a file named by mistake.
constexpr std::size_t max_token_bytes = 8 * 1024;

} // namespace

Tokens::Digest Tokens::digest(std::string_view token) {
    Digest digest;
    SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
    return digest;
}

void Tokens::add(std::string_view token) {
    if (token.empty()) throw Error(Errc::invalid_argument, "a token is empty");
    if (token.size() > max_token_bytes) {
        throw Error(Errc::invalid_argument,
                    fmt::format("a token is longer than {} bytes", max_token_bytes));
    }
    if (!std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7F; })) {
        throw Error(Errc::invalid_argument,
                    "a token contains a space, a control character or a non-ASCII character");
    }
    auto more = *digests();
    more.push_back(digest(token));
    set(std::make_shared<const Digests>(std::move(more)));
}

bool Tokens::add_file(const std::string& path, const OpenFile& open) {
    std::istringstream in(read_file(path, "the token file", open));
    std::string line;
    const auto before = size();
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        if (line.ends_with('\r')) line.pop_back();
        const auto token = trimmed(line);
        if (token.empty() || token.starts_with('#')) continue;
        try {
            add(token);
        } catch (const Error& e) {
            throw Error(Errc::bad_input, fmt::format("{}:{}: {}", path, number, e.what()));
        }
    }
    if (size() == before) throw Error(Errc::bad_input, fmt::format("{} contains no token", path));
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
           (status.st_mode & S_IROTH) != 0;
}

bool Tokens::holds(std::string_view token) const {
    // The digests have one length, and all are looked at: the time depends on what was presented
    // alone. Of a digest's first bytes nothing could be learnt anyway.
    const auto presented = digest(token);
    const auto known_digests = digests();
    int found = 0;
    for (const auto& known : *known_digests)
        found |= static_cast<int>(CRYPTO_memcmp(known.data(), presented.data(), known.size()) == 0);
    return found != 0;
}

} // namespace sse
