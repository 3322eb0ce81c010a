// The access log: one JSON object for each connection, written at its end. Not a trace of requests:
// of a connection with many, their number and the last are kept.
#pragma once

#include "server/feed.hpp"
#include "server/server_counts.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace sse {

struct Request;

/// One connection, as it is logged. Used on its loop's thread only.
struct AccessRecord {
    explicit AccessRecord(std::string peer);

    /// nullptr: what was sent was not a request.
    void responded(const Request* request, int status);
    void streamed(const Feed::StreamCounts& counts);

    std::chrono::system_clock::time_point started;
    std::chrono::steady_clock::time_point
        started_steady; ///< the same moment, to measure its duration
    std::string address;
    std::string method, path;  ///< of the last request; the path with its query, secrets masked
    std::string last_event_id; ///< that the client asked to resume after, cut to a bound
    std::string last_id;       ///< of the last event that was sent
    std::uint64_t requests = 0, events = 0, missed = 0, bytes = 0;
    Faults faults;  ///< injected on purpose
    int status = 0; ///< 0: no response
    EndReason end = EndReason::none;
    Refusal refusal = Refusal::none;
};

/// `record` as one line of JSON with its LF, valid whatever bytes the client sent:
/// `{"time":"...","address":"...","method":"GET","path":"/","status":200,"seconds":1.5,
/// "requests":1,"events":2,"missed":0,"bytes":345,"last_event_id":null,"last_id":"7",
/// "end":"client closed","refusal":null}`. A value that does not exist is null.
/// `"faults":["split"]` follows, if there are any. `now` is the end of the connection.
std::string access_line(const AccessRecord& record, std::chrono::steady_clock::time_point now);

struct AccessLogOptions {
    /// Bytes of lines that wait for a slow file. Beyond it lines are dropped and counted: a log
    /// never delays the streams.
    std::size_t max_waiting_bytes = 4 * 1024 * 1024;
    /// Opens the file again by its name: a descriptor, or -1 with errno. Empty: as at first.
    std::function<int(const std::string&)> reopen{};
};

/// Writes whole lines to a file, on a thread of its own. Any thread may call it.
class AccessLog {
public:
    /// Called on the log's thread with a line of text: once when the file cannot be written, and
    /// once when it can be again.
    using OnWarning = std::function<void(const std::string&)>;

    /// Appends to `path`; "-" is standard error. Throws std::system_error with the path.
    AccessLog(std::string path, OnWarning on_warning, AccessLogOptions options);
    AccessLog(std::string path, OnWarning on_warning)
        : AccessLog(std::move(path), std::move(on_warning), AccessLogOptions{}) {}
    /// Writes the lines that wait.
    ~AccessLog();
    AccessLog(const AccessLog&) = delete;
    AccessLog& operator=(const AccessLog&) = delete;

    void add(const AccessRecord& record);
    void add_line(std::string_view line);
    /// Opens the file again by its name, after it was renamed. Lines added before go to the old
    /// file.
    void reopen();
    /// Calls `action` once on the log's thread.
    void on_thread(std::function<void()> action);

private:
    void run();
    void write(std::string_view lines);
    void open_again();
    void warn_once(const std::string& why);

    const std::string path_;
    const OnWarning on_warning_;
    const AccessLogOptions options_;
    int fd_ = -1;
    std::string torn_; ///< the rest of a line whose beginning is in the file
    bool failing_ = false;
    std::uint64_t lost_ = 0; ///< lines, since the file could last be written

    std::mutex mutex_; ///< guards what follows
    std::condition_variable changed_;
    std::string waiting_;
    std::uint64_t dropped_ = 0; ///< lines that did not fit
    bool reopen_ = false, ending_ = false;
    std::function<void()> action_;
    std::thread thread_; ///< last: it uses all of this
};

} // namespace sse
