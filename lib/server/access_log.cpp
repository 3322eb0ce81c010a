#include "server/access_log.hpp"

#include "base/json_text.hpp"
#include "base/mask.hpp"
#include "base/output_file.hpp"
#include "base/percent.hpp"
#include "base/rfc3339.hpp"
#include "server/handler.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iterator>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace sse {

namespace {

/// Bytes kept of what a client sent; a longer one ends in `...`.
constexpr std::size_t max_path_bytes = 1024;
constexpr std::size_t max_id_bytes = 256;
constexpr std::size_t max_method_bytes = 32;

std::string cut(std::string_view text, std::size_t limit) {
    std::string out(text.substr(0, limit));
    if (text.size() > limit) out += "...";
    return out;
}

void text_member(std::string_view name, std::string_view value, std::string& out) {
    fmt::format_to(std::back_inserter(out), ",\"{}\":", name);
    if (value.empty()) out.append("null");
    else append_json_string(value, out);
}

void number_member(std::string_view name, std::uint64_t value, std::string& out) {
    fmt::format_to(std::back_inserter(out), ",\"{}\":{}", name, value);
}

} // namespace

AccessRecord::AccessRecord(std::string peer)
    : started(std::chrono::system_clock::now())
    , started_steady(std::chrono::steady_clock::now())
    , address(std::move(peer)) {}

void AccessRecord::responded(const Request* request, int response_status) {
    ++requests;
    status = response_status;
    if (!request) {
        method.clear();
        path.clear();
        return;
    }
    if (!request->peer.empty())
        address = request->peer; // behind a trusted proxy: not the peer of the socket
    method = cut(request->method, max_method_bytes);
    path = cut(mask_url(request->target), max_path_bytes);
    const auto header = request->head.find("Last-Event-ID");
    last_event_id = cut(
        header ? *header : query_value(request->query, "last_event_id").value_or(""), max_id_bytes);
}

void AccessRecord::streamed(const Feed::StreamCounts& counts) {
    events = counts.events;
    missed = counts.missed;
    if (counts.status != 0) status = counts.status;
    last_id = cut(counts.last_id, max_id_bytes);
    faults.insert(faults.end(), counts.faults.begin(), counts.faults.end());
}

std::string access_line(const AccessRecord& record, std::chrono::steady_clock::time_point now) {
    std::string out = "{\"time\":";
    append_json_string(rfc3339(record.started), out);
    text_member("address", record.address, out);
    text_member("method", record.method, out);
    text_member("path", record.path, out);
    if (record.status == 0) out.append(",\"status\":null");
    else number_member("status", static_cast<std::uint64_t>(record.status), out);
    out.append(",\"seconds\":");
    append_seconds(
        std::chrono::duration_cast<std::chrono::microseconds>(now - record.started_steady), out);
    number_member("requests", record.requests, out);
    number_member("events", record.events, out);
    number_member("missed", record.missed, out);
    number_member("bytes", record.bytes, out);
    text_member("last_event_id", record.last_event_id, out);
    text_member("last_id", record.last_id, out);
    text_member("end", name(record.end), out);
    text_member("refusal", record.refusal == Refusal::none ? "" : name(record.refusal), out);
    if (!record.faults.empty())
        fmt::format_to(std::back_inserter(out), ",\"faults\":[\"{}\"]",
                       fmt::join(record.faults, "\",\""));
    out.append("}\n");
    return out;
}

namespace {

int open_log(const std::string& path) { return open_output_file(path, Existing::appended, 0640); }

} // namespace

AccessLog::AccessLog(std::string path, OnWarning on_warning, AccessLogOptions options)
    : path_(std::move(path))
    , on_warning_(std::move(on_warning))
    , options_(std::move(options)) {
    fd_ = path_ == "-" ? ::dup(STDERR_FILENO) : open_log(path_);
    thread_ = std::thread([this] { run(); });
}

AccessLog::~AccessLog() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
    ::close(fd_);
}

void AccessLog::add(const AccessRecord& record) {
    add_line(access_line(record, std::chrono::steady_clock::now()));
}

void AccessLog::add_line(std::string_view line) {
    {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() + line.size() > options_.max_waiting_bytes) {
            ++dropped_;
            return;
        }
        waiting_.append(line);
    }
    changed_.notify_one();
}

void AccessLog::reopen() {
    {
        const std::lock_guard lock(mutex_);
        reopen_ = true;
    }
    changed_.notify_one();
}

void AccessLog::on_thread(std::function<void()> action) {
    {
        const std::lock_guard lock(mutex_);
        action_ = std::move(action);
    }
    changed_.notify_one();
}

void AccessLog::run() {
    for (;;) {
        std::string lines;
        bool reopen, ending;
        std::function<void()> action;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return !waiting_.empty() || reopen_ || ending_ || action_; });
            lines.swap(waiting_);
            lost_ += std::exchange(dropped_, 0);
            reopen = std::exchange(reopen_, false);
            ending = ending_;
            action = std::exchange(action_, {});
        }
        if (action) action();
        write(lines);
        if (reopen) open_again();
        if (ending) return;
    }
}

/// Writes `lines`. Those that cannot be written are lost, but never a part of one.
void AccessLog::write(std::string_view lines) {
    std::string all = std::exchange(torn_, {});
    const auto old = all.size();
    all.append(lines);
    std::string_view rest = all;
    while (!rest.empty()) {
        const auto wrote = ::write(fd_, rest.data(), rest.size());
        if (wrote >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(wrote));
            continue;
        }
        if (errno == EINTR) continue;
        const int error = errno;
        const auto at = all.size() - rest.size();
        const bool in_line = at == 0 ? old > 0 : all[at - 1] != '\n';
        if (in_line) torn_ = rest.substr(0, rest.find('\n') + 1);
        const auto whole = rest.substr(torn_.size());
        lost_ += static_cast<std::uint64_t>(std::count(whole.begin(), whole.end(), '\n'));
        return warn_once(std::strerror(error));
    }
    if (lost_ == 0) {
        failing_ = false;
        return;
    }
    if (lines.empty()) return;
    on_warning_(fmt::format("the access log {} is {}; {} connections are not in it", path_,
                            failing_ ? "written again" : "too slow", std::exchange(lost_, 0)));
    failing_ = false;
}

void AccessLog::open_again() {
    if (path_ == "-") return;
    try {
        const int fd = options_.reopen ? options_.reopen(path_) : open_log(path_);
        if (fd < 0) return warn_once(std::strerror(errno));
        ::close(std::exchange(fd_, fd));
        torn_.clear();
    } catch (const std::system_error& e) { // keep the old one
        warn_once(e.code().message());
    }
}

void AccessLog::warn_once(const std::string& why) {
    if (!std::exchange(failing_, true))
        on_warning_(fmt::format("cannot write the access log {}: {}", path_, why));
}

} // namespace sse
