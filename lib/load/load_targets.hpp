// Where the subscribers of a load run connect to, from which address, and what they send. No
// sockets.
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

/// One thread. Subscriber number n has request n modulo their number.
class LoadTargets {
public:
    /// `options` must outlive it. Throws Error (invalid_argument).
    explicit LoadTargets(const LoadOptions& options);

    /// Resolves the names of all requests. Throws Error (resolve, timeout), Interrupted.
    void resolve(Interrupt& interrupt);

    std::size_t group_of(std::uint32_t subscriber) const { return subscriber % requests_.size(); }
    const ClientRequest& request(std::uint32_t subscriber) const;
    /// The bytes of its request. `last_id`: of a subscriber that resumes; "" for none.
    std::string request_bytes(std::uint32_t subscriber, const std::string& last_id) const;
    const SocketAddress& address(std::uint32_t subscriber) const;
    /// Which of the addresses of its request that is.
    std::size_t address_number(std::uint32_t subscriber) const;
    /// nullptr: any.
    const SocketAddress* source(std::uint32_t subscriber) const;
    /// Nobody listens at address `number` of this subscriber's request: true if there is another
    /// one, which is used from now on.
    bool try_next_address(std::uint32_t subscriber, std::size_t number);
    /// An address that is not loopback; "" if there is none.
    std::string foreign_address() const;

private:
    struct Request {
        ClientRequest request;
        std::string head;      ///< with `{n}`
        bool numbered = false; ///< it has one
        std::vector<SocketAddress> addresses;
        std::size_t address = 0; ///< the one in use
    };
    void add_sources();

    const LoadOptions& options_;
    std::vector<Request> requests_;
    std::vector<SocketAddress> sources_;
    std::size_t per_source_ = 1; ///< subscribers in a row that have one source
};

} // namespace sse
