// The settings of a store in Redis.
#pragma once

#include "net/client_tls.hpp"
#include "store/store_options.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

struct RedisEndpoint {
    std::string host;
    std::uint16_t port = 6379;
    std::string text() const;
};

struct RedisOptions {
    /// The server; with `sentinel`, the sentinels that know its address.
    std::vector<RedisEndpoint> endpoints;
    /// The name by which the sentinels know the server; "": no sentinels.
    std::string sentinel;
    bool tls = false;
    TlsOptions tls_files;
    std::string user, password; ///< "": none
    std::uint32_t db = 0;
    /// The keys of the store begin with this text and a colon.
    std::string prefix = "sse";
    /// When a publisher is answered.
    enum class Ack {
        local,   ///< Redis has stored the events
        replica, ///< and a replica has acknowledged them
    } ack = Ack::local;

    StoreOptions store;
    /// A draft whose publisher waits fails if Redis has not stored it within this time.
    std::chrono::milliseconds timeout{2'000};
    /// A connection is closed if a reply, or a message of this server to itself, does not arrive
    /// within this time.
    std::chrono::milliseconds reply_timeout{3'000};
    /// Interval of comparing the newest event with that in Redis, and of messages of this server to
    /// itself.
    std::chrono::milliseconds look_every{1'000};
    /// The store is not ready if no message of this server to itself came back for this long.
    std::chrono::milliseconds ready_within{5'000};
    /// After Redis was restarted or has lost events, publishing waits this long, so that every
    /// server can put back the events that it still holds.
    std::chrono::milliseconds settle{1'000};
    /// Wait before the next attempt to connect: the first one, doubled after each failure up to the
    /// second one.
    std::chrono::milliseconds reconnect_first{50}, reconnect_most{1'000};
    /// Number of channels whose newest event is compared in each interval.
    std::size_t looks = 1'000;
    /// An ID that an event was published with is found for this long, if the retention has no age.
    std::chrono::milliseconds given_id_age{7 * 86'400'000};
};

/// True if `text` is the address of a Redis server and not a directory.
bool is_redis_url(std::string_view text);
/// Reads `redis://[USER@]HOST[:PORT][/DB][?prefix=TEXT]`, with `rediss` for TLS, or
/// `redis+sentinel://HOST[:PORT],.../NAME[/DB]`. Throws Error (invalid_argument).
void read_redis_url(const std::string& url, RedisOptions& options);
/// The address without the user, for messages.
std::string describe(const RedisOptions& options);

} // namespace sse
