// The store of `sse serve`: its flags, and the life of its threads.
#pragma once

#include "store/disk_log.hpp"

#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

struct StoreFlags {
    std::string directory; ///< "": no store
    sse::StoreOptions store;
};

void add_store_options(CLI::App& app, StoreFlags& flags);

/// nullptr without --store. Prints what was mended. Throws Failure.
std::unique_ptr<sse::DiskLog> open_store(const StoreFlags& flags);
/// The directory and its files.
std::vector<std::string> store_paths(const StoreFlags& flags);

/// Lets a store work while it exists; it may be nullptr.
class StoreRun {
public:
    explicit StoreRun(sse::DiskLog* store)
        : store_(store) {
        if (store_) store_->start();
    }
    ~StoreRun() { stop(); }
    StoreRun(const StoreRun&) = delete;
    StoreRun& operator=(const StoreRun&) = delete;
    void stop() {
        if (store_) store_->stop();
    }

private:
    sse::DiskLog* store_;
};

} // namespace cmd
