// The addresses that the subscribers of a load run connect to and from, and the requests that they
// send. No sockets.
#pragma once

#include "base/interrupt.hpp"
#include "client/client_request.hpp"
#include "load/load_options.hpp"
#include "net/lookup.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sse {

/// One thread. Subscriber n of all runs sends request n modulo the number of requests.
class LoadTargets {
public:
    /// `options` must outlive it. Throws Error (invalid_argument).
    explicit LoadTargets(const LoadOptions& options);

    /// Resolves the names of all requests. Throws Error (resolve, timeout), Interrupted.
    void resolve(Interrupt& interrupt);

    std::size_t group_of(std::uint32_t subscriber) const {
        return options_.number_of(subscriber) % requests_.size();
    }
    const ClientRequest& request(std::uint32_t subscriber) const;
    /// The bytes of its request. `last_id`: the Last-Event-ID of a subscriber that resumes; "" for
    /// none.
    std::string request_bytes(std::uint32_t subscriber, const std::string& last_id) const;
    const SocketAddress& address(std::uint32_t subscriber) const;
    /// The number of that address among those of its request.
    std::size_t address_number(std::uint32_t subscriber) const;
    /// The address to connect from; nullptr: any.
    const SocketAddress* source(std::uint32_t subscriber) const;
    /// Called when connecting to address `number` of this subscriber's request failed. True if
    /// there is another address, which is then used by all its subscribers.
    bool try_next_address(std::uint32_t subscriber, std::size_t number);
    /// An address that is not loopback; "" if there is none.
    std::string foreign_address() const;

private:
    struct Request {
        ClientRequest request;
        std::string head;      ///< with `{n}` in it
        bool numbered = false; ///< `head` contains `{n}`
        std::vector<SocketAddress> addresses;
        std::size_t address = 0; ///< the one in use
    };
    void add_sources();

    const LoadOptions& options_;
    std::vector<Request> requests_;
    std::vector<SocketAddress> sources_;
    std::size_t per_source_ = 1; ///< successive subscribers that use the same source
};

} // namespace sse
