// Memory that was freed, and that the allocator keeps.
#pragma once

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace sse {

/// Returns freed memory to the system, where the allocator would keep it for the process (glibc).
/// Takes milliseconds for a large heap. Any thread.
inline void release_free_memory() {
#ifdef __GLIBC__
    ::malloc_trim(0);
#endif
}

} // namespace sse
