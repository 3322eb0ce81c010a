#include "redis/redis_keys.hpp"

#include "store/crc32c.hpp"

#include <cstdint>
#include <fmt/format.h>

namespace sse {

namespace {

constexpr std::uint32_t hash_slots = 64;

/// Keys of a channel are in one slot of a cluster (Redis Cluster specification, "Hash tags").
std::string base_of(const RedisOptions& options, std::string_view name) {
    return fmt::format("{}:{{{}}}:{}", options.prefix, crc32c(0, name) % hash_slots, name);
}

} // namespace

RedisKeys::RedisKeys(const RedisOptions& options, std::string_view channel)
    : base_(base_of(options, channel))
    , topic_(options.db == 0 ? base_ + ":e" : fmt::format("{}:e{}", base_, options.db))
    , stream_(base_ + ":s")
    , meta_(base_ + ":m") {}

std::string RedisKeys::with(std::string_view kind, std::string_view name) const {
    return std::string(base_).append(kind).append(name);
}

} // namespace sse
