// The recordings named on a command line, as files that can be opened repeatedly, regardless of
// their format. Does not play them.
#pragma once

#include "cmd/replay/spool.hpp"
#include "playback/playback.hpp"
#include "recording/writer.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cmd {

/// Files, files of directories, pipes, standard input as `-`, each stream of a HAR file, and each
/// channel of a store. Owns
/// the temporary copies. One thread.
class Recordings {
public:
    /// How pipes are read, which cannot be opened again.
    enum class Pipes {
        streamed, ///< directly; open() may be called once
        kept,     ///< from a temporary copy
    };

    /// `follow`: the recording is still being written. Throws sse::Error if a recording cannot be
    /// read, Failure.
    Recordings(const std::vector<std::string>& named, Pipes use, bool follow);

    /// Paths in the order of the command line; `-` for a streamed pipe.
    const std::vector<std::string>& files() const { return files_; }
    /// Name of files()[i] in messages.
    const std::string& name(std::size_t i) const { return names_[i]; }
    /// True if there are temporary copies, which other users cannot open.
    bool has_copies() const { return !spools_.empty(); }
    /// True if recordings are selected by their recorded request; false for a single one.
    bool routed() const { return routed_; }
    /// Sets the options for reading them.
    void configure(sse::RecordingReaderOptions& options) const;
    /// Opens files()[i]; a streamed pipe only once.
    std::unique_ptr<sse::RecordReader> open(std::size_t i, sse::RecordingReaderOptions options);

private:
    void add(const std::string& path, const std::string& name);
    void add_streams(sse::RecordingInput& input, bool vcr);
    void add_directory(const std::string& directory);
    void add_store(const std::string& directory);
    std::unique_ptr<sse::RecordingWriter> spool(std::string name, sse::RecordingHeader header);

    std::vector<std::string> files_, names_;
    std::map<std::string, std::string>
        other_names_; ///< names of files_ that differ from their path
    std::deque<Spool> spools_;
    std::map<std::size_t, std::unique_ptr<sse::RecordingInput>>
        streamed_; ///< pipes not yet opened, by index
    std::shared_ptr<const std::atomic<bool>> growing_;
    Pipes use_;
    bool follow_, routed_, has_stdin_ = false;
};

/// Call after a playback. Warns about an unreadable end of the recording, and if `options` left
/// nothing to play. `name` is the name of the recording in messages.
void warn_about(const sse::Playback& playback, const sse::PlaybackOptions& options,
                const std::string& name);

} // namespace cmd
