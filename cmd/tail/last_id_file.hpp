// The last event IDs of streams in a file, so that tail can go on where it was ended or killed.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace cmd {

/// A file of JSON objects, one a line: `{"url":"...","last_event_id":"..."}`. One thread at a time.
class LastIdFile {
public:
    /// Reads `path`; that it is not there is a state with nothing in it. Throws sse::Error
    /// (bad_input) if it is no such file, and std::system_error.
    explicit LastIdFile(std::string path);

    /// "" for none.
    std::string last_event_id(const std::string& url) const;
    /// "" forgets it.
    void set(const std::string& url, std::string_view id);
    /// Writes it if something has changed: beside the file and then in its place, so that whoever
    /// reads it, and whenever this is killed, it is whole. Throws std::system_error.
    void save();

private:
    std::string path_;
    std::map<std::string, std::string> ids_;
    bool changed_ = false;
};

} // namespace cmd
