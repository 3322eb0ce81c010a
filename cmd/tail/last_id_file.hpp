// The state file of sse tail: the last event ID of each URL, to resume there on the next run.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace cmd {

/// A file of JSON objects, one per line: `{"url":"...","last_event_id":"..."}`. One thread at a
/// time.
class LastIdFile {
public:
    /// Reads `path`; a file that does not exist is an empty one. Throws sse::Error (bad_input) if
    /// it is not a state file, and std::system_error if it cannot be read.
    explicit LastIdFile(std::string path);

    /// "" if there is none.
    std::string last_event_id(const std::string& url) const;
    /// An `id` of "" removes the entry.
    void set(const std::string& url, std::string_view id);
    /// Replaces the file if something has changed (see sse::replace_file). Throws
    /// std::system_error.
    void save();

private:
    std::string path_;
    std::map<std::string, std::string> ids_;
    bool changed_ = false;
};

} // namespace cmd
