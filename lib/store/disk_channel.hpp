// One channel of a DiskLog, as its Channel sees it.
#pragma once

#include "hub/log.hpp"
#include "store/segments.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace sse {

class DiskLog;

/// Any thread.
class DiskChannel final : public ChannelLog, public std::enable_shared_from_this<DiskChannel> {
public:
    /// `log` must outlive the calls of the members below; the channel may outlive the log.
    DiskChannel(DiskLog& log, StoredChannel& stored, std::weak_ptr<LogSink> sink)
        : log_(log)
        , stored_(stored)
        , sink_(std::move(sink)) {}

    bool append(Draft& draft) override;
    void read(std::uint64_t from, std::function<void(std::shared_ptr<History>)> done) override;
    void locate(std::string id, std::function<void(LogPosition)> done) override;
    std::uint64_t begin() const override;

    StoredChannel& stored() const { return stored_; }
    /// The sink, which keeps the channel in use while a draft of it is being written.
    std::shared_ptr<LogSink> sink() const { return sink_.lock(); }
    /// Passes on `tail`, then the batches delivered since; later batches are passed on immediately.
    void open(LogTail tail);
    /// Opens it without a tail.
    void open_empty() { opened_ = true; }
    /// The writer has written `batch`.
    void deliver(const std::shared_ptr<const Batch>& batch, std::size_t drafted);

private:
    DiskLog& log_;
    StoredChannel& stored_;
    const std::weak_ptr<LogSink> sink_;
    std::mutex mutex_; ///< guards what follows
    bool opened_ = false;
    std::vector<std::pair<std::shared_ptr<const Batch>, std::size_t>> held_; ///< until it is opened
};

} // namespace sse
