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
    /// One server; with `sentinel`, the sentinels that are asked for it.
    std::vector<RedisEndpoint> endpoints;
    /// The name of the server among the sentinels; "": there are none.
    std::string sentinel;
    bool tls = false;
    TlsOptions tls_files;
    std::string user, password; ///< "": none
    std::uint32_t db = 0;
    /// The keys of the store begin with it and a colon.
    std::string prefix = "sse";
    /// When a publisher is answered.
    enum class Ack {
        local,   ///< Redis has stored the events
        replica, ///< and a replica has acknowledged them
    } ack = Ack::local;

    StoreOptions store;
    /// A draft that somebody waits for is given up after this time, if Redis has not stored it.
    std::chrono::milliseconds timeout{2'000};
    /// A connection without a reply, or without our own message, for this long is closed.
    std::chrono::milliseconds reply_timeout{3'000};
    /// So often the newest event in Redis is compared, and a message sent to ourselves.
    std::chrono::milliseconds look_every{1'000};
    /// The store is not ready if no message of our own came back for this long.
    std::chrono::milliseconds ready_within{5'000};
    /// After Redis was restarted or has lost events, publishing waits this long, so that every
    /// server can put back the events that it still holds.
    std::chrono::milliseconds settle{1'000};
    /// Between two attempts to connect, doubled up to the second one.
    std::chrono::milliseconds reconnect_first{50}, reconnect_most{1'000};
    /// Channels whose newest event is compared at a time.
    std::size_t looks = 1'000;
    /// The ID of an event that came with it is found for this long, if the retention has no age.
    std::chrono::milliseconds given_id_age{7 * 86'400'000};
};

/// True if `text` is the address of a Redis server and not a directory.
bool is_redis_url(std::string_view text);
/// Reads `redis://[USER@]HOST[:PORT][/DB][?prefix=TEXT]`, with `rediss` for TLS, or
/// `redis+sentinel://HOST[:PORT],.../NAME[/DB]`. Throws Error (invalid_argument).
void read_redis_url(const std::string& url, RedisOptions& options);
/// The same without the user: for messages.
std::string describe(const RedisOptions& options);

} // namespace sse
