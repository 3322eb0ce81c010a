// Which recording answers which request. Not the answer, and not the playing.
#pragma once

#include "recording/record_reader.hpp"
#include "server/handler.hpp"

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sse {

struct PlaybackRouteOptions {
    /// What follows the last of several recordings of one route: the last again, or the first.
    enum class Repeat { last, cycle };
    Repeat repeat = Repeat::last;
    /// Also compare the recorded body of the request: as JSON, if it is, the order of keys aside.
    bool match_body = false;
    /// Response every path, whatever was recorded: for a single recording.
    bool any_path = false;
};

/// A recording, and what its first line says of the request.
struct RoutedRecording {
    std::string file;
    RecordingHeader header;
    std::string method; ///< GET where none was recorded
    std::string path;   ///< percent-decoded; `/NAME` of the file where no URL was recorded
    std::string query;  ///< as it was; `***` in it stands for anything
    std::optional<std::string> body; ///< that was recorded, as it is compared
};

/// The recordings that are played, each under its recorded method and path. The query counts only
/// where recordings of one method and path differ in it. Those that suit a request alike are given
/// in turn, in the order of their names. Any thread.
class PlaybackRoutes {
public:
    /// Reads the first lines of `files`. Throws Error as open_recording() does.
    PlaybackRoutes(const std::vector<std::string>& files, PlaybackRouteOptions options,
                   const RecordingReaderOptions& reader);

    /// The recording for `request`. One that resumes gets the one that was given last, not the
    /// next. Without one (nullptr), `refusal` is the answer: 404 with what there is, or 405.
    const RoutedRecording* find(const Request& request, bool resumes, Response& refusal);
    const std::deque<RoutedRecording>& recordings() const { return recordings_; }

private:
    /// Recordings of one method and path; how many of each set of alike ones have been given.
    struct Group {
        std::string method, path;
        std::vector<const RoutedRecording*> recordings;
        std::vector<std::pair<std::vector<const RoutedRecording*>, std::size_t>> turns;
        bool differ_by_query = false;
    };
    const RoutedRecording* take_turn(Group& group, std::vector<const RoutedRecording*> alike,
                                     bool resumes);
    std::vector<const RoutedRecording*> suited(const Group& group, const Request& request) const;
    Response refuse(const Request& request) const;

    PlaybackRouteOptions options_;
    std::deque<RoutedRecording> recordings_; ///< stays where it is: groups point into it
    std::vector<Group> groups_;
    std::mutex mutex_; ///< of the turns
};

} // namespace sse
