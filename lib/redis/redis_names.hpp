// The keys and arguments of a script for the names that a publication is found by, besides its ID.
#pragma once

#include "hub/batch.hpp"
#include "redis/redis_keys.hpp"

#include <cstddef>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// The IDs that came with its events, and its idempotency key ("": none). What it adds points into
/// it. One thread.
class RedisNames {
public:
    RedisNames(const RedisKeys& keys, const Batch& batch, std::string_view key) {
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (batch.generated(i) || batch.id(i).empty()) continue;
            given_ids_.push_back(keys.given_id(batch.id(i)));
            places_.push_back(fmt::to_string(i));
        }
        if (!key.empty()) key_ = keys.draft(key);
    }
    /// Adds the keys of the IDs and, at the end, that of the idempotency key; to the arguments, the
    /// places of the events with IDs.
    void add_to(std::vector<std::string_view>& keys,
                std::vector<std::string_view>& arguments) const {
        keys.insert(keys.end(), given_ids_.begin(), given_ids_.end());
        if (!key_.empty()) keys.emplace_back(key_);
        arguments.insert(arguments.end(), places_.begin(), places_.end());
    }

private:
    std::vector<std::string> given_ids_, places_;
    std::string key_;
};

} // namespace sse
