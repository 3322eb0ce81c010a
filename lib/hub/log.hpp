// What keeps the events of channels beyond memory: the interface below Channel. Not the history,
// which is what a loop holds in memory. Without a log, a channel lives and ends with its process.
#pragma once

#include "hub/batch.hpp"
#include "hub/counts.hpp"
#include "hub/history.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// Events that are lost have numbers as well. A hole of so many numbers, or more, is one of events
/// whose number is not known.
constexpr std::uint64_t unknown_loss = std::uint64_t{1} << 32;

/// What became of a draft.
struct Receipt {
    bool stored = false;    ///< false: `error` says why; it may come later all the same
    std::string error;      ///< a lowercase line without a full stop
    bool duplicate = false; ///< its key was seen before: these are the ids of that time
    std::string ids;        ///< of its events, each followed by LF
};

/// Events to be appended, all of them or none.
struct Draft {
    std::unique_ptr<Batch> batch;
    /// Stored with the events: where their source is read on after a restart. `source` names it.
    std::string source, place;
    /// A draft with the key of another one, not long before, is a copy of it; "": none.
    std::string key;
    /// Called once, on any thread, when the draft is as safe as the log makes it, or has failed. A
    /// draft without it is kept until it can be written; one with it fails if the log does.
    std::function<void(const Receipt&)> done;
};

/// The newest part of a channel in a log, to begin its history with.
struct LogTail {
    std::uint64_t next = 0; ///< the sequence number of the first event after it
    EventId last;           ///< the greatest generated id
    std::vector<std::shared_ptr<const Batch>> batches; ///< ending before `next`
};

/// Where an id stands in a channel.
struct LogPosition {
    /// The sequence number of the event to go on with; nullopt: the id is unknown, and does not
    /// tell its place.
    std::optional<std::uint64_t> next;
    bool gap = true; ///< the event with the id is not held, nor those that followed it
};

/// What a channel hears of its log. Called on any thread of the log, one call at a time, and never
/// with a lock of the log held.
class LogSink {
public:
    virtual ~LogSink() = default;
    /// The first call, unless Log::open() returned it: what the log held when it was opened.
    virtual void opened(LogTail tail) = 0;
    /// The next events, in order; those with the numbers between are lost. They can be read from
    /// then on. `drafted`: bytes() of the batch when it was appended; 0: not by this channel.
    virtual void arrived(std::shared_ptr<const Batch> batch, std::size_t drafted) = 0;
    /// A draft of so many bytes failed: it does not arrive.
    virtual void dropped(std::size_t bytes) = 0;
    /// append() may be tried again.
    virtual void writable() = 0;
};

/// One channel in a log. Members may be called on any thread, and none blocks.
class ChannelLog {
public:
    virtual ~ChannelLog() = default;
    /// Takes `draft`; it then arrives or is dropped. False, with `draft` unchanged, if there is no
    /// room, or the log cannot write now: LogSink::writable() follows.
    virtual bool append(Draft& draft) = 0;
    /// Reads the events from `from` on, about a page of them, or the first that are left after it.
    /// `done` is called once, on any thread; end() of an empty history is where memory goes on.
    virtual void read(std::uint64_t from, std::function<void(std::shared_ptr<History>)> done) = 0;
    /// Looks for the event with `id`, the last that a client received.
    virtual void locate(std::string id, std::function<void(LogPosition)> done) = 0;
    /// The sequence number of the oldest event it holds.
    virtual std::uint64_t begin() const = 0;
};

/// Any thread.
class Log {
public:
    virtual ~Log() = default;
    struct Opened {
        std::shared_ptr<ChannelLog> channel;
        std::optional<LogTail> tail; ///< if it is known at once; else LogSink::opened() follows
    };
    /// `sink` hears of the channel for as long as it exists. `bounds` are those of the tail.
    virtual Opened open(std::string_view name, const HistoryOptions& bounds,
                        std::weak_ptr<LogSink> sink) = 0;
    virtual LogCounts counts() const = 0;
};

} // namespace sse
