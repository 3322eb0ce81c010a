#include "cmd/tail/recorder.hpp"

#include "cmd/cli/recording_output.hpp"

#include <unistd.h>
#include <utility>

namespace cmd {

namespace {

sse::RecordedFields recorded(const std::vector<sse::Head::Field>& fields) {
    sse::RecordedFields out;
    for (const auto& field : fields) out.emplace_back(field.name, field.value);
    return out;
}

std::string_view name_of(sse::Client::Close how) {
    switch (how) {
    case sse::Client::Close::eof: return "eof";
    case sse::Client::Close::reset: return "reset";
    case sse::Client::Close::timeout: return "timeout";
    case sse::Client::Close::error: return "error";
    }
    return "error";
}

} // namespace

Recorder::Recorder(RecorderOptions options, sse::ClientRequest request)
    : options_(std::move(options))
    , request_(std::move(request)) {}

void Recorder::open(const sse::Url&, int status, const sse::Head& head,
                    std::string_view last_event_id) {
    sse::RecordedResponse response{status, recorded(head.fields())};
    if (writer_) {
        writer_->open(now(), {std::move(response), std::string(last_event_id)});
        return;
    }
    started_ = std::chrono::steady_clock::now();
    sse::RecordingHeader header;
    header.url = request_.url.text();
    header.request.method = request_.method;
    header.request.headers = recorded(request_.fields);
    if (!last_event_id.empty()) header.request.headers.emplace_back("Last-Event-ID", last_event_id);
    if (options_.body) header.request.body = request_.body;
    header.response = std::move(response);
    writer_ = make_recording(options_.path, std::move(header), options_.writer);
}

void Recorder::close(sse::Client::Close how, std::string_view why) {
    if (writer_) writer_->close(now(), {name_of(how), why});
}

std::chrono::microseconds Recorder::now() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                                 started_);
}

} // namespace cmd
