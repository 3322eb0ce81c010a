// A load run: thousands of event streams on one thread, and when each of them is opened and cut.
// LoadConnections opens and reads them, LoadMeasurement measures. Not a client that follows a
// stream: it ignores reconnection times and passes no events on.
#pragma once

#include "base/interrupt.hpp"
#include "base/random.hpp"
#include "load/arrival_clock.hpp"
#include "load/load_connections.hpp"
#include "load/load_measurement.hpp"
#include "load/load_options.hpp"
#include "load/load_progress.hpp"
#include "load/load_result.hpp"
#include "load/load_subscriber.hpp"
#include "load/load_targets.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sse {

/// One run. Used on one thread, but for progress().
class LoadRun {
public:
    using Clock = Interrupt::Clock;

    /// `interrupt` must outlive it. Throws Error (invalid_argument) for options that cannot be
    /// used.
    /// `progress`: counts there, and must be all zero; nullptr: in this object.
    LoadRun(LoadOptions options, Interrupt& interrupt, LoadProgress* progress = nullptr);
    LoadRun(const LoadRun&) = delete;
    LoadRun& operator=(const LoadRun&) = delete;

    /// Resolves the names. Throws Error (resolve, timeout), Interrupted.
    void resolve() { targets_.resolve(interrupt_); }
    /// An address that is not loopback, after resolve(); "" if there is none.
    std::string foreign_address() const { return targets_.foreign_address(); }
    /// After resolve(). Returns once the time is over, all streams have ended, or the interrupt is
    /// raised. Throws std::system_error.
    void run();
    /// After run().
    const LoadResult& result() const { return result_; }
    /// After run(), if it is one of several.
    LoadShare share() { return measurement_.share(); }
    const LoadProgress& progress() const { return progress_; }

private:
    bool is_over(Clock::time_point now);
    void begin_measuring();
    void start_due(Clock::time_point now);
    Clock::time_point next_due(Clock::time_point now) const;
    Clock::time_point next_cut() const;
    void cut_due(Clock::time_point now);
    void storm(Clock::time_point now);

    const LoadOptions options_;
    Interrupt& interrupt_;
    LoadTargets targets_;
    LoadResult result_;
    LoadProgress own_progress_;
    LoadProgress& progress_;
    std::vector<LoadSubscriber> subscribers_;
    ArrivalClock clock_;
    LoadMeasurement measurement_;
    LoadConnections connections_;

    Clock::time_point started_;
    std::optional<Clock::time_point> all_started_;
    std::size_t next_start_ = 0; ///< the subscriber that is started next
    bool has_stormed_ = false;
    std::uint64_t cuts_ = 0; ///< of LoadOptions::leave_rate
    SeededRandom random_{1}; ///< selects the subscribers to disconnect
};

} // namespace sse
