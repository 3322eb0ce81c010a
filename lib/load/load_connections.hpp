// The connections of the subscribers of a load run: opened, asked for a stream, read and closed. It
// does not decide when a stream is opened first, or is cut (LoadRun).
#pragma once

#include "base/interrupt.hpp"
#include "http/response_parser.hpp"
#include "load/arrival_clock.hpp"
#include "load/load_measurement.hpp"
#include "load/load_options.hpp"
#include "load/load_progress.hpp"
#include "load/load_result.hpp"
#include "load/load_subscriber.hpp"
#include "load/load_targets.hpp"
#include "net/ready_set.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// Used on the thread of its run. What fails on a connection is counted; members throw
/// std::system_error if the sockets cannot be waited for.
class LoadConnections : ResponseParser::Sink {
public:
    using Clock = Interrupt::Clock;

    /// All must outlive it. It fills the figures of `result` that count connections. Throws
    /// Error (invalid_argument) for files of TLS that cannot be used.
    LoadConnections(const LoadOptions& options, LoadTargets& targets, ArrivalClock& clock,
                    LoadMeasurement& measurement, std::vector<LoadSubscriber>& subscribers,
                    LoadResult& result, LoadProgress& progress);
    ~LoadConnections() override;

    /// Connects subscriber number `number`, which has no connection.
    void start(std::uint32_t number);
    /// Closes its stream. It does not receive events that are on their way, unless it resumes.
    void cut(std::uint32_t number);
    /// The same, and opens it again with the next run_timers().
    void cut_by_storm(std::uint32_t number, Clock::time_point now);

    /// Starts those that are to be tried again, and reads from those that are slow on purpose.
    void run_timers(Clock::time_point now);
    /// Waits until a socket is ready, a timer is due or `until`, and does what can be done then.
    void wait_and_serve(Clock::time_point until);
    /// Gives up connections that take too long; looks once a second.
    void check_timeouts(Clock::time_point now);
    /// All subscribers that are not slow on purpose are done, and there are some.
    bool all_ended() const;

private:
    using State = LoadSubscriber::State;
    struct Timer {
        Clock::time_point at;
        std::uint32_t subscriber;
        bool operator<(const Timer& other) const { return at > other.at; } ///< the first is on top
    };

    std::span<const ReadySet::Ready> wait(Clock::time_point until);
    std::string last_id_of(std::uint32_t number) const;
    void on_ready(std::uint32_t number);
    void on_connected(std::uint32_t number);
    void handshake(std::uint32_t number);
    void send_request(std::uint32_t number);
    void read(std::uint32_t number);
    void read_tls(std::uint32_t number);
    void take(std::uint32_t number, std::string_view bytes, Clock::time_point arrived);
    void feed_blocks(std::string_view blocks);
    ReadArrival arrival(Clock::time_point at, bool whole) const;
    void on_open(std::uint32_t number, Clock::time_point arrived);
    void read_slowly(std::uint32_t number);
    void on_closed(std::uint32_t number, int error);
    void finish_stream(std::uint32_t number);
    void refuse(std::uint32_t number);
    void fail(std::uint32_t number, const std::string& why);
    void close(std::uint32_t number, State state);

    void on_interim(const Head&) override {}
    void on_head(const Head& head, int status, const ResponseFraming& framing) override;
    void on_body_piece(std::string_view bytes) override;
    void on_response_end(std::string_view) override { body_ended_ = true; }

    const LoadOptions& options_;
    LoadTargets& targets_;
    ArrivalClock& clock_;
    LoadMeasurement& measurement_;
    std::vector<LoadSubscriber>& subscribers_;
    LoadResult& result_;
    LoadProgress& progress_;
    std::priority_queue<Timer> timers_; ///< connections and reads that are due
    std::unique_ptr<TlsContext> tls_;
    ReadySet ready_;
    std::vector<char> buffer_;

    // Of the bytes being read.
    std::uint32_t current_ = 0; ///< the subscriber
    bool body_ended_ = false;
    std::string refusal_; ///< why a response is no stream
    bool busy_ = false;   ///< it may be one later
    std::optional<std::chrono::milliseconds> retry_after_;

    bool caught_up_ = true; ///< neither this read nor the one before left bytes in the socket
    Clock::time_point checked_ = Clock::now(); ///< timeouts
    Clock::time_point stormed_at_;
    std::size_t unfinished_; ///< subscribers that are not done, but for those that are slow
};

} // namespace sse
