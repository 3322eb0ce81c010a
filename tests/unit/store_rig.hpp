// A store in a directory of a test, and a disk that fails where the test says.
#pragma once

#include "hub/batch.hpp"
#include "store/disk_log.hpp"
#include "unit/catch2.hpp"
#include "unit/temporary_directory.hpp"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <system_error>
#include <vector>

namespace test {

/// What a test does to a disk.
struct Faults {
    std::atomic<std::int64_t> free_bytes{std::int64_t{1} << 50}; ///< below 0: the disk is full
    std::atomic<bool> sync_fails{false};
    std::mutex mutex;
    std::condition_variable change;
    bool syncs_wait = false; ///< until it is false again
    int syncs_waiting = 0;
};

/// Passes everything on, unless `faults` say otherwise.
class FaultyFiles : public sse::StoreFiles {
public:
    FaultyFiles(const std::string& directory, Faults& faults)
        : StoreFiles(directory)
        , faults_(faults) {}

    std::unique_ptr<sse::StoreFile> open(const std::string& name, Mode mode) override {
        return std::make_unique<File>(StoreFiles::open(name, mode), faults_);
    }

private:
    class File : public sse::StoreFile {
    public:
        File(std::unique_ptr<sse::StoreFile> file, Faults& faults)
            : file_(std::move(file))
            , faults_(faults) {}
        void write(std::span<const std::string_view> pieces, std::uint64_t offset) override {
            std::int64_t size = 0;
            for (const auto piece : pieces) size += static_cast<std::int64_t>(piece.size());
            if (faults_.free_bytes < size) {
                file_->write(pieces.first(pieces.size() / 2), offset); // a part of it
                throw std::system_error(ENOSPC, std::generic_category(), "cannot write");
            }
            file_->write(pieces, offset);
        }
        std::size_t read(char* to, std::size_t size, std::uint64_t offset) const override {
            return file_->read(to, size, offset);
        }
        std::uint64_t size() const override { return file_->size(); }
        void truncate(std::uint64_t size) override { file_->truncate(size); }
        void sync() override {
            std::unique_lock lock(faults_.mutex);
            ++faults_.syncs_waiting;
            faults_.change.notify_all();
            faults_.change.wait(lock, [&] { return !faults_.syncs_wait; });
            --faults_.syncs_waiting;
            if (faults_.sync_fails)
                throw std::system_error(EIO, std::generic_category(), "cannot sync");
            file_->sync();
        }

    private:
        std::unique_ptr<sse::StoreFile> file_;
        Faults& faults_;
    };
    Faults& faults_;
};

/// A channel of a store, as a Channel sees it: what arrived, in order.
class Sink : public sse::LogSink {
public:
    void opened(sse::LogTail tail) override {
        const std::lock_guard lock(mutex_);
        opened_ = true;
        next_ = tail.next;
        for (const auto& batch : tail.batches) add(*batch);
        change_.notify_all();
    }
    void arrived(std::shared_ptr<const sse::Batch> batch, std::size_t) override {
        const std::lock_guard lock(mutex_);
        if (batch->first != next_) ++holes_; // of the store's thread, where Catch2 cannot be used
        next_ = batch->first + batch->size();
        add(*batch);
        change_.notify_all();
    }
    void dropped(std::size_t) override {
        const std::lock_guard lock(mutex_);
        ++dropped_;
        change_.notify_all();
    }
    void writable() override {
        const std::lock_guard lock(mutex_);
        ++writable_;
        change_.notify_all();
    }
    /// Waits until `condition` is true of it, and checks that nothing was left out or repeated.
    void wait(const std::function<bool(const Sink&)>& condition) {
        std::unique_lock lock(mutex_);
        REQUIRE(
            change_.wait_for(lock, std::chrono::seconds(240), [&] { return condition(*this); }));
        CHECK(holes_ == 0);
    }
    const std::vector<std::string>& ids() const { return ids_; }
    const std::vector<std::string>& blocks() const { return blocks_; }
    bool is_opened() const { return opened_; }
    int drops() const { return dropped_; }
    int writables() const { return writable_; }

private:
    void add(const sse::Batch& batch) {
        for (std::size_t i = 0; i < batch.size(); ++i) {
            ids_.emplace_back(batch.id(i));
            blocks_.emplace_back(batch.block(i));
        }
    }
    std::mutex mutex_;
    std::condition_variable change_;
    bool opened_ = false;
    std::uint64_t next_ = 0;
    std::vector<std::string> ids_, blocks_;
    int dropped_ = 0, writable_ = 0, holes_ = 0;
};

/// Waits for a value that another thread gives.
template <class T>
class Given {
public:
    void give(T value) {
        const std::lock_guard lock(mutex_);
        value_ = std::move(value);
        change_.notify_all();
    }
    T wait() {
        std::unique_lock lock(mutex_);
        REQUIRE(
            change_.wait_for(lock, std::chrono::seconds(240), [&] { return value_.has_value(); }));
        return *value_;
    }
    bool given() {
        const std::lock_guard lock(mutex_);
        return value_.has_value();
    }

private:
    std::mutex mutex_;
    std::condition_variable change_;
    std::optional<T> value_;
};

/// One event of `bytes` bytes of data with a generated id, or the one that is given.
inline std::unique_ptr<sse::Batch> event(const std::string& data, const std::string& generated = "",
                                         const std::string& given = "") {
    auto batch = std::make_unique<sse::Batch>();
    if (!given.empty()) batch->add({"message", data, std::string_view(given)});
    else
        batch->add({"message", data, std::string_view(generated.empty() ? "1-0" : generated)},
                   true);
    return batch;
}

/// A running store with one channel open.
struct Store {
    explicit Store(const std::string& directory, sse::StoreOptions options = {},
                   const std::string& name = "/", sse::HistoryOptions bounds = {})
        : Store(std::make_unique<sse::StoreFiles>(directory), std::move(options), name, bounds) {}
    Store(std::unique_ptr<sse::StoreFiles> files, sse::StoreOptions options = {},
          const std::string& name = "/", sse::HistoryOptions bounds = {})
        : log(std::move(files), std::move(options)) {
        auto opened = log.open(name, bounds, sink);
        channel = opened.channel;
        log.start();
        if (opened.tail) sink->opened(*opened.tail);
        sink->wait([](const Sink& it) { return it.is_opened(); });
    }
    ~Store() { log.stop(); }

    bool append(std::unique_ptr<sse::Batch> batch) {
        sse::Draft draft;
        draft.batch = std::move(batch);
        return channel->append(draft);
    }
    /// Appends and waits for the receipt; one that says so if the draft was refused.
    sse::Receipt store(std::unique_ptr<sse::Batch> batch, const std::string& key = "") {
        const auto receipt = std::make_shared<Given<sse::Receipt>>();
        sse::Draft draft;
        draft.batch = std::move(batch);
        draft.key = key;
        draft.done = [receipt](const sse::Receipt& given) { receipt->give(given); };
        if (!channel->append(draft)) return {false, "refused", false, ""};
        return receipt->wait();
    }
    sse::LogPosition locate(const std::string& id) {
        const auto position = std::make_shared<Given<sse::LogPosition>>();
        channel->locate(id, [position](const sse::LogPosition& at) { position->give(at); });
        return position->wait();
    }
    std::shared_ptr<sse::History> page(std::uint64_t from) {
        const auto page = std::make_shared<Given<std::shared_ptr<sse::History>>>();
        channel->read(from, [page](std::shared_ptr<sse::History> read) { page->give(read); });
        return page->wait();
    }
    /// The blocks of all events from the oldest on, read page by page.
    std::vector<std::string> all() {
        std::vector<std::string> blocks;
        for (auto next = channel->begin();;) {
            const auto part = page(next);
            if (part->begin() == part->end()) return blocks;
            for (auto at = std::max(next, part->begin()); at < part->end(); ++at)
                blocks.emplace_back(part->block(at));
            next = part->end();
        }
    }

    sse::DiskLog log;
    std::shared_ptr<Sink> sink = std::make_shared<Sink>();
    std::shared_ptr<sse::ChannelLog> channel;
};

/// The bytes of the files of a store, by name.
inline std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}
inline void write_file(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

} // namespace test
