#include "store/store_health.hpp"

#include <fmt/format.h>

namespace sse {

std::string StoreHealth::error() const {
    const std::lock_guard lock(mutex_);
    return write_error_.empty() ? sync_error_ : write_error_;
}

bool StoreHealth::set(std::string& what, const std::string& error) {
    std::string note;
    {
        const std::lock_guard lock(mutex_);
        const bool was_ok = write_error_.empty() && sync_error_.empty();
        what = error;
        const bool is_ok = write_error_.empty() && sync_error_.empty();
        ok_ = is_ok;
        if (was_ok == is_ok) return false;
        note = is_ok ? "the store can be written again"
                     : fmt::format("{}; publishing waits until the store can be written", error);
    }
    if (options_.on_note) options_.on_note(note);
    return error.empty();
}

} // namespace sse
