// The position of a playback, as text for the status line of a terminal.
#pragma once

#include "playback/playback.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace cmd {

/// Durations of playbacks, measured once for each recording. Any thread.
class PlaybackLengths {
public:
    explicit PlaybackLengths(sse::PlaybackOptions options)
        : options_(std::move(options)) {}
    /// nullopt if the duration is unknown without reading the whole recording.
    std::optional<std::chrono::microseconds> length_of(const std::string& file);

private:
    sse::PlaybackOptions options_;
    std::mutex mutex_;
    std::map<std::string, std::optional<std::chrono::microseconds>> known_;
};

/// Text such as `12s of 1m (20%), speed 2`; without the length if that is unknown.
std::string position_text(std::chrono::microseconds t,
                          std::optional<std::chrono::microseconds> length,
                          const sse::PlaybackTiming& timing);

} // namespace cmd
