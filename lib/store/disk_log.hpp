// A log in the files of one directory: sse-store(7).
#pragma once

#include "hub/log.hpp"
#include "store/files.hpp"
#include "store/segments.hpp"
#include "store/store_health.hpp"
#include "store/store_options.hpp"
#include "store/store_reader.hpp"
#include "store/store_syncer.hpp"
#include "store/store_writer.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// Owns the store, and three threads between start() and stop(): one writes, one syncs, one reads.
/// An event is delivered once it is written, and its publisher is answered once it is synced.
/// Members may be called on any thread, unless they say otherwise.
class DiskLog : public Log {
public:
    /// Throws as Segments does.
    DiskLog(std::unique_ptr<StoreFiles> files, StoreOptions options);
    ~DiskLog() override { stop(); }

    /// The repairs that were made when it was opened, one line each.
    const std::vector<std::string>& notes() const { return segments_.notes(); }
    /// One thread calls start(), then stop(). Channels may be opened before start(); they then wait
    /// for it.
    void start();
    /// Writes and syncs the drafts that were appended, and ends the threads.
    void stop();

    Opened open(std::string_view name, const HistoryOptions& bounds,
                std::weak_ptr<LogSink> sink) override;

    LogCounts counts() const override;

    /// The position from which to continue reading `source`; nullopt: from its start.
    std::optional<std::string> place(const std::string& source) const {
        return segments_.place(source);
    }
    const StoreHealth& health() const { return health_; }
    const Segments& segments() const { return segments_; }
    const StoreSyncer& syncer() const { return syncer_; }
    const StoreWriter& writer() const { return writer_; }

    // For the channels.
    bool append(std::shared_ptr<DiskChannel> channel, Draft& draft) {
        return writer_.append(std::move(channel), draft);
    }
    void read(StoreReader::Task task) { reader_.read(std::move(task)); }

private:
    const StoreOptions options_;
    const std::unique_ptr<StoreFiles> files_;
    Segments segments_;
    StoreReading reading_;
    StoreHealth health_;
    StoreSyncer syncer_;
    StoreWriter writer_;
    StoreReader reader_;
};

} // namespace sse
