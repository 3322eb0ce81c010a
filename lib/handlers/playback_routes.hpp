// Selects the recording for a request. Does not build the response.
#pragma once

#include "recording/comparable_body.hpp"
#include "recording/record_reader.hpp"
#include "server/handler.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sse {

struct PlaybackRouteOptions {
    /// After the last of several recordings of one route: repeat the last, or start again.
    enum class Repeat { last, cycle };
    Repeat repeat = Repeat::last;
    /// Also compare the request body with the recorded one. JSON is compared by value.
    bool match_body = false;
    /// Values in JSON bodies that are not compared.
    JsonPointers ignored;
    /// Serve every path, regardless of the recorded one; for a single recording.
    bool any_path = false;
};

/// A recording, and the request in its first line.
struct RoutedRecording {
    std::string file;
    RecordingHeader header;
    std::string method; ///< GET if none was recorded
    std::string path;   ///< percent-decoded; `/NAME` of the file if no URL was recorded
    std::string query;  ///< as recorded; a masked value `***` matches any value
    std::optional<ComparableBody> body; ///< of the recorded request, if it was recorded
};

/// The recordings by recorded method and path. The query is compared only if recordings of one
/// method and path differ in it, or for an exact recording, whose body is compared as well.
/// Recordings that match a request equally well are selected in turn, in the order of their files.
/// Any thread.
class PlaybackRoutes {
public:
    /// Reads the first lines of `files`. Throws Error as open_recording() does.
    PlaybackRoutes(const std::vector<std::string>& files, PlaybackRouteOptions options,
                   const RecordingReaderOptions& reader);

    /// The recording for `request`. A request that resumes gets the recording selected last instead
    /// of the next one. nullptr if there is none; `refusal` is then the response: 404 with a list
    /// of the recordings, or 405.
    /// A GET request that resumes also finds recordings of other methods at its path; if there are
    /// several, the first for which `holds_id` is true, or else the one selected last.
    using HoldsId = std::function<bool(const RoutedRecording&)>;
    const RoutedRecording* find(const Request& request, bool resumes, Response& refusal,
                                const HoldsId& holds_id = {});
    /// find() has a recording for `request`, which does not resume; none is selected.
    bool has(const Request& request) const;
    /// The refusal of a request whose path or method no recording has; nullopt if one has both.
    std::optional<Response> refuse_head(const Request& head) const;
    const std::deque<RoutedRecording>& recordings() const { return recordings_; }

private:
    /// Recordings of one method and path. `turns` counts the selections of each set of recordings
    /// that match a request equally well.
    struct Group {
        std::string method, path;
        std::vector<const RoutedRecording*> recordings;
        std::vector<std::pair<std::vector<const RoutedRecording*>, std::size_t>> turns;
        bool differ_by_query = false;
        const RoutedRecording* newest = nullptr; ///< selected last
    };
    const RoutedRecording* select_next(Group& group, std::vector<const RoutedRecording*> matching,
                                       bool resumes);
    bool matches(const Group& group, const Request& request) const;
    std::vector<const RoutedRecording*> matching(const Group& group, const Request& request) const;
    std::vector<const RoutedRecording*> of_other_methods(const Request& request);
    /// Its query and body are compared; not for a single recording that every path is given.
    bool is_exact(const RoutedRecording& it) const { return it.header.exact && !options_.any_path; }
    bool compares_body(const RoutedRecording& it) const;
    Response refuse(const Request& request) const;
    std::string describe_nearest(const Group& group, const Request& request) const;

    PlaybackRouteOptions options_;
    BodyMatch bodies_;
    std::deque<RoutedRecording> recordings_; ///< a deque, since groups point into it
    std::vector<Group> groups_;
    std::mutex mutex_; ///< guards Group::turns and newest
};

} // namespace sse
