// One loop and connections of it over socket pairs: a whole ServerConnection without a network, a
// thread or a clock that is waited for.
#pragma once

#include "base/descriptor.hpp"
#include "base/posix.hpp"
#include "server/address_counts.hpp"
#include "server/body_budget.hpp"
#include "server/loop.hpp"
#include "server/server_connection.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <fcntl.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace test {

/// What a feed of the rig gives, shared with the test.
struct FeedScript {
    std::string pending; ///< body bytes to send, framed
    bool ended = false;
    sse::Feed::Cut cut = sse::Feed::Cut::no;
    std::function<void()> wake;
    int ticks = 0;
    bool destroyed = false;
};

class ScriptedFeed final : public sse::Feed {
public:
    explicit ScriptedFeed(std::shared_ptr<FeedScript> script)
        : script_(std::move(script)) {}
    ~ScriptedFeed() override { script_->destroyed = true; }
    void attach(std::function<void()> wake) override { script_->wake = std::move(wake); }
    std::size_t gather(Clock::time_point, std::span<std::string_view> out) override {
        if (script_->pending.empty()) return 0;
        out[0] = script_->pending;
        return 1;
    }
    void consume(std::size_t bytes) override { script_->pending.erase(0, bytes); }
    bool ended() const override { return script_->ended && script_->pending.empty(); }
    void tick(Clock::time_point) override { ++script_->ticks; }
    Cut cut() const override { return script_->cut; }

private:
    std::shared_ptr<FeedScript> script_;
};

/// Routes: GET /hello, GET /stream, POST /echo (the response is the body).
class RigHandler : public sse::Handler {
public:
    std::optional<sse::Response> refuse(const sse::Request& head) override {
        if (head.path != "/hello" && head.path != "/stream" && head.path != "/echo")
            return sse::text_response(404, "no such path\n");
        return std::nullopt;
    }
    sse::Response respond(const sse::Request& request, std::size_t) override {
        requests.push_back(request.method + " " + request.path + " " + request.body);
        if (request.path != "/stream")
            return sse::text_response(200, request.method == "POST" ? request.body : "hello\n");
        sse::Response response;
        response.content_type = "text/event-stream";
        script = std::make_shared<FeedScript>();
        response.feed = std::make_unique<ScriptedFeed>(script);
        return response;
    }
    std::vector<std::string> requests;  ///< method, path and body of each
    std::shared_ptr<FeedScript> script; ///< of the last stream
};

class ConnectionRig {
public:
    using Clock = sse::ServerConnection::Clock;

    explicit ConnectionRig(sse::ServerOptions given = {}, std::size_t max_body_bytes = 1 << 30)
        : options(std::move(given))
        , bodies(max_body_bytes)
        , loop(options, 0) {
        listener.handler = &handler;
        listener.guard = &options.guard;
        listener.bodies = &bodies;
    }

    /// The client's end of one connection.
    struct Client {
        sse::Descriptor fd;
        std::weak_ptr<sse::ServerConnection> connection;

        void send(std::string_view bytes) const {
            while (!bytes.empty()) {
                const auto sent = ::send(fd.get(), bytes.data(), bytes.size(), sse::no_sigpipe);
                if (sent <= 0) return; // full, or closed by the server
                bytes.remove_prefix(static_cast<std::size_t>(sent));
            }
        }
        /// Everything that has been sent to it; `|` at the end if the server has closed.
        std::string read() const {
            std::string all;
            std::array<char, 65536> buffer;
            for (;;) {
                const auto got = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
                if (got == 0 || (got < 0 && errno == ECONNRESET)) return all + "|";
                if (got < 0) return all;
                all.append(buffer.data(), static_cast<std::size_t>(got));
            }
        }
        void tick(Clock::duration after) const {
            if (const auto there = connection.lock()) there->tick(Clock::now() + after);
        }
    };

    Client connect(sse::Refusal refusal = sse::Refusal::none) {
        int ends[2];
        if (!sse::make_socket_pair(ends, true)) throw std::runtime_error("no socket pair");
        auto made = std::make_shared<sse::ServerConnection>(loop, ends[0], listener, refusal);
        Client client{sse::Descriptor(ends[1]), made};
        loop.counts.opened.add();
        loop.add(std::move(made));
        return client;
    }

    /// Lets the loop do everything that it can do without waiting.
    void run() {
        do {
            loop.context.restart();
        } while (loop.context.poll() > 0);
    }
    /// The client sends, and reads what it gets.
    std::string exchange(const Client& client, std::string_view bytes) {
        client.send(bytes);
        std::string all;
        for (std::size_t before = 1; before != all.size();) {
            before = all.size();
            run();
            if (!all.ends_with('|')) all += client.read();
        }
        return all;
    }
    std::uint64_t ended(sse::EndReason reason) const {
        return loop.counts.ends[static_cast<std::size_t>(reason)].get();
    }

    sse::ServerOptions options;
    RigHandler handler;
    sse::BodyBudget bodies;
    sse::ListenerContext listener;
    sse::Loop loop;
};

/// A request with a Host, and these lines behind it.
inline std::string request(std::string_view line, std::string_view fields = "",
                           std::string_view body = "") {
    std::string out(line);
    out.append(" HTTP/1.1\r\nHost: localhost\r\n").append(fields).append("\r\n").append(body);
    return out;
}

/// `200 hello`: status and body of one response, `|` if the server closed behind it.
inline std::string short_response(const std::string& wire) {
    const auto space = wire.find(' '), end = wire.find("\r\n\r\n");
    if (space == wire.npos || end == wire.npos) return wire;
    return wire.substr(space + 1, 3) + " " + wire.substr(end + 4);
}

} // namespace test
