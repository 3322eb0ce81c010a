#include "check/gather.hpp"

#include "base/error.hpp"
#include "base/random.hpp"
#include "check/exchange.hpp"
#include "check/probe_plan.hpp"
#include "client/connector.hpp"
#include "net/client_tls.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <fmt/format.h>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace sse::checks {

namespace {

/// Interval of checking the observations.
constexpr std::chrono::milliseconds tick{25};

StopAt stop_of(Probe probe) {
    switch (probe) {
    case Probe::second:
    case Probe::head:
    case Probe::preflight: return StopAt::head;
    case Probe::resumed:
    case Probe::again: return StopAt::first_event;
    default: return StopAt::end;
    }
}

std::string make_token() { return fmt::format("sse-check-{:016x}", random_bits()); }

/// The connections of a check, each on a thread of its own, and the observations on them. ProbePlan
/// decides which are made. Used on one thread.
class Gatherer {
public:
    Gatherer(const GatherOptions& options, Interrupt& interrupt, Progress& progress)
        : options_(options)
        , client_(options.client)
        , interrupt_(interrupt)
        , progress_(progress)
        , plan_({options.time, options.max_connections, options.direct.has_value(),
                 static_cast<bool>(options.trigger)},
                seen_) {
        seen_.url = client_.request.url.shown();
        seen_.wall_start =
            std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
                .count();
        seen_.repeatable = client_.request.method == "GET" && !client_.request.body;
        seen_.single = options.single || !seen_.repeatable;
        seen_.long_watch = options.long_watch;
        seen_.origin = options.origin;
        seen_.credentials = options.credentials;
        auto& request = client_.request;
        if (!request.find("Accept-Encoding")) request.set("Accept-Encoding", "identity");
        if (!options.origin.empty()) request.set("Origin", options.origin);
        client_.response.compressed = true; // of those that compress unasked
        notes_.on_event = [this](const SeenEvent& event, std::string_view data) {
            ++progress_.events;
            for (std::size_t i = 0; i < seen_.triggered.size(); ++i) {
                auto& triggered = seen_.triggered[i];
                if (!triggered.arrived && data.find(tokens_[i]) != data.npos)
                    triggered.arrived = event.at;
            }
        };
    }

    Observations run() {
        if (client_.request.url.tls) look_at_tls();
        try {
            watch();
        } catch (...) {
            end_all();
            throw;
        }
        end_all();
        seen_.duration = notes_.watch.now();
        if (seen_.main().ending == Ending::failed && running_[0].failure)
            std::rethrow_exception(running_[0].failure);
        return std::move(seen_);
    }

private:
    struct Running {
        std::thread thread;
        std::unique_ptr<Interrupt> interrupt;
        ClientOptions options;
        std::exception_ptr failure;
    };

    Exchange& seen(Probe probe) { return seen_.of(probe); }
    Running& running(Probe probe) { return running_[static_cast<std::size_t>(probe)]; }

    /// Determines the protocol that the server selects. If the certificate is not trusted, notes
    /// why, and switches verification off for the rest of the check.
    void look_at_tls() {
        TlsSeen tls;
        for (const bool verify : {client_.tls.verify, false}) {
            auto options = client_;
            options.tls.verify = verify;
            options.tls.offer_http2 = true;
            Connector::Listener listener;
            try {
                Connector connector(options, listener, interrupt_);
                Timing timing;
                const auto& url = options.request.url;
                const auto connection = connector.connect(url, connector.proxy_of(url), timing);
                tls.protocol = chosen_protocol(connection->tls());
                break;
            } catch (const Error& e) {
                if (e.code() != Errc::tls_verify || !verify) break; // the main request says why
                tls.problem = e.what();
                client_.tls.verify = false;
            } catch (const Interrupted&) {
                break;
            }
        }
        seen_.tls = std::move(tls);
    }

    void watch() {
        while (!interrupt_) {
            {
                const std::scoped_lock lock(notes_.mutex);
                const auto now = notes_.watch.now();
                if (plan_.is_over(now)) return;
                carry_out(plan_.next(now), now);
                progress_.connections = plan_.open_count();
                progress_.head = seen_.main().has_head();
            }
            const auto due = Interrupt::Clock::now() + tick;
            interrupt_.sleep_until(due);
            const std::chrono::duration<double> late = Interrupt::Clock::now() - due;
            seen_.late = std::max(seen_.late, late.count());
        }
    }

    /// With the mutex of notes_ held, as all that follows.
    void carry_out(const ProbeSteps& steps, Time now) {
        if (steps.trigger) send_trigger(now);
        if (steps.resumed_after) seen_.resumed_after = steps.resumed_after;
        for (const auto probe : steps.start) start(probe);
        if (steps.stop) running(*steps.stop).interrupt->raise(Interrupt::Reason::satisfied);
    }

    void send_trigger(Time now) {
        auto& all = seen_.triggered;
        tokens_.push_back(make_token());
        all.push_back({now, std::nullopt, ""});
        triggers_.emplace_back([this, token = tokens_.back(), index = all.size() - 1] {
            auto failure = options_.trigger(token);
            const std::scoped_lock lock(notes_.mutex);
            seen_.triggered[index].failure = std::move(failure);
        });
    }

    void start(Probe probe) {
        auto& each = running(probe);
        each.options = client_;
        each.interrupt = std::make_unique<Interrupt>();
        prepare(probe, each.options);
        if (const auto limit = own_limit(probe)) {
            const std::chrono::duration<double> own(*limit), all(options_.time);
            each.interrupt->expire_at(
                Interrupt::Clock::now() +
                std::chrono::duration_cast<Interrupt::Clock::duration>(std::min(own, all)));
        }
        auto* const tls = probe == Probe::main && seen_.tls ? &*seen_.tls : nullptr;
        each.thread = std::thread([this, probe, &each, tls] {
            auto failure = run_exchange(probe, each.options, stop_of(probe), notes_,
                                        *each.interrupt, seen(probe), tls);
            const std::scoped_lock lock(notes_.mutex);
            each.failure = std::move(failure);
        });
    }

    void prepare(Probe probe, ClientOptions& options) {
        auto& request = options.request;
        switch (probe) {
        case Probe::second:
            if (!notes_.cookies.empty()) request.set("Cookie", notes_.cookies);
            seen(probe).sent_cookie = !notes_.cookies.empty();
            break;
        case Probe::compressed: request.set("Accept-Encoding", "gzip"); break;
        case Probe::any_type: request.set("Accept", "*/*"); break;
        case Probe::head: request.method = "HEAD"; break;
        case Probe::resumed:
            request.set("Last-Event-ID", *seen_.main().events[*seen_.resumed_after].id);
            break;
        case Probe::again:
            for (const auto& event : seen_.main().events) {
                if (event.id) request.set("Last-Event-ID", *event.id);
            }
            break;
        case Probe::preflight:
            request.method = "OPTIONS";
            request.erase("Authorization");
            request.set("Access-Control-Request-Method", "GET");
            request.set("Access-Control-Request-Headers", "authorization, last-event-id");
            break;
        case Probe::direct: request.url = *options_.direct; break;
        case Probe::main: break;
        }
    }

    void end_all() {
        for (auto& each : running_) {
            if (each.interrupt) each.interrupt->raise(Interrupt::Reason::satisfied);
        }
        for (auto& each : running_) {
            if (each.thread.joinable()) each.thread.join();
        }
        for (auto& trigger : triggers_) trigger.join();
    }

    const GatherOptions& options_;
    ClientOptions client_;
    Interrupt& interrupt_;
    Progress& progress_;
    SharedNotes notes_;
    Observations seen_;
    ProbePlan plan_;
    std::array<Running, probe_count> running_;
    std::vector<std::string> tokens_; ///< of seen_.triggered
    std::vector<std::thread> triggers_;
};

} // namespace

Observations gather(const GatherOptions& options, Interrupt& interrupt, Progress& progress) {
    return Gatherer(options, interrupt, progress).run();
}

} // namespace sse::checks
