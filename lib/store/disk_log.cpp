#include "store/disk_log.hpp"

#include <utility>

namespace sse {

DiskLog::DiskLog(std::unique_ptr<StoreFiles> files, StoreOptions options)
    : options_(std::move(options))
    , files_(std::move(files))
    , segments_(*files_, options_)
    , reading_(segments_, options_.page_bytes)
    , health_(options_)
    , syncer_(segments_, health_, options_, [this] { writer_.wake_refused(); })
    , writer_(segments_, syncer_, health_, options_,
              [this](const std::shared_ptr<DiskChannel>& channel, StoredKey key,
                     std::function<void(const Receipt&)> done) {
                  read([channel, key, done = std::move(done)](StoreReading& store) {
                      done({true, {}, true, store.ids_of(channel->stored(), key)});
                  });
              })
    , reader_(reading_) {}

void DiskLog::start() {
    syncer_.start();
    writer_.start();
    reader_.start();
}

void DiskLog::stop() {
    reader_.stop();
    writer_.stop();
    syncer_.stop();
}

Log::Opened DiskLog::open(std::string_view name, const HistoryOptions& bounds,
                          std::weak_ptr<LogSink> sink) {
    auto& stored = segments_.channel(name);
    auto channel = std::make_shared<DiskChannel>(*this, stored, std::move(sink));
    const auto end = segments_.end(stored);
    if (segments_.begin(stored) == end.next) {
        channel->open_empty();
        return {std::move(channel), LogTail{end.next, end.last, {}}};
    }
    read([channel, end, bounds](StoreReading& store) {
        channel->open(store.tail(channel->stored(), end, bounds));
    });
    return {std::move(channel), std::nullopt};
}

LogCounts DiskLog::counts() const {
    const auto size = segments_.size();
    LogCounts out;
    out.error = health_.error();
    out.queued_bytes = writer_.queued_bytes();
    out.bytes = size.bytes;
    out.segments = size.segments;
    out.events = size.events;
    out.oldest_ms = size.oldest;
    out.syncs = syncer_.syncs();
    out.last_sync_seconds = std::chrono::duration<double>(syncer_.last_sync_took()).count();
    out.damaged = segments_.damaged();
    out.duplicates = writer_.copies();
    return out;
}

} // namespace sse
