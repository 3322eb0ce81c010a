// Answers requests with the playing of a recording. Not the playing itself: PlaybackFeed.
#pragma once

#include "http/handler.hpp"
#include "http/playback_feed.hpp"

#include <string>
#include <utility>
#include <vector>

namespace sse {

struct PlaybackHandlerOptions {
    PlaybackOptions playback;
    /// Header fields for every stream, instead of recorded ones of the same name.
    std::vector<std::pair<std::string, std::string>> headers;
    /// How long an answer may be kept by the search for a client's id. A longer search goes on
    /// behind the head, which then cannot say `Sse-Gap`.
    std::chrono::milliseconds search_time{20};
};

/// Plays one recording to every client, on whatever path it asks, each from its own start or after
/// its own Last-Event-ID. GET and the recorded method are answered with the recorded status,
/// content type and headers; HEAD with the head alone; 405 for the rest. An id that is the last of
/// the recording gets 204, which tells an EventSource to stop. Any thread.
class PlaybackHandler : public Handler {
public:
    /// Reads the first line of `path`, a file that can be opened again and again. Throws Error as
    /// RecordingReader does.
    PlaybackHandler(std::string path, PlaybackHandlerOptions options, PlaybackReports reports = {});

    Answer answer(const Request& request, std::size_t loop) override;
    const RecordingHeader& header() const { return header_; }

private:
    Answer head() const;
    void play(const Request& request, Answer& answer) const;

    std::string path_;
    PlaybackHandlerOptions options_;
    PlaybackReports reports_;
    RecordingHeader header_;
};

} // namespace sse
