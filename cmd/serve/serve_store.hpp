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
    sse::RedisOptions redis; ///< but for what it has in common with `store`
    std::string password_file;
    bool sync_given = false;
    bool any() const { return !directory.empty() || !redis_url.empty(); }
};

void add_store_options(CLI::App& app, StoreFlags& flags);

/// nullptr without a directory. Prints what was mended. Throws Failure.
std::unique_ptr<sse::DiskLog> open_store(const StoreFlags& flags);
/// nullptr without Redis. `timeout`: of a publication. Throws Failure.
std::unique_ptr<sse::RedisLog> open_redis(const StoreFlags& flags,
                                          std::chrono::milliseconds timeout);
/// The directory and its files.
std::vector<std::string> store_paths(const StoreFlags& flags);

/// Lets a store work while it exists; each of both may be nullptr.
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
