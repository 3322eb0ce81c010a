// Decides which last event IDs go into the state file of --state: those of delivered events. An
// event is delivered once its text is written and its command, if there is one, has ended.
#pragma once

#include "cmd/tail/last_id_file.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cmd {

/// Events are delivered in the order of the calls of add(); an ID is saved after all before it. So
/// a crash repeats events, but loses none. Any thread.
class DeliveredIds {
public:
    /// `on_failure` is called if the file cannot be written after a command has ended.
    DeliveredIds(LastIdFile file, std::function<void()> on_failure)
        : file_(std::move(file))
        , on_failure_(std::move(on_failure)) {}

    std::string last_event_id(const std::string& url) const;
    /// Returns the number of the stream for add().
    std::size_t add_stream(std::string url);
    /// The last event ID of `stream` is `id` once `bytes` bytes of output are written and
    /// `commands` commands have ended. Neither is less than in the call before.
    void add(std::size_t stream, std::string_view id, std::uint64_t bytes, std::uint64_t commands);
    /// The first `bytes` bytes of the output are written. Saves the IDs that this completes. Throws
    /// std::system_error, also for an earlier failure in on_ended().
    void on_written(std::uint64_t bytes);
    /// The first `commands` commands have ended. Saves the IDs that this completes.
    void on_ended(std::uint64_t commands) noexcept;

private:
    struct Pending {
        std::size_t stream;
        std::string id;
        std::uint64_t bytes, commands;
    };
    void save();

    mutable std::mutex mutex_;
    LastIdFile file_;
    std::function<void()> on_failure_;
    std::vector<std::string> urls_;
    std::deque<Pending> pending_; ///< at most one for each unit in the output buffer or command
    std::uint64_t written_ = 0, ended_ = 0;
    std::exception_ptr failure_;
};

} // namespace cmd
