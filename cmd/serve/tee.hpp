// `--tee`: the input, copied to standard output as it comes.
#pragma once

#include "base/wake_pipe.hpp"

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace cmd {

/// One descriptor that any number of inputs write to, from any thread. It waits for its reader, as
/// tee does; when the reader has gone, or the disk is full, the copy ends with a warning, and what
/// it copies goes on.
class Tee {
public:
    explicit Tee(int fd);

    void write(std::string_view bytes);
    /// Lets write() return, from now on at once.
    void stop() { stopped_.set(); }

private:
    void write_all(std::string_view bytes);

    int fd_;
    std::size_t at_once_; ///< bytes that a write takes without blocking, once there is room
    std::mutex mutex_;    ///< guards what follows
    bool ended_ = false;
    sse::WakePipe stopped_;
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
