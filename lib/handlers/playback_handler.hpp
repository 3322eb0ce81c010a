// Answers requests with the playing of recordings. Not the choice of the recording
// (PlaybackRoutes), nor the playing itself (PlaybackFeed).
#pragma once

#include "handlers/channel_feed.hpp"
#include "handlers/playback_feed.hpp"
#include "handlers/playback_routes.hpp"
#include "hub/channels.hpp"
#include "hub/counts.hpp"
#include "playback/faults.hpp"
#include "playback/shared_playback.hpp"
#include "server/handler.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace sse {

struct PlaybackHandlerOptions {
    PlaybackOptions playback;
    PlaybackRouteOptions routes;
    PlaybackFaults faults;
    /// Header fields for every stream, instead of recorded ones of the same name.
    std::vector<std::pair<std::string, std::string>> headers;
    /// How long an answer may be kept by the search for where the playing begins. A longer search
    /// goes on behind the head, which then cannot say `Sse-Gap`.
    std::chrono::milliseconds search_time{20};
};

/// Plays each client its recording, from the start or after the client's Last-Event-ID, with the
/// recorded status, content type and headers. HEAD gets the head alone. An id that is the last of
/// the recording gets 204, which tells an EventSource to stop. Any thread.
class PlaybackHandler : public Handler, public CountsSource {
public:
    /// Reads the first lines of `files`, which can be opened again and again. Throws Error as
    /// open_recording() does.
    PlaybackHandler(const std::vector<std::string>& files, PlaybackHandlerOptions options,
                    PlaybackReports reports = {});

    Response respond(const Request& request, std::size_t loop) override;
    void tick(std::size_t loop) override;

    /// One clock for all: `channels`, which must outlive it, gets one for each recording. The clock
    /// of a recording begins with its first client; others join where it is. Before it answers.
    void share(Channels& channels);

    /// Events that were sent: unless the clock is shared, each client has its own.
    ChannelCounts counts() const override;
    /// What `show_position` makes of where the newest playing is: its `t`, and its file.
    std::string position() const override;
    /// Set before it answers; without it, playings keep no account of where they are.
    std::function<std::string(std::chrono::microseconds t, const std::string& file)> show_position;

private:
    Response head(const RecordingHeader& header) const;
    void stop(Response& response) const;
    void play(const std::string& file, const std::string& id, Framing framing, Response& response);

    /// A recording on the clock of all.
    struct Shared {
        std::shared_ptr<Channel> channel;
        std::unique_ptr<SharedPlayback> playback;
    };
    void join(const Request& request, const std::string& file, const std::string& id,
              std::size_t loop, Response& response);

    PlaybackHandlerOptions options_;
    PlaybackReports reports_;
    PlaybackRoutes routes_;
    std::map<std::string, IdIndex> indexes_; ///< of the files that are large
    const Channels* channels_ = nullptr;     ///< if the clock is shared
    std::map<std::string, Shared> shared_;
    ChannelFeed::OnStreamEnd on_stream_end_;
    std::atomic<std::uint64_t> requests_{0}, sent_{0};

    mutable std::mutex mutex_;                         ///< guards what follows
    std::shared_ptr<std::atomic<std::int64_t>> shown_; ///< `t` of the newest playing, in us
    std::string shown_file_;
};

} // namespace sse
