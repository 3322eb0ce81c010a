// One request of the check: makes it, and records the response with its times.
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
    Time at(Interrupt::Clock::time_point time) const {
        return std::chrono::duration<double>(time - start).count();
    }
    Time now() const { return at(Interrupt::Clock::now()); }
};

/// The state that the exchanges of a check share. Each exchange runs on its own thread.
struct SharedNotes {
    Stopwatch watch;
    std::mutex mutex;    ///< guards all exchanges, and the members below
    std::string cookies; ///< the value of a Cookie field with the cookies that `main` received
    /// Called with the mutex held, for each event of `main`.
    std::function<void(const SeenEvent&, std::string_view data)> on_event;
};

/// When an exchange stops by itself.
enum class StopAt : std::uint8_t { end, head, first_event };

/// Makes one request, and reads its response until it ends, until `stop`, or until the interrupt.
/// Fills `seen`, and `tls` unless it is nullptr, with the mutex of `notes` held; sets `seen.ending`
/// last, to a value other than Ending::none. Returns the Error because of which no response head
/// arrived, if there was one. Throws only std::bad_alloc.
std::exception_ptr run_exchange(Probe probe, const ClientOptions& options, StopAt stop,
                                SharedNotes& notes, Interrupt& interrupt, Exchange& seen,
                                TlsSeen* tls);

/// Posts `text` as text/plain to the URL of `options`. Returns why the server did not accept it; ""
/// if it did.
std::string publish_text(const ClientOptions& options, const std::string& text,
                         Interrupt& interrupt);

} // namespace sse::checks
