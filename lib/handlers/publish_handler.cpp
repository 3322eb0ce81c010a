#include "handlers/publish_handler.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"
#include "http/media_type.hpp"
#include "input/stream_text.hpp"

#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

/// Bytes of an Idempotency-Key: that of a UUID is 36, and those of services have up to 255.
constexpr std::size_t max_key_bytes = 255;

/// Bodies are read as UTF-8, which includes US-ASCII.
bool is_utf8_charset(std::string_view name) {
    return same_name(name, "utf-8") || same_name(name, "utf8") || same_name(name, "us-ascii");
}

/// Collects the events of a body in one batch. An error that skips an event of an input refuses the
/// whole body here.
class BodySink : public Decoder::Sink {
public:
    BodySink(Channel& channel, Batch& batch)
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

void read_json(std::string_view body, BodySink& sink, JsonEventReader& reader) {
    auto object = reader.read(body);
    if (object.event.type.empty()) object.event.type = "message";
    if (object.retry) sink.on_retry(*object.retry);
    if (object.comment) sink.on_comment(*object.comment);
    if (object.has_data) sink.on_event(object.event);
}

void read_event_stream(const std::string& body, BodySink& sink) {
    DecoderOptions options;
    options.max_event_bytes = body.size(); // the server bounds the body
    StreamTextDecoder decoder(sink, options);
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

Response publish(const Request& request, Channel& channel, PublishAs as, JsonEventReader& json,
                 StoredPublications& stored) {
    const auto coding = request.head.find("Content-Encoding");
    if (coding && !same_name(*coding, "identity"))
        return text_response(415, "the body must have no content coding\n");
    const auto content_type = request.head.find("Content-Type").value_or("text/plain");
    const auto type = essence(content_type);
    if (const auto given = charset(content_type); given && !is_utf8_charset(*given)) {
        return text_response(
            415, fmt::format("the body must be UTF-8: charset utf-8 or us-ascii, not {}\n",
                             printable(*given, 40)));
    }
    const auto key = request.head.find("Idempotency-Key");
    if (key && (key->empty() || key->size() > max_key_bytes ||
                request.head.count("Idempotency-Key") > 1)) {
        return text_response(400, fmt::format("there must be one Idempotency-Key of at most {} "
                                              "bytes\n",
                                              max_key_bytes));
    }
    Batch batch;
    BodySink sink(channel, batch);
    try {
        if (as == PublishAs::data || type == "text/plain" ||
            type == "application/x-www-form-urlencoded") {
            EventView event;
            event.data = request.body;
            sink.on_event(event);
        } else if (type == "application/json") {
            read_json(request.body, sink, json);
        } else if (type == "text/event-stream") {
            read_event_stream(request.body, sink);
        } else {
            return text_response(415, "the body must be text/plain, application/json or "
                                      "text/event-stream\n");
        }
    } catch (const Error& e) {
        return text_response(400, fmt::format("{}\n", e.what()));
    }
    if (batch.empty()) return text_response(400, "the body contains no event\n");
    if (channel.log()) {
        auto response = stored.publish(channel, batch, std::string(key.value_or("")));
        if (response.later && sink.retry()) channel.set_retry(*sink.retry());
        return response;
    }
    auto ids = ids_of(batch);
    if (!channel.try_publish(batch)) {
        auto response =
            text_response(503, "the channel accepts no events: its history is full of events that "
                               "a client has not received yet, or the channel has ended\n");
        response.headers.emplace_back("Retry-After", "1");
        return response;
    }
    if (sink.retry()) channel.set_retry(*sink.retry());
    return text_response(201, std::move(ids));
}

} // namespace sse
