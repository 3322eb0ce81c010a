// `--tee`: copies the input to standard output as it arrives.
#pragma once

#include "cmd/cli/output.hpp"
#include "cmd/cli/shutdown_grace.hpp"

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace cmd {

/// A descriptor that any number of inputs write to, from any thread. write() blocks until the
/// reader accepts the bytes, as tee(1) does. When the reader is gone or the disk is full, copying
/// stops with a warning, and the inputs continue.
class Tee {
public:
    explicit Tee(int fd);

    void write(std::string_view bytes);
    /// Makes a blocked write() return, and every later one at once. Any thread.
    void stop() { stop_.stop(); }

private:
    ShutdownGrace stop_{std::chrono::milliseconds(0)};
    std::mutex mutex_; ///< guards the members below
    Output output_;
    bool ended_ = false;
};

/// The copy of one input. Next to other inputs it copies whole lines, so that lines never mix.
class TeeInput {
public:
    /// `end` terminates a line; a line longer than `max_bytes` is copied in pieces.
    TeeInput(Tee& tee, bool beside_others, char end, std::size_t max_bytes)
        : tee_(tee)
        , beside_others_(beside_others)
        , end_(end)
        , max_bytes_(max_bytes) {}

    void write(std::string_view bytes);
    /// At the end of the input: terminates an unfinished last line, because others may follow.
    void finish();

private:
    Tee& tee_;
    bool beside_others_;
    char end_;
    std::size_t max_bytes_;
    std::string rest_;
};

} // namespace cmd
