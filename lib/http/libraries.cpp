#include "http/libraries.hpp"

#include "base/content_coding.hpp"
#include "http/httplib_compat.hpp"
#include "net/send_ring.hpp"
#include "redis/redis_reply.hpp"

#include <asio/detail/config.hpp>
#include <asio/version.hpp>
#include <brotli/decode.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <simdjson.h>
#include <zlib.h>

namespace sse {

std::vector<Library> libraries() {
    const auto brotli = BrotliDecoderVersion();
    std::vector<Library> out = {
        {"cpp-httplib", CPPHTTPLIB_VERSION},
        {"Asio", fmt::format("{}.{}.{}", ASIO_VERSION / 100000, ASIO_VERSION / 100 % 1000,
                             ASIO_VERSION % 100)},
        {"OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING)},
        {"simdjson", fmt::format("{}.{}.{}", int(simdjson::SIMDJSON_VERSION_MAJOR),
                                 int(simdjson::SIMDJSON_VERSION_MINOR),
                                 int(simdjson::SIMDJSON_VERSION_REVISION))},
        {"zlib", zlibVersion()},
        {"Brotli",
         fmt::format("{}.{}.{}", brotli >> 24U, brotli >> 12U & 0xFFFU, brotli & 0xFFFU)}};
    if (has_redis()) out.push_back({"hiredis", redis_library_version()});
    return out;
}

std::string features() {
    const auto& uring = SendRing::support();
    return fmt::format("TLS, {}, {}unix sockets, systemd sockets, {}, {}", known_codings,
                       has_redis() ? "Redis, " : "",
#if defined(ASIO_HAS_EPOLL)
                       "epoll"
#elif defined(ASIO_HAS_KQUEUE)
                       "kqueue"
#else
                       "select"
#endif
                       ,
                       uring.available ? "io_uring" : "no io_uring (" + uring.reason + ")");
}

} // namespace sse
