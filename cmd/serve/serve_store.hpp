// The store of `sse serve`: its flags, and the life of its threads.
#pragma once

#include "redis/redis_log.hpp"
#include "store/disk_log.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

struct StoreFlags {
    std::string directory; ///< "": no store in files
    std::string redis_url; ///< "": no store in Redis
    sse::StoreOptions store;
    sse::RedisOptions redis; ///< except the members that are in `store`
    std::string password_file;
    bool sync_given = false;
    bool any() const { return !directory.empty() || !redis_url.empty(); }
};

void add_store_options(CLI::App& app, StoreFlags& flags);

/// Opens the store in files; nullptr without a directory. Prints a note for each repair. Throws
/// Failure.
std::unique_ptr<sse::DiskLog> open_store(const StoreFlags& flags);
/// Opens the store in Redis; nullptr without one. `timeout`: of --store-timeout. Throws Failure.
std::unique_ptr<sse::RedisLog> open_redis(const StoreFlags& flags,
                                          std::chrono::milliseconds timeout);
/// The directory and its files.
std::vector<std::string> store_paths(const StoreFlags& flags);

/// Starts a store, and stops it when destroyed. Each argument may be nullptr.
class StoreRun {
public:
    StoreRun(sse::DiskLog* disk, sse::RedisLog* redis)
        : disk_(disk)
        , redis_(redis) {
        if (disk_) disk_->start();
        if (redis_) redis_->start();
    }
    ~StoreRun() { stop(); }
    StoreRun(const StoreRun&) = delete;
    StoreRun& operator=(const StoreRun&) = delete;
    void stop() {
        if (disk_) disk_->stop();
        if (redis_) redis_->stop();
    }

private:
    sse::DiskLog* disk_;
    sse::RedisLog* redis_;
};

} // namespace cmd
