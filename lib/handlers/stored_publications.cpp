#include "handlers/stored_publications.hpp"

#include <fmt/format.h>
#include <string>
#include <utility>

namespace sse {

namespace {

Response unavailable(std::string why) {
    auto response = text_response(503, std::move(why));
    response.headers.emplace_back("Retry-After", "1");
    return response;
}

Response respond(const Receipt& receipt) {
    if (receipt.stored) {
        auto response = text_response(201, receipt.ids);
        if (receipt.duplicate) response.headers.emplace_back("Sse-Duplicate", "true");
        return response;
    }
    return unavailable(fmt::format("the event could not be stored: {}\n", receipt.error));
}

} // namespace

Response StoredPublications::publish(Channel& channel, Batch& batch, std::string key) {
    const auto waiting = std::make_shared<Waiting>();
    waiting->deadline = Clock::now() + timeout_;
    const auto done = [waiting, loop = loop_,
                       channel = channel.shared_from_this()](const Receipt& receipt) {
        channel->run_on(loop, [waiting, receipt] {
            if (const auto send = std::exchange(waiting->send, {})) send(respond(receipt));
        });
    };
    if (!channel.try_store(batch, std::move(key), done))
        return unavailable("the channel accepts no events: the store cannot be written now, or the "
                           "channel has ended\n");
    waiting_.push_back(waiting);
    Response response;
    response.later = [waiting](std::function<void(Response)> send) {
        waiting->send = std::move(send);
    };
    return response;
}

void StoredPublications::tick(Clock::time_point now) {
    std::erase_if(waiting_, [](const auto& one) { return !one->send; });
    while (!waiting_.empty() && waiting_.front()->deadline <= now) {
        const auto send = std::exchange(waiting_.front()->send, {});
        waiting_.pop_front();
        send(unavailable("the event was not stored in time; it may still be published\n"));
    }
}

} // namespace sse
