#include "load/arrival_clock.hpp"

#include "base/run_delay.hpp"

#include <algorithm>
#include <utility>

namespace sse {

ArrivalClock::ArrivalClock(std::function<bool()> was_stopped)
    : was_stopped_(std::move(was_stopped))
    , bound_(Clock::now()) {}

void ArrivalClock::woke(bool ready) {
    const auto delay = run_delay();
    const auto before = std::exchange(run_delay_, delay);
    const bool stopped = was_stopped_ && was_stopped_();
    if (delay && before && !stopped && ready)
        bound_ = std::max(bound_, Clock::now() - (*delay - *before));
}

void ArrivalClock::adjust(Clock::time_point now) {
    offset_ = std::chrono::system_clock::now().time_since_epoch() - now.time_since_epoch();
}

ArrivalClock::Clock::time_point ArrivalClock::arrival(std::chrono::nanoseconds arrived,
                                                      Clock::time_point now) const {
    return arrived.count() == 0 ? now : std::min(now, steady(arrived));
}

} // namespace sse
