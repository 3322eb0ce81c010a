#include "store/recent_keys.hpp"

#include <openssl/evp.h>
#include <string>

namespace sse {

StoredKey::Hash key_hash(std::string_view channel, std::string_view key) {
    std::string text(channel); // a channel's name has no NUL
    text.push_back('\0');
    text.append(key);
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_Digest(text.data(), text.size(), digest, nullptr, EVP_sha256(), nullptr);
    StoredKey::Hash hash;
    std::memcpy(hash.data(), digest, sizeof(hash));
    return hash;
}

const StoredKey* RecentKeys::find(const StoredKey::Hash& hash, std::uint64_t now) {
    expire(now);
    const auto found = keys_.find(hash);
    return found == keys_.end() ? nullptr : &found->second;
}

bool RecentKeys::add(const StoredKey& key, std::uint64_t now) {
    if (key.time + age_ < now) return true;
    if (keys_.size() >= max_) return false;
    keys_.insert_or_assign(key.hash, key);
    by_time_.emplace_back(key.time, key.hash);
    return true;
}

void RecentKeys::set(const StoredKey::Hash& hash, std::uint64_t first, std::uint64_t count) {
    const auto found = keys_.find(hash);
    if (found == keys_.end()) return;
    found->second.first = first;
    found->second.count = count;
}

void RecentKeys::expire(std::uint64_t now) {
    while (!by_time_.empty() && by_time_.front().first + age_ < now) {
        const auto found = keys_.find(by_time_.front().second);
        if (found != keys_.end() && found->second.time == by_time_.front().first)
            keys_.erase(found);
        by_time_.pop_front();
    }
}

} // namespace sse
