#include "net/name_service.hpp"

#include <strings.h>

#if defined(SSE_STATIC) && defined(__GLIBC__)
#include <nss.h>
#define SSE_HAS_NSS
#endif

namespace sse {

void avoid_name_service_modules() {
#ifdef SSE_HAS_NSS
    ::__nss_configure_lookup("hosts", "files dns");
    for (const char* const database : {"passwd", "group", "initgroups", "services", "protocols"})
        ::__nss_configure_lookup(database, "files");
#endif
}

bool is_localhost(std::string_view host) {
    constexpr std::string_view name = "localhost";
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.size() < name.size()) return false;
    const auto end = host.substr(host.size() - name.size());
    const auto before = host.substr(0, host.size() - name.size());
    return ::strncasecmp(end.data(), name.data(), name.size()) == 0 &&
           (before.empty() || before.ends_with('.'));
}

} // namespace sse
