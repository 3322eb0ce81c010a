// The requests of one connection, one after another: bytes in, a response out. Not the connection:
// it owns no socket and no timer, and sends nothing.
#pragma once

#include "net/transport.hpp"
#include "server/body_budget.hpp"
#include "server/listener_context.hpp"
#include "server/loop.hpp"
#include "server/request_reader.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sse {

/// Owned by its connection, used on its loop's thread only.
class RequestPhase {
public:
    /// `refusal`: why every request is refused, or none. `address_key`: the connection's entry in
    /// the listener's AddressCounts, removed by leave_address(); 0: none. The others must outlive
    /// it.
    RequestPhase(Loop& loop, const ListenerContext& listener, Refusal refusal,
                 std::uint64_t address_key);

    enum class Step : std::uint8_t {
        incomplete, ///< everything was read, and the request is not complete
        body,       ///< once: the head is accepted, and the body is to be read
        answered,   ///< see take_response()
    };
    /// Reads bytes of the request from the front of `input`, which shrinks by what was used. Once
    /// the request is answered it keeps the rest: see take_ahead(). `transport` is that of the
    /// connection.
    Step read(std::string_view& input, const Transport& transport);
    /// The rest of the body of a request that an Exchange answers; see RequestReader.
    std::string_view next_body_piece(std::string_view& input) {
        return current_->reader.next_body_piece(input);
    }
    /// The body of the request has been read to its end.
    bool has_whole_body() const {
        return !current_ || current_->reader.state() == RequestReader::State::done;
    }
    /// The trailers behind that body.
    std::string_view trailers() const {
        return current_ ? std::string_view(current_->reader.request().trailers)
                        : std::string_view();
    }
    /// Keeps bytes that were sent ahead.
    void keep_ahead(std::string_view bytes);
    /// True once if the client waits for `100 Continue` before it sends the body.
    bool wants_continue() { return current_->reader.wants_continue(); }
    /// No byte of a request has been received.
    bool empty() const { return current_->reader.empty(); }

    struct Answer {
        const Request* request; ///< nullptr if there was none to read; valid until finish()
        Response response;
        bool keep_alive; ///< the connection may be used for another request
    };
    Answer take_response();
    /// The response has been encoded: frees what the request took.
    void finish();
    /// Waits for the next request.
    void begin();
    /// Bytes that were sent ahead, behind the request that was answered.
    bool has_ahead() const { return ahead_ != nullptr; }
    std::string take_ahead();

    /// Removes the connection from the counts of addresses.
    void leave_address();
    Refusal refusal() const { return refusal_; }

private:
    Step read_request(std::string_view& input, const Transport& transport);
    Step answer(const Request* request, Response response, bool keep_alive);
    std::optional<Response> admit(const Transport& transport);
    bool enter_address(const std::string& peer);

    /// What a stream has no use for.
    struct Current {
        RequestReader reader;
        BodyCharge body_charge;
        std::unique_ptr<Answer> answer = {}; ///< until it is taken
        bool admitted = false;               ///< the head has been judged
    };

    Loop& loop_;
    const ListenerContext& listener_;
    std::unique_ptr<Current> current_;   ///< the request, from begin() to finish()
    std::unique_ptr<std::string> ahead_; ///< bytes of the next request, at least one
    std::uint64_t address_key_;
    Refusal refusal_;
    bool forwarded_ = false; ///< address_key_ is of this request, from a trusted proxy
};

} // namespace sse
