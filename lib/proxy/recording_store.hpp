// The directory that a proxy records into. Gives the recordings readable names, which are the same
// in each run. Does not write them (ExchangeRecorder does).
#pragma once

#include "base/json_select.hpp"
#include "server/body_budget.hpp"

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

struct RecordingStoreOptions {
    std::string directory;
    /// True: the first recording of a request removes its recordings from earlier runs. False: it
    /// is numbered after them.
    bool replace = true;
    /// Values in JSON bodies, of requests and of responses, that are recorded as `***`.
    JsonPointers masked;
    /// Record secrets in header fields and URLs as `***`.
    bool mask = true;
    /// Maximum size in bytes of a request body that is recorded. It is part of the first line of a
    /// recording, and readers refuse lines over 64 MiB. Prompts with images have a few MiB.
    std::size_t max_body_bytes = 16 * 1024 * 1024;
    /// Maximum size of the bodies of all requests together that have not been recorded yet.
    std::size_t max_pending_body_bytes = 64 * 1024 * 1024;
};

/// Any thread.
class RecordingStore {
public:
    /// Creates the directory if it does not exist, with its parents. Throws std::system_error with
    /// its name.
    explicit RecordingStore(RecordingStoreOptions options);

    /// The path for the next recording of the requests with this recording_name(),
    /// `DIR/NAME-NUMBER.jsonl`. Reserves the number.
    std::string next_path(const std::string& name);
    const RecordingStoreOptions& options() const { return options_; }
    /// Memory of the bodies that wait to be recorded.
    BodyBudget& bodies() { return bodies_; }
    /// The recordings that existed at the start and can be played, in order.
    const std::vector<std::string>& earlier() const { return earlier_; }

private:
    const RecordingStoreOptions options_;
    BodyBudget bodies_;
    std::vector<std::string> earlier_;
    std::mutex mutex_; ///< guards what follows
    struct Names {
        unsigned last = 0;                ///< highest number
        std::vector<std::string> earlier; ///< files of other runs
    };
    std::map<std::string, Names, std::less<>> names_; ///< by name without the number
};

/// `METHOD-PATH-HASH`, of letters, digits, `.`, `_` and `-`. The hash is that of query and body,
/// and is omitted if both are empty. JSON bodies with equal values, and multipart bodies that
/// differ only in their boundary, have the same hash.
std::string recording_name(std::string_view method, std::string_view target, std::string_view body);

} // namespace sse
