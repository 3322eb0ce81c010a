// The memory that request bodies may take in all connections together, while they are received.
#pragma once

#include <atomic>
#include <cstddef>

namespace sse {

/// Any thread.
class BodyBudget {
public:
    explicit BodyBudget(std::size_t max_bytes)
        : max_bytes_(max_bytes) {}
    /// Takes `bytes` of the budget; false, and nothing is taken, if there are fewer.
    bool take(std::size_t bytes) {
        auto used = used_.load(std::memory_order_relaxed);
        do {
            if (bytes > max_bytes_ - used) return false;
        } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
        return true;
    }
    void give_back(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
    std::size_t used() const { return used_.load(std::memory_order_relaxed); }

private:
    const std::size_t max_bytes_;
    std::atomic<std::size_t> used_{0};
};

/// What one body has taken of a budget; gives it back at its end.
class BodyCharge {
public:
    explicit BodyCharge(BodyBudget* budget)
        : budget_(budget) {}
    ~BodyCharge() { clear(); }
    BodyCharge(const BodyCharge&) = delete;
    BodyCharge& operator=(const BodyCharge&) = delete;
    /// The body has grown to `bytes`. False if the budget has no room for that.
    bool grow_to(std::size_t bytes) {
        if (bytes <= bytes_) return true;
        if (budget_ && !budget_->take(bytes - bytes_)) return false;
        bytes_ = bytes;
        return true;
    }
    void clear() {
        if (budget_) budget_->give_back(bytes_);
        bytes_ = 0;
    }

private:
    BodyBudget* budget_; ///< nullptr: no bound
    std::size_t bytes_ = 0;
};

} // namespace sse
