// Responds to requests with playbacks of recordings. PlaybackRoutes chooses the recording, and
// PlaybackFeed sends it.
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
    /// Header fields of every response; they replace recorded fields of the same name.
    std::vector<std::pair<std::string, std::string>> headers;
    /// How long a response may be delayed by the search for the start of the playback. A longer
    /// search continues after the head is sent, which then cannot contain `Sse-Gap`.
    std::chrono::milliseconds search_time{20};
};

/// Plays a recording to each client, from its start or after the client's Last-Event-ID, with the
/// recorded status, content type and header fields. A HEAD request receives the head only. The
/// response is 204, which makes an EventSource stop, if nothing follows the ID. Any thread.
class PlaybackHandler : public Handler, public CountsSource {
public:
    /// Reads the first lines of `files`, which must be openable any number of times. Throws Error
    /// as open_recording() does.
    PlaybackHandler(const std::vector<std::string>& files, PlaybackHandlerOptions options,
                    PlaybackReports reports = {});

    std::optional<Response> refuse(const Request& head) override;
    Response respond(const Request& request, std::size_t loop) override;
    /// There is a recording for `request`; see PlaybackRoutes.
    bool has(const Request& request) const { return routes_.has(request); }
    void tick(std::size_t loop) override;

    /// Plays each recording once for all clients: opens a channel in `channels` for each, which
    /// must outlive the handler. The playback starts with its first client; later clients join it
    /// in progress. Call before the first request.
    void share(Channels& channels);

    /// Number of events sent to clients.
    ChannelCounts counts() const override;
    /// Text of `show_position` for the newest playback.
    std::string position() const override;
    /// Formats a position. Set before the first request; without it, positions are not recorded.
    std::function<std::string(std::chrono::microseconds t, const std::string& file)> show_position;

private:
    Response head(const RecordingHeader& header) const;
    void respond_complete(Response& response) const;
    void play(const std::string& file, const std::string& id, Framing framing, Response& response);

    /// A recording that is played to all clients at once.
    struct Shared {
        std::shared_ptr<Channel> channel;
        std::unique_ptr<SharedPlayback> playback;
    };
    void join_shared(const Request& request, const std::string& file, const std::string& id,
                     std::size_t loop, Response& response);

    PlaybackHandlerOptions options_;
    PlaybackReports reports_;
    PlaybackRoutes routes_;
    std::map<std::string, IdIndex> indexes_; ///< of large recordings, by file
    const Channels* channels_ = nullptr;     ///< null: each client has its own playback
    std::map<std::string, Shared> shared_;
    ChannelFeed::OnStreamEnd on_stream_end_;
    std::atomic<std::uint64_t> requests_{0}, sent_{0};

    mutable std::mutex mutex_;                                   ///< guards the members below
    std::shared_ptr<std::atomic<std::int64_t>> newest_position_; ///< microseconds
    std::string newest_file_;
};

} // namespace sse
