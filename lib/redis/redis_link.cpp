#include "redis/redis_link.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <iterator>
#include <system_error>
#include <utility>

namespace sse {

namespace {

constexpr std::string_view probe_key_age = "60";

/// The value of `name` in the reply of INFO.
std::string info_field(const std::string& info, const std::string& name) {
    const auto line = info.find("\n" + name + ":");
    if (line == info.npos) return {};
    const auto begin = line + name.size() + 2;
    return info.substr(begin, info.find_first_of("\r\n", begin) - begin);
}

std::string seconds(std::chrono::milliseconds time) {
    return fmt::format("{:g}s", std::chrono::duration<double>(time).count());
}

} // namespace

RedisLink::RedisLink(const RedisOptions& options, std::string name, StoreHealth& health,
                     RedisCounts& counts, Listener& listener)
    : options_(options)
    , probe_topic_(fmt::format("{}:probe:{}", options.prefix, name))
    , health_(health)
    , counts_(counts)
    , listener_(listener)
    , peer_(options.endpoints.front())
    , found_(options.sentinel.empty()) {
    if (options.tls) tls_ = std::make_unique<TlsContext>(options.tls_files);
}

// ---- the connections ----

template <typename Action>
void RedisLink::guarded(Line& line, Action&& action) {
    try {
        action();
    } catch (const Error& e) {
        close(line, e.what());
    } catch (const std::system_error& e) {
        close(line, e.what());
    }
}

void RedisLink::close(Line& line, const std::string& why) {
    if (!line.connection) return;
    line.connection.reset();
    counts_.reconnects.add();
    line.wait = std::clamp(line.wait * 2, options_.reconnect_first, options_.reconnect_most);
    line.retry_at = Clock::now() + line.wait;
    next_tick_ = std::min(next_tick_, line.retry_at);
    closed(line, why);
}

void RedisLink::closed(Line& line, const std::string& why) {
    if (!options_.sentinel.empty()) found_ = false; // it may be another one now
    if (&line == &subscriber_) {
        if (!counts_.seen) health_.failed_to_sync(why);
        if (std::exchange(subscribed_, false)) listener_.on_subscriber_lost();
        return;
    }
    health_.failed_to_write(why);
    if (&line == &commands_ && std::exchange(ready_, false)) listener_.on_commands_lost();
}

void RedisLink::open_lines(Clock::time_point now) {
    if (!found_) find_server(now);
    if (!found_) return;
    const auto open = [&](Line& line, auto&& greeting) {
        if (line.connection || line.retry_at > now) return;
        try {
            line.connection = std::make_unique<RedisConnection>(peer_, tls_.get());
            greeting();
        } catch (const std::runtime_error& e) { // Error, std::system_error
            line.wait =
                std::clamp(line.wait * 2, options_.reconnect_first, options_.reconnect_most);
            line.retry_at = now + line.wait;
            line.connection.reset();
            closed(line, e.what());
        }
    };
    open(commands_, [&] { open_commands(); });
    open(subscriber_, [&] { open_subscriber(); });
}

void RedisLink::greet(RedisConnection& connection) {
    if (!options_.password.empty()) {
        std::vector<std::string_view> words = {"AUTH"};
        if (!options_.user.empty()) words.emplace_back(options_.user);
        words.emplace_back(options_.password);
        connection.command(words, [](RedisReply& reply) { throw_if_error(reply); });
    }
}

void RedisLink::open_commands() {
    auto& connection = *commands_.connection;
    greet(connection);
    if (options_.db != 0)
        connection.command({"SELECT", fmt::to_string(options_.db)},
                           [](RedisReply& reply) { throw_if_error(reply); });
    connection.command({"INFO", "replication"}, [](RedisReply& reply) {
        throw_if_error(reply);
        if (info_field(reply.text, "role") == "slave")
            throw Error(Errc::receive, "the Redis server is a replica, which accepts no writes");
    });
    connection.command({"INFO", "server"}, [this](RedisReply& reply) {
        throw_if_error(reply);
        check_identity(reply.text);
    });
    load_scripts();
    connection.command({"PING"}, [this](RedisReply& reply) {
        throw_if_error(reply);
        ready_ = true;
        next_probe_ = {};
        next_tick_ = {};
        listener_.on_commands(std::exchange(restarted_, false));
    });
}

void RedisLink::check_identity(const std::string& info) {
    auto id = info_field(info, "run_id");
    restarted_ = restarted_ || (!run_id_.empty() && run_id_ != id);
    run_id_ = std::move(id);
}

void RedisLink::load_scripts() {
    for (std::size_t i = 0; i < redis_scripts; ++i) {
        commands_.connection->command({"SCRIPT", "LOAD", text_of(static_cast<RedisScript>(i))},
                                      [this, i](RedisReply& reply) {
                                          throw_if_error(reply);
                                          hashes_[i] = reply.text;
                                      });
    }
}

void RedisLink::open_subscriber() {
    auto& connection = *subscriber_.connection;
    connection.on_message = [this](RedisReply& reply) {
        const auto& kind = reply.items[0].text;
        const auto& topic = reply.items[1].text;
        if (kind == "message") {
            if (topic == probe_topic_) probe_returned();
            else listener_.on_message(topic, reply.items[2].text);
        } else if (kind == "subscribe") {
            if (topic != probe_topic_) return listener_.on_subscribed(topic);
            subscribed_ = true;
            listener_.on_subscriber();
        }
    };
    greet(connection);
    connection.subscription({"SUBSCRIBE", probe_topic_});
}

void RedisLink::add_waits(std::vector<pollfd>& fds) {
    for (const auto* line : {&commands_, &subscriber_, &sentinel_})
        fds.push_back(line->connection ? line->connection->wanted() : pollfd{-1, 0, 0});
}

void RedisLink::advance(const pollfd* ready) {
    for (auto* line : {&commands_, &subscriber_, &sentinel_}) {
        const auto events = (ready++)->revents;
        if (!line->connection) continue;
        guarded(*line, [&] { line->connection->advance(events); });
    }
}

void RedisLink::flush() {
    for (auto* line : {&commands_, &subscriber_}) {
        if (!line->connection) continue;
        guarded(*line, [&] { line->connection->flush(); });
    }
}

// ---- sentinels ----

void RedisLink::find_server(Clock::time_point now) {
    if (sentinel_.connection || sentinel_.retry_at > now) return;
    const auto& sentinel = options_.endpoints[sentinel_index_++ % options_.endpoints.size()];
    try {
        sentinel_.connection = std::make_unique<RedisConnection>(sentinel, tls_.get());
        ask_sentinel();
    } catch (const std::runtime_error& e) {
        sentinel_.connection.reset();
        sentinel_.retry_at = now + options_.reconnect_first;
        closed(sentinel_, e.what());
    }
}

void RedisLink::ask_sentinel() {
    sentinel_.connection->command(
        {"SENTINEL", "get-master-addr-by-name", options_.sentinel}, [this](RedisReply& reply) {
            throw_if_error(reply);
            if (!reply.is_array(2)) {
                throw Error(Errc::receive, fmt::format("the sentinels know no server named {}",
                                                       printable(options_.sentinel, 60)));
            }
            RedisEndpoint now;
            now.host = reply.items[0].text;
            now.port = static_cast<std::uint16_t>(std::atoi(reply.items[1].text.c_str()));
            if (now.text() != peer_.text()) {
                for (auto* line : {&commands_, &subscriber_})
                    close(*line, "the sentinels name another server");
                peer_ = now;
            }
            found_ = true;
            next_tick_ = {}; // which closes this connection
        });
}

// ---- messages to itself ----

void RedisLink::tick(Clock::time_point now) {
    if (now < next_tick_) return;
    next_tick_ = now + options_.look_every / 4;
    if (found_) sentinel_.connection.reset();
    check_silence(now);
    open_lines(now);
    for (const auto* line : {&commands_, &subscriber_, &sentinel_}) {
        if (!line->connection && line->retry_at > now)
            next_tick_ = std::min(next_tick_, line->retry_at);
    }
    if (ready_ && now >= next_probe_) {
        next_probe_ = now + options_.look_every;
        probe(now);
    }
    if (counts_.seen && now - returned_ > options_.ready_within)
        health_.failed_to_sync(fmt::format(
            "no message that this server sends to itself came back from Redis within {}",
            seconds(options_.ready_within)));
}

/// Sends a write, and a message that comes back through the subscription.
void RedisLink::probe(Clock::time_point now) {
    guarded(commands_, [&] {
        auto& connection = *commands_.connection;
        connection.command({"SET", probe_topic_, "1", "EX", probe_key_age}, [this](RedisReply& r) {
            if (r.is_error("LOADING") || r.is_error("READONLY") || r.is_error("MASTERDOWN"))
                throw_if_error(r);
            if (r.is_error()) return health_.failed_to_write(printable(r.text, 200));
            commands_.wait = {};
            health_.can_write();
        });
        connection.command({"PUBLISH", probe_topic_, "1"},
                           [](RedisReply& r) { throw_if_error(r); });
        unreturned_ = std::min(unreturned_, now);
    });
}

void RedisLink::probe_returned() {
    unreturned_ = Clock::time_point::max();
    returned_ = Clock::now();
    subscriber_.wait = {};
    counts_.seen = true;
    health_.can_sync();
}

void RedisLink::check_silence(Clock::time_point now) {
    const auto late = [&](Clock::time_point since) {
        return since < now && now - since > options_.reply_timeout;
    };
    for (auto* line : {&commands_, &subscriber_, &sentinel_}) {
        if (line->connection && late(line->connection->waits_since())) {
            const auto& name = line == &sentinel_ ? std::string("a sentinel") : peer_.text();
            close(*line, fmt::format("Redis at {} did not answer within {}", name,
                                     seconds(options_.reply_timeout)));
        }
    }
    if (subscriber_.connection && late(unreturned_)) {
        unreturned_ = Clock::time_point::max();
        close(subscriber_, "a message that this server sent to itself did not come back");
    }
}

// ---- commands ----

void RedisLink::command(const std::vector<std::string_view>& words,
                        RedisConnection::Handler handler) {
    if (commands_.connection) commands_.connection->command(words, std::move(handler));
}

void RedisLink::run(RedisScript script, const std::vector<std::string_view>& keys,
                    const std::vector<std::string_view>& arguments,
                    RedisConnection::Handler handler) {
    const auto count = fmt::to_string(keys.size());
    std::vector<std::string_view> words = {"EVALSHA", hashes_[static_cast<std::size_t>(script)],
                                           count};
    words.insert(words.end(), keys.begin(), keys.end());
    words.insert(words.end(), arguments.begin(), arguments.end());
    command(words, std::move(handler));
}

void RedisLink::subscribe(const std::vector<std::string_view>& topics) {
    if (!subscribed_ || topics.empty()) return;
    std::vector<std::string_view> words = {"SUBSCRIBE"};
    words.insert(words.end(), topics.begin(), topics.end());
    subscriber_.connection->subscription(words);
}

void RedisLink::unsubscribe(std::string_view topic) {
    if (subscribed_) subscriber_.connection->subscription({"UNSUBSCRIBE", topic});
}

} // namespace sse
