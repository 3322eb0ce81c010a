// `--tee`: the input, copied to standard output as it comes.
#pragma once

#include "cmd/cli/output.hpp"
#include "cmd/cli/shutdown_grace.hpp"

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace cmd {

/// One descriptor that any number of inputs write to, from any thread. write() waits for a slow
/// reader, as tee(1) does. When the reader closes its end or a write fails, the copy stops with a
/// message and the inputs continue.
class Tee {
public:
    explicit Tee(int fd);

    void write(std::string_view bytes);
    /// From now on write() waits for nobody.
    void stop() { stop_.stop(); }

private:
    ShutdownGrace stop_{std::chrono::milliseconds(0)};
    std::mutex mutex_; ///< guards the members below
    Output output_;
    bool ended_ = false;
};

/// What one input copies. Beside others it copies whole lines, so that lines are never mixed.
class TeeInput {
public:
    /// `end` ends a line; a line of over `max_bytes` is copied in pieces.
    TeeInput(Tee& tee, bool beside_others, char end, std::size_t max_bytes)
        : tee_(tee)
        , beside_others_(beside_others)
        , end_(end)
        , max_bytes_(max_bytes) {}

    void write(std::string_view bytes);
    /// The text is over: a last line without its end is given one if others may follow.
    void finish();

private:
    Tee& tee_;
    bool beside_others_;
    char end_;
    std::size_t max_bytes_;
    std::string rest_;
};

} // namespace cmd
