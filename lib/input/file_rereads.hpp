// Reads input files again for clients whose last event ID the history no longer holds.
#pragma once

#include "base/descriptor.hpp"
#include "base/open_file.hpp"
#include "hub/shard.hpp"
#include "input/decoder.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace sse {

struct FileRereadsOptions {
    /// Regular files in the order in which they were read. Others count as empty.
    std::vector<std::string> files;
    /// Opens one of `files`; empty: open_for_reading().
    OpenFile open;
    /// Standard input, where it is one of `files` ("-"), and where its reading began.
    std::shared_ptr<const Descriptor> standard_input = nullptr;
    off_t standard_input_begin = 0;
    /// The formats in which events have IDs of their own: json or sse.
    InputFormat format = InputFormat::sse;
    DecoderOptions decoder;
    /// Those that have larger IDs, or ones that no header can hold, are skipped as at first.
    std::size_t max_id_bytes = ChannelOptions{}.max_id_bytes;
    /// The files may still grow: an incomplete last event is not sent.
    bool grows = false;
    /// Readings at a time, each with a thread.
    std::size_t max_readings = 4;
    /// Bytes of the events that wait for the client of one reading.
    std::size_t max_waiting_bytes = 512 * 1024;
    /// Bytes of consecutive events without an ID; a reading ends before more of them.
    std::size_t max_bytes_without_id = std::size_t{4} * 1024 * 1024;
    std::size_t read_bytes = std::size_t{64} * 1024;
};

/// What the thread of one reading and its client share.
class FileReadingState;

/// One reading, for one client: the events behind that with the client's last event ID. Its
/// destructor stops the thread, and does not wait for it. Used on one thread.
class FileReading {
public:
    explicit FileReading(std::shared_ptr<FileReadingState> state);
    ~FileReading();
    FileReading(const FileReading&) = delete;
    FileReading& operator=(const FileReading&) = delete;

    /// Whole events, the last of which has an ID.
    struct Piece {
        std::string text;
        struct Id {
            std::string id;
            std::size_t end;      ///< offset in `text` behind the event
            std::uint64_t events; ///< of `text` up to there
        };
        std::vector<Id> ids;
    };
    /// The next events; nullopt if there are none yet, or finished().
    std::optional<Piece> take();
    /// The files were read to their ends, and everything has been taken.
    bool finished() const;

private:
    std::shared_ptr<FileReadingState> state_;
};

/// Owns the threads of all readings. Thread-safe.
class FileRereads {
public:
    explicit FileRereads(FileRereadsOptions options);
    /// Stops all readings and waits for their threads.
    ~FileRereads();
    FileRereads(const FileRereads&) = delete;
    FileRereads& operator=(const FileRereads&) = delete;

    /// Starts to look for `last_event_id`. `wake` is called on another thread whenever there is
    /// something to take, and at the end; not after the reading was destroyed. nullptr if too many
    /// readings are running.
    std::unique_ptr<FileReading> start(std::string last_event_id, std::function<void()> wake);
    /// The paths that are opened for a reading.
    std::vector<std::string> files() const;

private:
    const FileRereadsOptions options_;
    std::mutex mutex_; ///< guards what follows
    std::condition_variable ended_;
    std::vector<std::shared_ptr<FileReadingState>> running_;
};

} // namespace sse
