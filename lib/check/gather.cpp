#include "check/gather.hpp"

#include "base/error.hpp"
#include "check/exchange.hpp"
#include "check/measures.hpp"
#include "client/connector.hpp"
#include "net/client_tls.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <fmt/format.h>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace sse::checks {

namespace {

// Seconds since the start.
constexpr Time second_at = 2, compressed_at = 0.2, any_type_at = 0.3, head_at = 0.4;
/// Interval of checking the observations.
constexpr std::chrono::milliseconds tick{25};
/// Number of IDs to wait for before resuming is tried, so that one with several successors can be
/// chosen.
constexpr std::size_t ids_for_resume = 5;
/// Share of the time after which fewer IDs are enough.
constexpr double resume_share = 0.6;
/// The minimum time for which a stream is watched.
constexpr Time least_watch = 3;
/// How long a response that is not an event stream is read.
constexpr Time failed_watch = 1.5;
/// Time within which an event that one connection has received must arrive on the others.
constexpr Time catch_up = 1.5;
/// An event of --trigger is waited for during this time.
constexpr Time trigger_wait = 5;
constexpr std::size_t trigger_count = 2;
constexpr Time trigger_pause = 1.5;

/// The time limit of each exchange; nullopt: that of the whole check.
std::optional<Time> own_limit(Probe probe) {
    switch (probe) {
    case Probe::second: return 4.5;
    case Probe::head:
    case Probe::preflight: return 2;
    case Probe::resumed:
    case Probe::again: return 4;
    default: return std::nullopt;
    }
}

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

std::string make_token() {
    std::random_device device;
    return fmt::format("sse-check-{:08x}{:08x}", device(), device());
}

class Gatherer {
public:
    Gatherer(const GatherOptions& options, Interrupt& interrupt, Progress& progress)
        : options_(options)
        , client_(options.client)
        , interrupt_(interrupt)
        , progress_(progress)
        , time_(std::chrono::duration<double>(options.time).count()) {
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
        bool started = false;
    };

    Exchange& seen(Probe probe) { return seen_.of(probe); }
    Running& running(Probe probe) { return running_[static_cast<std::size_t>(probe)]; }
    bool started(Probe probe) { return running(probe).started; }
    bool ended(Probe probe) { return seen(probe).ending != Ending::none; }
    bool is_open(Probe probe) { return started(probe) && !ended(probe); }

    std::size_t open_count() {
        return static_cast<std::size_t>(
            std::count_if(running_.begin(), running_.end(), [&](const Running& each) {
                return each.started && !ended(static_cast<Probe>(&each - running_.data()));
            }));
    }

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
                if (!started(Probe::main)) start(Probe::main);
                if (is_over(now)) return;
                start_what_is_due(now);
                progress_.connections = open_count();
                progress_.head = seen_.main().has_head();
            }
            const auto due = Interrupt::Clock::now() + tick;
            interrupt_.sleep_until(due);
            const std::chrono::duration<double> late = Interrupt::Clock::now() - due;
            seen_.late = std::max(seen_.late, late.count());
        }
    }

    void start(Probe probe) {
        auto& each = running(probe);
        each.started = true;
        each.options = client_;
        each.interrupt = std::make_unique<Interrupt>();
        prepare(probe, each.options);
        if (const auto limit = own_limit(probe)) {
            each.interrupt->expire_at(Interrupt::Clock::now() +
                                      std::chrono::duration_cast<Interrupt::Clock::duration>(
                                          std::chrono::duration<double>(std::min(*limit, time_))));
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

    /// The index of the event whose ID `resumed` will send; nullopt until one has successors.
    std::optional<std::size_t> place_to_resume(Time now) {
        const auto& main = seen_.main();
        std::vector<std::size_t> places;
        std::set<std::string> known;
        for (std::size_t i = 0; i < main.events.size(); ++i) {
            const auto& id = main.events[i].id;
            if (id && !id->empty() && known.insert(*id).second) places.push_back(i);
        }
        if (places.size() >= ids_for_resume) return places[1];
        const bool hurry =
            now >= resume_share * time_ || ended(Probe::main) || has_been_triggered(now);
        if (places.size() >= 2 && hurry) return places[0];
        return std::nullopt;
    }

    void start_what_is_due(Time now) {
        start_triggers(now);
        if (options_.direct && !started(Probe::direct)) start(Probe::direct);
        const auto& main = seen_.main();
        if (seen_.single || (main.has_head() && !main.is_stream())) return;
        const auto try_start = [&](Probe probe, bool due) {
            if (!due || started(probe)) return;
            if (open_count() >= options_.max_connections && !make_room(probe, now)) return;
            start(probe);
        };
        const bool silent = !main.has_head() && now > 1;
        if (options_.max_connections > 1 && !ended(Probe::main))
            try_start(Probe::second, main.has_head() || now >= second_at);
        if (!seen_.origin.empty()) try_start(Probe::preflight, now >= head_at);
        if (!seen_.resumed_after) seen_.resumed_after = place_to_resume(now);
        if (started(Probe::second) || ended(Probe::main) || silent) {
            try_start(Probe::compressed, now >= compressed_at);
            try_start(Probe::head, silent);
            try_start(Probe::any_type, now >= any_type_at);
        }
        try_start(Probe::head, now >= head_at);
        try_start(Probe::resumed, seen_.resumed_after.has_value());
        const bool clean = main.ending == Ending::complete || main.ending == Ending::closed;
        try_start(Probe::again, clean);
    }

    /// Ends another exchange that has seen enough, so that the short exchange `probe` can be made.
    /// Returns false.
    bool make_room(Probe probe, Time now) {
        if (!own_limit(probe)) return false;
        for (const auto each : {Probe::any_type, Probe::compressed}) {
            if (!is_open(each)) continue;
            // Before that, it cannot show that events are missing.
            const auto head = seen(each).head.value_or(seen(each).started);
            if (now - head < least_watch && !seen_.main().events.empty() &&
                !has_caught_up(each, now))
                continue;
            running(each).interrupt->raise(Interrupt::Reason::satisfied);
            return false; // there is room once it has ended
        }
        return false;
    }

    /// True if `probe` has received the events of `main`, except those that are too recent.
    bool has_caught_up(Probe probe, Time now) {
        const auto& main = seen_.main();
        const auto& other = seen(probe);
        if (other.events.empty()) return false;
        const auto common = matches(main, other);
        if (common.empty()) return other.events.size() >= 2;
        const auto last = common.back().first;
        for (std::size_t i = last + 1; i < main.events.size(); ++i) {
            if (main.events[i].at < now - catch_up) return false;
        }
        return common.size() >= 2;
    }

    void start_triggers(Time now) {
        if (!options_.trigger || !seen_.main().has_head()) return;
        auto& all = seen_.triggered;
        if (all.size() == trigger_count || is_waiting_for_trigger(now)) return;
        if (now < *seen_.main().head + 1) return;
        if (!all.empty() && now < all.back().sent + trigger_pause) return;
        all.reserve(trigger_count);
        tokens_.push_back(make_token());
        all.push_back({now, std::nullopt, ""});
        triggers_.emplace_back([this, token = tokens_.back(), index = all.size() - 1] {
            auto failure = options_.trigger(token);
            const std::scoped_lock lock(notes_.mutex);
            seen_.triggered[index].failure = std::move(failure);
        });
    }

    /// True if all triggered events have arrived or failed, so that their delay is known.
    bool has_been_triggered(Time now) const {
        return seen_.triggered.size() == trigger_count && !is_waiting_for_trigger(now) &&
               !seen_.long_watch;
    }

    bool is_waiting_for_trigger(Time now) const {
        if (seen_.triggered.empty()) return false;
        const auto& last = seen_.triggered.back();
        return !last.arrived && last.failure.empty() && now < last.sent + trigger_wait;
    }

    bool is_over(Time now) {
        const auto& main = seen_.main();
        if (main.ending == Ending::failed) return true;
        if (is_waiting_for_trigger(now) && !ended(Probe::main)) return false;
        if (now >= time_) return true;
        if (options_.trigger && seen_.triggered.size() < trigger_count && !ended(Probe::main))
            return false;
        if (main.has_head() && !main.is_stream())
            return ended(Probe::main) || now > *main.head + failed_watch;
        if (ended(Probe::main)) return others_are_done(now);
        return (is_smooth(now) || has_been_triggered(now)) && others_are_done(now);
    }

    /// True if every exchange that can be started has ended or has seen enough.
    bool others_are_done(Time now) {
        if (seen_.single) return !options_.direct || ended(Probe::direct) || !ended(Probe::main);
        const auto& main = seen_.main();
        if (!ended(Probe::main) && !started(Probe::second) && options_.max_connections > 1)
            return false;
        for (const auto probe :
             {Probe::second, Probe::head, Probe::resumed, Probe::again, Probe::preflight}) {
            if (is_open(probe)) return false;
        }
        if (!started(Probe::head)) return false;
        if (seen_.resumed_after && !started(Probe::resumed)) return false;
        if (!seen_.resumed_after && has_ids() && !ended(Probe::main)) return false;
        if ((main.ending == Ending::complete || main.ending == Ending::closed) &&
            !started(Probe::again))
            return false;
        for (const auto probe : {Probe::compressed, Probe::any_type}) {
            if (!started(probe)) return false;
            if (is_open(probe) && !main.events.empty() && !has_caught_up(probe, now)) return false;
        }
        return true;
    }

    bool has_ids() const {
        const auto& events = seen_.main().events;
        return std::any_of(events.begin(), events.end(),
                           [](const SeenEvent& event) { return event.id && !event.id->empty(); });
    }

    /// True if events arrive one at a time, so that watching for longer would show nothing more.
    bool is_smooth(Time now) {
        const auto& main = seen_.main();
        if (!main.has_head() || seen_.long_watch) return false;
        if (now < *main.head + least_watch || main.events.size() < 5) return false;
        const auto bursts = bursts_of(main);
        std::size_t with_events = 0;
        for (std::size_t i = 0; i < bursts.size(); ++i) {
            with_events += bursts[i].events > 0;
            if (i > 0 && bursts[i].events >= 3 && silence_before(main, bursts, i) >= 0.5)
                return false;
            if (bursts[i].inside_event) return false;
        }
        return with_events >= 4 && main.latency() < 1;
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
    Time time_;
    SharedNotes notes_;
    Observations seen_;
    std::array<Running, probe_count> running_;
    std::vector<std::string> tokens_; ///< of seen_.triggered
    std::vector<std::thread> triggers_;
};

} // namespace

Observations gather(const GatherOptions& options, Interrupt& interrupt, Progress& progress) {
    return Gatherer(options, interrupt, progress).run();
}

} // namespace sse::checks
