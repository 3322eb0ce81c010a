// Whether a store can be written now, and if not, why.
#pragma once

#include "store/store_options.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>

namespace sse {

/// Any thread. Reports each change with StoreOptions::on_note.
class StoreHealth {
public:
    using Clock = std::chrono::steady_clock;

    explicit StoreHealth(const StoreOptions& options)
        : options_(options) {}

    bool ok() const { return ok_.load(); }
    /// Why it cannot be written; "" if it can.
    std::string error() const;
    /// Writing or syncing failed with `error`, a lowercase line.
    void failed_to_write(const std::string& error) { set(write_error_, error); }
    void failed_to_sync(const std::string& error) { set(sync_error_, error); }
    /// Writing works. True if the store could not be written before, and now can.
    bool can_write() { return set(write_error_, ""); }
    bool can_sync() { return set(sync_error_, ""); }

private:
    bool set(std::string& what, const std::string& error);

    const StoreOptions& options_;
    std::atomic<bool> ok_{true};
    mutable std::mutex mutex_; ///< guards what follows
    std::string write_error_, sync_error_;
};

} // namespace sse
