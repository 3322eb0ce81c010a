// Where a playing is, as text for the line at the foot of a terminal.
#pragma once

#include "playback/playback.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace cmd {

/// How long recordings are as they are played, each looked at once. Any thread.
class PlaybackLengths {
public:
    explicit PlaybackLengths(sse::PlaybackOptions options)
        : options_(std::move(options)) {}
    /// Nullopt for those of which nobody knows it without reading them to their end.
    std::optional<std::chrono::microseconds> of(const std::string& file);

private:
    sse::PlaybackOptions options_;
    std::mutex mutex_;
    std::map<std::string, std::optional<std::chrono::microseconds>> known_;
};

/// `12s of 1m (20%), speed 2`: `t` of `length`, if that is known.
std::string position_text(std::chrono::microseconds t,
                          std::optional<std::chrono::microseconds> length,
                          const sse::PlaybackTiming& timing);

} // namespace cmd
