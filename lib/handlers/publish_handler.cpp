#include "handlers/publish_handler.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"
#include "http/media_type.hpp"
#include "input/stream_text.hpp"

#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

/// Bodies are taken as UTF-8: letters of another encoding would be replaced.
bool is_utf8_charset(std::string_view name) {
    return same_name(name, "utf-8") || same_name(name, "utf8") || same_name(name, "us-ascii");
}

/// Gathers what a body says into one batch. What would be skipped in an input refuses a body.
class Gathering : public Decoder::Sink {
public:
    Gathering(Channel& channel, Batch& batch)
        : channel_(channel)
        , batch_(batch)
        , now_(std::chrono::system_clock::now()) {}

    void on_event(const EventView& event) override { channel_.add(batch_, event, now_); }
    void on_comment(std::string_view text) override { batch_.add_comment(text); }
    void on_retry(std::chrono::milliseconds retry) override {
        retry_ = retry;
        batch_.add_retry(retry);
    }
    void on_skipped(const std::string& where, const std::string& why) override {
        throw Error(Errc::bad_input, fmt::format("{}: {}", where, why));
    }
    std::optional<std::chrono::milliseconds> retry() const { return retry_; }

private:
    Channel& channel_;
    Batch& batch_;
    std::chrono::system_clock::time_point now_;
    std::optional<std::chrono::milliseconds> retry_;
};

void gather_json(std::string_view body, Gathering& into, JsonEventReader& reader) {
    auto object = reader.read(body);
    if (object.event.type.empty()) object.event.type = "message";
    if (object.retry) into.on_retry(*object.retry);
    if (object.comment) into.on_comment(*object.comment);
    if (object.has_data) into.on_event(object.event);
}

void gather_stream(const std::string& body, Gathering& into) {
    DecoderOptions options;
    options.max_event_bytes = body.size(); // the body has its own bound
    StreamTextDecoder decoder(into, options);
    decoder.feed(body);
    decoder.finish();
}

std::string ids_of(const Batch& batch) {
    std::string ids;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (const auto id = batch.id(i); !id.empty()) ids.append(id).push_back('\n');
    }
    return ids;
}

} // namespace

Response publish(const Request& request, Channel& channel, JsonEventReader& json) {
    const auto coding = request.head.find("Content-Encoding");
    if (coding && !same_name(*coding, "identity"))
        return text_response(415, "a body is taken as it is: without a content coding\n");
    const auto content_type = request.head.find("Content-Type").value_or("text/plain");
    const auto type = essence(content_type);
    if (const auto given = charset(content_type); given && !is_utf8_charset(*given)) {
        return text_response(415,
                             fmt::format("a body is UTF-8: charset utf-8 or us-ascii, not {}\n",
                                         printable(*given, 40)));
    }
    Batch batch;
    Gathering into(channel, batch);
    try {
        if (type == "text/plain" || type == "application/x-www-form-urlencoded") {
            EventView event;
            event.data = request.body;
            into.on_event(event);
        } else if (type == "application/json") {
            gather_json(request.body, into, json);
        } else if (type == "text/event-stream") {
            gather_stream(request.body, into);
        } else {
            return text_response(415,
                                 "a body is text/plain, application/json or text/event-stream\n");
        }
    } catch (const Error& e) {
        return text_response(400, fmt::format("{}\n", e.what()));
    }
    if (batch.empty()) return text_response(400, "the body holds no event\n");
    auto ids = ids_of(batch);
    if (!channel.try_publish(batch)) {
        auto response =
            text_response(503, "the channel takes nothing now: its history is full of what "
                               "somebody still needs, or it has ended\n");
        response.headers.emplace_back("Retry-After", "1");
        return response;
    }
    if (into.retry()) channel.set_retry(*into.retry());
    return text_response(201, std::move(ids));
}

} // namespace sse
