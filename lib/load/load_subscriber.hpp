// One of the subscribers of a load run. Small, because there are thousands of them.
#pragma once

#include "base/descriptor.hpp"
#include "http/response_parser.hpp"
#include "load/event_ledger.hpp"
#include "net/client_tls.hpp"
#include "net/server_tls.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace sse {

struct LoadSubscriber {
    enum class State : std::uint8_t {
        waiting, ///< to be started, or to be tried again
        connecting,
        handshake, ///< of TLS
        sending,   ///< the request
        head,      ///< waits for the head of the response
        open,      ///< has an event stream
        done,
    };

    Descriptor fd;
    State state = State::waiting;
    std::uint8_t address = 0; ///< number of the address that it connects to
    bool was_open = false, has_event = false;
    bool stormed = false;     ///< the storm closed its stream, which is not open again yet
    bool body_begun = false;  ///< a byte order mark may come only before
    bool full_read = false;   ///< its socket may hold bytes that the last read left
    std::uint32_t delays = 0; ///< number of
    double delay_sum = 0;     ///< s; see LoadFairness
    std::chrono::steady_clock::time_point started; ///< the current connection
    Course course;
    ResponseParser response;
    std::string rest; ///< bytes of a request not sent yet, later of an unfinished block
    SslPtr session;   ///< during its handshake
    std::unique_ptr<TlsStream> tls;
};

} // namespace sse
