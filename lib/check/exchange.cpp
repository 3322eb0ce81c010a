#include "check/exchange.hpp"

#include "base/printable.hpp"
#include "check/format_scan.hpp"
#include "check/time_stamp.hpp"
#include "client/client_response.hpp"
#include "client/connector.hpp"
#include "client/cookies.hpp"
#include "net/client_connection.hpp"
#include "net/client_tls.hpp"
#include "protocol/parser.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <memory>

namespace sse::checks {

namespace {

constexpr unsigned max_redirects = 20;
constexpr std::size_t body_start_bytes = 256;
// Maximum numbers that are stored, for fast streams.
constexpr std::size_t max_events = 5'000, max_pieces = 20'000;

double wall_now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// FNV-1a, of type and data.
std::uint64_t hash_of(const EventView& event) {
    std::uint64_t hash = 0xcbf29ce484222325;
    const auto add = [&](std::string_view text) {
        for (const char c : text) {
            hash ^= static_cast<unsigned char>(c);
            hash *= 0x100000001b3;
        }
    };
    add(event.type);
    add(std::string_view("\0", 1));
    add(event.data);
    return hash;
}

class Recorder : public Parser::Sink, public Connector::Listener {
public:
    Recorder(Probe probe, const ClientOptions& options, StopAt stop, SharedNotes& notes,
             Interrupt& interrupt, Exchange& seen, TlsSeen* tls)
        : probe_(probe)
        , options_(options)
        , stop_(stop)
        , notes_(notes)
        , interrupt_(interrupt)
        , seen_(seen)
        , tls_(tls)
        , scan_(seen.format) {}

    std::exception_ptr run() {
        note([&] { seen_.started = notes_.watch.now(); });
        Ending ending = Ending::failed;
        std::exception_ptr failure;
        try {
            ending = exchange();
        } catch (const Interrupted&) {
            ending = has_head_ ? Ending::stopped : Ending::silent;
        } catch (const Error& e) {
            ending = ending_of(e);
            if (!has_head_) failure = std::current_exception();
            note([&] { seen_.failure = e.what(); });
        } catch (
            const std::exception& e) { // no socket or no memory for one: not the server's doing
            failure = std::current_exception();
            note([&] { seen_.failure = e.what(); });
        }
        note([&] {
            scan_.finish();
            if (ending == Ending::stopped) seen_.format.unfinished_event = false;
            seen_.ended = notes_.watch.now();
            seen_.ending = ending;
        });
        return failure;
    }

private:
    template <class Change>
    void note(Change change) {
        const std::scoped_lock lock(notes_.mutex);
        change();
    }

    Ending ending_of(const Error& error) const {
        if (has_head_)
            return dynamic_cast<const ConnectionReset*>(&error) ? Ending::reset : Ending::cut;
        return error.reason() == Reason::connection_closed ? Ending::refused : Ending::failed;
    }

    Ending exchange() {
        Connector connector(options_, *this, interrupt_);
        auto request = options_.request;
        for (unsigned redirects = 0;; ++redirects) {
            Timing timing;
            const auto proxy = connector.proxy_of(request.url);
            auto connection = connector.connect(request.url, proxy, timing);
            note([&] {
                seen_.connected = notes_.watch.now();
                if (tls_ && connection->tls()) {
                    tls_->days_left = certificate_days(connection->tls());
                    tls_->version = tls_version(connection->tls());
                }
            });
            auto response_options = options_.response;
            response_options.arrival_times = true;
            ClientResponse response(std::move(connection), response_options);
            response.send(connector.prepare(request, proxy), {});
            const auto location = response.head().find("Location");
            if (is_redirect(response.status()) && location && redirects < max_redirects) {
                apply_redirect(request, response.status(), *location);
                continue;
            }
            note_head(request, response);
            return stop_ == StopAt::head ? Ending::stopped : read_body(response);
        }
    }

    void note_head(const ClientRequest& request, const ClientResponse& response) {
        has_head_ = true;
        CookieJar jar;
        const auto now = std::chrono::system_clock::now();
        bool has_cookies = false;
        for (const auto& field : response.head().fields()) {
            if (!same_name(field.name, "Set-Cookie")) continue;
            jar.set(request.url, field.value, now);
            has_cookies = true;
        }
        note([&] {
            now_ = std::max(*seen_.connected, notes_.watch.at(response.arrived()));
            seen_.head = now_;
            seen_.wall_at_head = wall_now() - (notes_.watch.now() - now_);
            seen_.status = response.status();
            const auto& line = response.head().start_line();
            seen_.version = line.substr(0, line.find(' '));
            seen_.fields = response.head().fields();
            seen_.framing =
                response_framing(response.head(), request.method, response.status()).kind;
            if (probe_ != Probe::main || !has_cookies) return;
            const auto* given = request.find("Cookie");
            notes_.cookies = jar.header(request.url, given ? given->value : std::string(), now);
        });
    }

    Ending read_body(ClientResponse& response) {
        Parser parser(*this, options_.parser);
        while (const auto piece = response.read({})) {
            if (piece->empty()) continue;
            note([&] {
                now_ = std::max(now_, notes_.watch.at(response.arrived()));
                if (!seen_.first_body) seen_.first_body = now_;
                if (seen_.body_start.size() < body_start_bytes)
                    seen_.body_start.append(*piece, 0, body_start_bytes - seen_.body_start.size());
                seen_.body_bytes += piece->size();
                scan_.feed(*piece);
                seen_.comments.resize(
                    std::min<std::size_t>(static_cast<std::size_t>(scan_.comments()), max_events),
                    now_);
                parser.feed(*piece);
                if (seen_.pieces.size() < max_pieces) {
                    seen_.pieces.push_back(
                        {now_, piece->size(), response.at_chunk_end(), scan_.in_block()});
                }
            });
            if (stop_ == StopAt::first_event && !seen_.events.empty()) return Ending::stopped;
        }
        return response.end() == BodyEnd::closed ? Ending::closed : Ending::complete;
    }

    void on_event(const EventView& event) override {
        if (seen_.events.size() == max_events) return;
        SeenEvent seen;
        seen.at = now_;
        if (event.id) seen.id = std::string(*event.id);
        seen.hash = hash_of(event);
        seen.says_done = event.data == "[DONE]";
        const auto now = wall_now();
        if (event.id) seen.stamp = find_time(*event.id, now);
        if (!seen.stamp) seen.stamp = find_time(event.data, now);
        seen_.events.push_back(seen);
        if (probe_ == Probe::main && notes_.on_event) notes_.on_event(seen, event.data);
    }
    bool on_too_large() override { return true; }

    Probe probe_;
    const ClientOptions& options_;
    StopAt stop_;
    SharedNotes& notes_;
    Interrupt& interrupt_;
    Exchange& seen_;
    TlsSeen* tls_;
    FormatScan scan_;
    Time now_ = 0; ///< when the bytes arrived that are looked at
    bool has_head_ = false;
};

} // namespace

std::exception_ptr run_exchange(Probe probe, const ClientOptions& options, StopAt stop,
                                SharedNotes& notes, Interrupt& interrupt, Exchange& seen,
                                TlsSeen* tls) {
    return Recorder(probe, options, stop, notes, interrupt, seen, tls).run();
}

std::string publish_text(const ClientOptions& options, const std::string& text,
                         Interrupt& interrupt) {
    constexpr std::chrono::seconds limit{10};
    try {
        Connector::Listener listener;
        Connector connector(options, listener, interrupt);
        auto request = options.request;
        request.body = text;
        request.set("Content-Type", "text/plain");
        Timing timing;
        const auto proxy = connector.proxy_of(request.url);
        ClientResponse response(connector.connect(request.url, proxy, timing), options.response);
        response.send(connector.prepare(request, proxy), {}, Interrupt::Clock::now() + limit);
        return response.status() / 100 == 2
                   ? ""
                   : fmt::format("publishing was refused with status {}", response.status());
    } catch (const Error& e) {
        return fmt::format("cannot publish: {}", e.what());
    } catch (const Interrupted&) {
        return "publishing was interrupted";
    }
}

} // namespace sse::checks
