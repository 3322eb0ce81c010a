// The access log: one JSON object a connection, written at its end. Not a trace of requests: what
// is kept of a connection with many is their number and the last.
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

/// One connection, as the log has it. Lives on its loop.
struct AccessRecord {
    explicit AccessRecord(std::string peer);

    /// nullptr: to something that was no request.
    void answered(const Request* request, int status);
    void streamed(const Feed::StreamCounts& counts);

    std::chrono::system_clock::time_point began;
    std::chrono::steady_clock::time_point since; ///< the same moment, for how long it lasted
    std::string address;
    std::string method, path;  ///< of the last request; the path with its query, secrets masked
    std::string last_event_id; ///< that the client asked to go on after, cut to a bound
    std::string last_id;       ///< of the last event that it was sent
    std::uint64_t requests = 0, events = 0, missed = 0, bytes = 0;
    Faults faults;  ///< that it was given on purpose
    int status = 0; ///< 0: no answer
    End end = End::open;
    Refusal refusal = Refusal::none;
};

/// `visit` as one line of JSON with its LF, valid whatever bytes the client sent:
/// `{"time":"...","address":"...","method":"GET","path":"/","status":200,"seconds":1.5,
/// "requests":1,"events":2,"missed":0,"bytes":345,"last_event_id":null,"last_id":"7",
/// "end":"client closed","refusal":null}`. What there was none of is null. Behind it `"faults":
/// ["split"]`, if there were any. `now` ends it.
std::string access_line(const AccessRecord& record, std::chrono::steady_clock::time_point now);

struct AccessLogOptions {
    /// Bytes of lines that wait for a slow file. Beyond it lines are dropped, and counted: a log
    /// never holds up the streams.
    std::size_t max_waiting_bytes = 4 * 1024 * 1024;
};

/// Writes lines to a file, whole, on a thread of its own. Any thread may call it.
class AccessLog {
public:
    /// Told once when the file cannot be written, and once when it can be again; on the log's
    /// thread. The text is a line for a person.
    using OnTrouble = std::function<void(const std::string&)>;

    /// Appends to `path`; "-" is standard error. Throws std::system_error with the path.
    AccessLog(std::string path, OnTrouble on_trouble, AccessLogOptions options = {});
    /// Writes what waits.
    ~AccessLog();
    AccessLog(const AccessLog&) = delete;
    AccessLog& operator=(const AccessLog&) = delete;

    void add(const AccessRecord& record);
    void add_line(std::string_view line);
    /// Opens the file anew, under its name: for who has renamed it. What has been added before goes
    /// to the old file.
    void reopen();

private:
    void run();
    void write(std::string_view lines);
    void open_anew();
    void trouble(const std::string& text);

    const std::string path_;
    const OnTrouble on_trouble_;
    const AccessLogOptions options_;
    int fd_ = -1;
    std::string torn_; ///< the rest of a line whose beginning is in the file
    bool in_trouble_ = false;
    std::uint64_t lost_ = 0; ///< lines, since the file could be written

    std::mutex mutex_; ///< guards what follows
    std::condition_variable news_;
    std::string waiting_;
    std::uint64_t dropped_ = 0; ///< lines that did not fit
    bool reopen_ = false, ending_ = false;
    std::thread thread_; ///< last: it uses all of this
};

} // namespace sse
