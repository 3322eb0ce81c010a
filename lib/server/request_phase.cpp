#include "server/request_phase.hpp"

#include "server/address_counts.hpp"
#include "server/admission.hpp"

namespace sse {

RequestPhase::RequestPhase(Loop& loop, const ListenerContext& listener, Transport& transport,
                           Refusal refusal, std::uint64_t address_key)
    : loop_(loop)
    , listener_(listener)
    , transport_(transport)
    , reader_(std::make_unique<RequestReader>(loop.options.request))
    , body_charge_(listener.bodies)
    , address_key_(address_key)
    , refusal_(refusal) {}

RequestPhase::Step RequestPhase::read(std::string_view& input) {
    const auto step = read_request(input);
    if (step == Step::answered) ahead_.assign(input);
    return step;
}

RequestPhase::Step RequestPhase::read_request(std::string_view& input) {
    const auto state = reader_->feed(input);
    const auto& request = reader_->request();
    if (state == RequestReader::State::head) return Step::incomplete;
    if (state == RequestReader::State::refused) {
        const auto& [status, why] = reader_->refusal();
        return answer(nullptr, text_response(status, why + "\n", Refusal::request), false);
    }
    if (!std::exchange(admitted_, true)) {
        if (auto refusal = admit()) {
            // A body that has been received already need not cost the connection.
            if (reader_->state() == RequestReader::State::body) reader_->feed(input);
            const bool whole = reader_->state() == RequestReader::State::done;
            const bool keep_alive = whole && refusal->refusal == Refusal::none;
            return answer(&request, std::move(*refusal), keep_alive);
        }
        if (auto response = listener_.handler->begin(request, loop_.number)) {
            const bool keep_alive = response->exchange || state == RequestReader::State::done;
            return answer(&request, std::move(*response), keep_alive);
        }
        if (state == RequestReader::State::body) return Step::body;
    }
    if (!body_charge_.grow_to(request.body.capacity())) {
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
std::optional<Response> RequestPhase::admit() {
    auto& request = reader_->request();
    const auto peer = peer_address(transport_.fd());
    request.peer = client_address(request.head, peer, loop_.options.trusted_proxies);
    const auto local = listener_.local ? listener_.local : local_ip(transport_.fd());
    request.loopback = local && local->is_loopback();
    request.private_network = local && local->is_private();
    request.all_interfaces = listener_.all_interfaces;
    request.secure = transport_.secure();
    auto refusal = refusal_;
    if (refusal == Refusal::none && request.peer != peer && !enter_address(request.peer))
        refusal = Refusal::address;
    if (refusal != Refusal::none)
        return busy_response(request, refusal, loop_.options.busy, loop_.random);
    return refuse_request(request, listener_);
}

RequestPhase::Step RequestPhase::answer(const Request* request, Response response,
                                        bool keep_alive) {
    answer_ = std::make_unique<Answer>(
        Answer{request, std::move(response), keep_alive && reader_->keep_alive()});
    return Step::answered;
}

RequestPhase::Answer RequestPhase::take_response() {
    return std::move(*std::exchange(answer_, {}));
}

void RequestPhase::finish() {
    reader_.reset();
    body_charge_.clear();
}

void RequestPhase::begin() {
    reader_ = std::make_unique<RequestReader>(loop_.options.request);
    admitted_ = false;
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
