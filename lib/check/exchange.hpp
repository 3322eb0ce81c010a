// One request of the check: makes it, and notes what comes back and when.
#pragma once

#include "base/interrupt.hpp"
#include "check/observation.hpp"
#include "client/client_options.hpp"

#include <chrono>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace sse::checks {

/// The clock of a check.
struct Stopwatch {
    Interrupt::Clock::time_point start = Interrupt::Clock::now();
    Time now() const {
        return std::chrono::duration<double>(Interrupt::Clock::now() - start).count();
    }
};

/// What the exchanges of a check share. They run on threads of their own.
struct SharedNotes {
    Stopwatch watch;
    std::mutex mutex;    ///< protects all exchanges, and what follows
    std::string cookies; ///< a Cookie field with those that `main` received
    /// Called with the mutex held, for each event of `main`.
    std::function<void(const SeenEvent&, std::string_view data)> on_event;
};

/// Where an exchange stops by itself.
enum class StopAt : std::uint8_t { end, head, first_event };

/// Makes one request and reads its response until its end, its stop, or the interrupt. Fills
/// `seen`, and `tls` unless it is nullptr, with the mutex of `notes` held; `seen.ending` is set
/// last, and other than Ending::none. Returns the Error that kept it from having a head, if there
/// was one; throws nothing else than std::bad_alloc.
std::exception_ptr run_exchange(Probe probe, const ClientOptions& options, StopAt stop,
                                SharedNotes& notes, Interrupt& interrupt, Exchange& seen,
                                TlsSeen* tls);

/// Posts `text` as text/plain to the URL of `options`. Returns why it was not accepted; "" if it
/// was.
std::string publish_text(const ClientOptions& options, const std::string& text,
                         Interrupt& interrupt);

} // namespace sse::checks
