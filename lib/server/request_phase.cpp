#include "server/request_phase.hpp"

#include "server/address_counts.hpp"
#include "server/admission.hpp"

namespace sse {

RequestPhase::RequestPhase(Loop& loop, const ListenerContext& listener, Refusal refusal,
                           std::uint64_t address_key)
    : loop_(loop)
    , listener_(listener)
    , address_key_(address_key)
    , refusal_(refusal) {
    begin();
}

RequestPhase::Step RequestPhase::read(std::string_view& input, const Transport& transport) {
    const auto step = read_request(input, transport);
    if (step == Step::answered) keep_ahead(input);
    return step;
}

RequestPhase::Step RequestPhase::read_request(std::string_view& input, const Transport& transport) {
    auto& reader = current_->reader;
    const auto state = reader.feed(input);
    const auto& request = reader.request();
    if (state == RequestReader::State::head) return Step::incomplete;
    if (state == RequestReader::State::refused) {
        const auto& [status, why] = reader.refusal();
        return answer(nullptr, text_response(status, why + "\n", Refusal::request), false);
    }
    if (!std::exchange(current_->admitted, true)) {
        if (auto refusal = admit(transport)) {
            // A body that has been received already need not cost the connection.
            if (reader.state() == RequestReader::State::body) reader.feed(input);
            const bool whole = reader.state() == RequestReader::State::done;
            const bool keep_alive = whole && refusal->refusal == Refusal::none;
            return answer(&request, std::move(*refusal), keep_alive);
        }
        if (auto response = listener_.handler->begin(request, loop_.number)) {
            const bool keep_alive = response->exchange || state == RequestReader::State::done;
            return answer(&request, std::move(*response), keep_alive);
        }
        if (state == RequestReader::State::body) return Step::body;
    }
    if (!current_->body_charge.grow_to(request.body.capacity())) {
        return answer(&request,
                      busy_response(request, Refusal::memory, loop_.options.busy, loop_.random),
                      false);
    }
    if (state == RequestReader::State::body) return Step::incomplete;
    auto response = listener_.handler->respond(request, loop_.number);
    const bool keep_alive = !response.feed;
    return answer(&request, std::move(response), keep_alive);
}

/// The head is complete. The response if the request is refused.
std::optional<Response> RequestPhase::admit(const Transport& transport) {
    auto& request = current_->reader.request();
    const auto peer = peer_address(transport.fd());
    request.peer = client_address(request.head, peer, loop_.options.trusted_proxies);
    const auto local = listener_.local ? listener_.local : local_ip(transport.fd());
    request.loopback = local && local->is_loopback();
    request.private_network = local && local->is_private();
    request.all_interfaces = listener_.all_interfaces;
    request.secure = transport.secure();
    auto refusal = refusal_;
    if (refusal == Refusal::none && request.peer != peer && !enter_address(request.peer))
        refusal = Refusal::address;
    if (refusal != Refusal::none)
        return busy_response(request, refusal, loop_.options.busy, loop_.random);
    return refuse_request(request, listener_);
}

RequestPhase::Step RequestPhase::answer(const Request* request, Response response,
                                        bool keep_alive) {
    current_->answer = std::make_unique<Answer>(
        Answer{request, std::move(response), keep_alive && current_->reader.keep_alive()});
    return Step::answered;
}

RequestPhase::Answer RequestPhase::take_response() {
    return std::move(*std::exchange(current_->answer, {}));
}

void RequestPhase::keep_ahead(std::string_view bytes) {
    if (bytes.empty()) return;
    if (!ahead_) ahead_ = std::make_unique<std::string>();
    ahead_->append(bytes);
}

std::string RequestPhase::take_ahead() {
    return ahead_ ? std::move(*std::exchange(ahead_, nullptr)) : std::string();
}

void RequestPhase::finish() { current_.reset(); }

void RequestPhase::begin() {
    current_.reset(new Current{RequestReader(loop_.options.request), BodyCharge(listener_.bodies)});
    if (std::exchange(forwarded_, false)) leave_address(); // the next may be of another client
}

/// Counts the client behind a proxy; false if its address has all the connections it may have.
bool RequestPhase::enter_address(const std::string& peer) {
    const auto address = listener_.addresses ? IpAddress::parse(peer) : std::nullopt;
    if (!address) return true;
    const auto key = address->customer_key();
    leave_address();
    if (!listener_.addresses->enter(key, loop_.options.max_clients_per_address)) return false;
    address_key_ = key;
    forwarded_ = true;
    return true;
}

void RequestPhase::leave_address() {
    if (address_key_ != 0) listener_.addresses->leave(std::exchange(address_key_, 0));
}

} // namespace sse
