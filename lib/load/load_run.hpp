// Opens thousands of event streams on one thread, reads them, and measures. Not a client that
// follows a stream: it ignores reconnection times and passes no events on.
#pragma once

#include "base/counter.hpp"
#include "base/interrupt.hpp"
#include "base/random.hpp"
#include "http/response_parser.hpp"
#include "load/event_ledger.hpp"
#include "load/id_order.hpp"
#include "load/load_options.hpp"
#include "load/load_result.hpp"
#include "load/load_subscriber.hpp"
#include "load/load_targets.hpp"
#include "net/ready_set.hpp"
#include "protocol/parser.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <queue>
#include <span>
#include <string_view>
#include <vector>

namespace sse {

/// Counters that other threads may read during the run.
struct LoadProgress {
    Counter started, open, failed, deliveries, events;
    Counter measuring; ///< 1 once the warm-up has passed
};

/// One run. Used on one thread, but for progress().
class LoadRun : ResponseParser::Sink, Parser::Sink {
public:
    using Clock = Interrupt::Clock;

    /// `interrupt` must outlive it. Throws Error (invalid_argument) for options that cannot be
    /// used.
    LoadRun(LoadOptions options, Interrupt& interrupt);
    ~LoadRun() override;

    /// Resolves the names. Throws Error (resolve, timeout), Interrupted.
    void resolve() { targets_.resolve(interrupt_); }
    /// An address that is not loopback, after resolve(); "" if there is none.
    std::string foreign_address() const { return targets_.foreign_address(); }
    /// After resolve(). Returns once the time is over, all streams have ended, or the interrupt is
    /// raised. Throws std::system_error.
    void run();
    /// After run().
    const LoadResult& result() const { return result_; }
    const LoadProgress& progress() const { return progress_; }

private:
    using State = LoadSubscriber::State;
    struct Timer {
        Clock::time_point at;
        std::uint32_t subscriber;
        bool operator<(const Timer& other) const { return at > other.at; } ///< the first is on top
    };
    /// The subscribers of one request, which receive the same events.
    struct Group {
        std::unique_ptr<EventLedger> ledger;
        bool has_ids = false; ///< some of its events have IDs, so those without are not counted
        IdOrder order;
    };
    struct Delivery {
        std::size_t slot;
        EventPlace place; ///< 0: not in the ledger, or not for the first time
        bool is_new;
    };

    std::unique_ptr<EventLedger> make_ledger();
    void forget_events(Group& group);
    bool is_over(Clock::time_point now);
    void start_due(Clock::time_point now);
    std::chrono::nanoseconds time_to_wait(Clock::time_point now) const;
    void wait_and_serve();
    std::span<const ReadySet::Ready> wait();
    void begin_measuring();
    void end_run();
    void check_timeouts(Clock::time_point now);
    bool is_slow(std::uint32_t number) const { return number < options_.stalled + options_.slow; }
    Clock::time_point next_cut() const;
    std::string last_id_of(const LoadSubscriber& subscriber) const;
    void on_open(std::uint32_t number, Clock::time_point arrived);
    void cut_due(Clock::time_point now);
    void cut(std::uint32_t number);
    void storm(Clock::time_point now);
    void end_interval(Clock::time_point now);
    void read_slowly(std::uint32_t number);

    void start(std::uint32_t number);
    void on_ready(std::uint32_t number);
    void on_connected(std::uint32_t number);
    void handshake(std::uint32_t number);
    void send_request(std::uint32_t number);
    void read(std::uint32_t number);
    void read_tls(std::uint32_t number);
    void take(std::uint32_t number, std::string_view bytes, Clock::time_point arrived);
    void feed_blocks(std::string_view blocks);
    void take_deliveries(Clock::time_point arrived, bool later_bytes);
    void on_closed(std::uint32_t number, int error);
    void finish_stream(std::uint32_t number);
    void refuse(std::uint32_t number);
    void fail(std::uint32_t number, const std::string& why);
    void close(std::uint32_t number, State state);
    Clock::time_point steady(std::chrono::nanoseconds system) const;
    void on_event_done(const LedgerEvent& event);

    void on_interim(const Head&) override {}
    void on_head(const Head& head, int status, const ResponseFraming& framing) override;
    void on_body_piece(std::string_view bytes) override;
    void on_response_end(std::string_view) override { body_ended_ = true; }
    void on_event(const EventView& event) override;
    void on_id(std::string_view) override { last_was_event_ = false; }
    void on_comment(std::string_view) override { last_was_event_ = false; }

    const LoadOptions options_;
    Interrupt& interrupt_;
    LoadTargets targets_;
    LoadResult result_;
    LoadProgress progress_;
    std::vector<LoadSubscriber> subscribers_;
    std::vector<Group> groups_;         ///< one for each request
    std::priority_queue<Timer> timers_; ///< connections and reads that are due
    std::unique_ptr<TlsContext> tls_;
    ReadySet ready_;
    std::vector<char> buffer_;
    Parser parser_; ///< of all streams: each is given whole blocks only

    // Of the bytes being read.
    std::uint32_t current_ = 0; ///< the subscriber
    bool body_ended_ = false;
    bool last_was_event_ = false; ///< the last thing parsed; false for a comment
    std::string refusal_;         ///< why a response is no stream
    bool busy_ = false;           ///< it may be one later
    std::optional<std::chrono::milliseconds> retry_after_;
    std::vector<Delivery> deliveries_;

    // Of the current interval.
    Histogram interval_delays_;
    LoadInterval interval_;

    Clock::time_point started_, all_started_;
    std::optional<Clock::time_point> measured_from_, measured_to_;
    Clock::time_point checked_; ///< timeouts
    /// Everything that arrived before this time has been read: no socket was ready then.
    Clock::time_point bound_;
    std::optional<std::chrono::nanoseconds> run_delay_; ///< at the last poll
    std::chrono::nanoseconds clock_offset_;             ///< system clock minus steady clock
    Clock::time_point interval_began_;
    std::optional<Clock::time_point> stormed_at_;
    std::uint64_t cuts_ = 0; ///< of LoadOptions::leave_rate
    SeededRandom random_{1}; ///< selects the subscribers to disconnect
    bool keeps_ids_ = false; ///< last IDs are stored, because subscribers may resume
    std::size_t next_start_ = 0;
    std::size_t unfinished_ = 0; ///< subscribers that are not done
    bool caught_up_ = true;      ///< neither this read nor the one before left bytes in the socket
    double cpu_at_start_ = 0;
    std::uint64_t bytes_ = 0, bytes_at_start_ = 0, untimed_ = 0;
};

} // namespace sse
