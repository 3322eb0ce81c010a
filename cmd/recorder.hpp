// What a client hears, as the lines of a recording. Not the file's format: RecordingWriter knows
// that.
#pragma once

#include "http/client.hpp"
#include "http/outgoing.hpp"
#include "recording/writer.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace cmd {

/// Records one stream to one file, which is made when the stream opens: a request that fails leaves
/// an earlier recording alone. Times are since that moment.
class Recorder {
public:
    Recorder(std::string path, sse::Outgoing request);

    void open(const sse::Url& url, int status, const sse::Head& head,
              std::string_view last_event_id);
    void event(const sse::EventView& event) { writer_->event(now(), event); }
    void id(std::string_view id) { writer_->id(now(), id); }
    void comment(std::string_view text) { writer_->comment(now(), text); }
    void retry(std::chrono::milliseconds time) { writer_->retry(now(), time); }
    void close(sse::Client::Close how, std::string_view why);
    void flush() {
        if (writer_) writer_->flush();
    }
    void finish() {
        if (writer_) writer_->finish();
    }

private:
    std::chrono::microseconds now() const;

    std::string path_;
    sse::Outgoing request_;
    std::chrono::steady_clock::time_point started_;
    std::unique_ptr<sse::RecordingWriter> writer_;
};

} // namespace cmd
