// The recordings that a command line names, as files that can be opened again and again, whatever
// form they come in. Plays nothing.
#pragma once

#include "cmd/replay/spool.hpp"
#include "playback/playback.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cmd {

/// Files, those of directories, pipes, standard input for `-`, and each stream of a HAR file.
class Recordings {
public:
    /// What is done with a pipe, which can be read only once.
    enum class Pipes {
        streamed, ///< may be opened once, and is read as it comes
        kept,     ///< copied to a file first
    };

    /// `follow`: they are still being written. Throws sse::Error for what cannot be read, Failure.
    Recordings(const std::vector<std::string>& named, Pipes use, bool follow);

    /// In the order in which they were named; `-` for a pipe that is streamed.
    const std::vector<std::string>& files() const { return files_; }
    /// What people call files()[i].
    const std::string& name(std::size_t i) const { return names_[i]; }
    /// Some are files of this process's own, which no other user may open.
    bool copied() const { return !spools_.empty(); }
    /// Several, which are told apart by what was recorded of the request.
    bool routed() const { return routed_; }
    /// Sets what is to be known of them to read them.
    void tell(sse::RecordingReaderOptions& options) const;
    /// Opens files()[i]; a pipe that is streamed only once.
    std::unique_ptr<sse::RecordReader> open(std::size_t i, sse::RecordingReaderOptions options);

private:
    void add(const std::string& path, const std::string& name);
    void add_streams(sse::RecordingInput& har);

    std::vector<std::string> files_, names_;
    std::map<std::string, std::string> other_names_; ///< of files_, where they differ
    std::deque<Spool> spools_;
    std::map<std::size_t, std::unique_ptr<sse::RecordingInput>> streamed_; ///< and not yet opened
    std::shared_ptr<const std::atomic<bool>> growing_;
    Pipes use_;
    bool follow_, routed_, has_stdin_ = false;
};

/// Warns, once it has been played, of what could not be read at its end, and where nothing of it
/// was played since `options` leave nothing. `name`: what people call it.
void warn_about(const sse::Playback& playback, const sse::PlaybackOptions& options,
                const std::string& name);

} // namespace cmd
