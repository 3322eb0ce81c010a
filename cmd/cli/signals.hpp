// Orderly shutdown on SIGINT, SIGTERM and SIGHUP: the signals raise an Interrupt, and the command
// then ends by itself.
#pragma once

#include "base/interrupt.hpp"

namespace cmd {

/// During its lifetime the first of these signals raises the interrupt, and a second one ends the
/// process immediately. A signal that was ignored at the start stays ignored. At most one object
/// exists at a time.
class Signals {
public:
    explicit Signals(sse::Interrupt& interrupt);
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    /// The first signal received; 0 if there was none.
    int caught() const;
};

} // namespace cmd
