// SIGINT, SIGTERM and SIGHUP as an orderly end: they raise an Interrupt, and the command sees to
// the rest.
#pragma once

#include "base/interrupt.hpp"

namespace cmd {

/// While it lives, the signals raise `interrupt`; a second one ends the process at once. One at a
/// time.
class Signals {
public:
    explicit Signals(sse::Interrupt& interrupt);
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    /// The signal that came first; 0 for none.
    int caught() const;
};

} // namespace cmd
