// Records a stream for --record. The format of the file is that of RecordingWriter.
#pragma once

#include "client/client.hpp"
#include "client/client_request.hpp"
#include "recording/writer.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace cmd {

struct RecorderOptions {
    std::string path;   ///< `-` for standard output
    bool bytes = false; ///< --bytes: record reads instead of parsed events
    bool body = false;  ///< --record-body: with the body of the request
    sse::RecordingWriterOptions writer;
};

/// Records one stream to one file, which is created when the stream opens, so that a failed request
/// does not destroy an earlier recording. Times are relative to that moment.
class Recorder {
public:
    Recorder(RecorderOptions options, sse::ClientRequest request);

    void open(const sse::Url& url, int status, const sse::Head& head,
              std::string_view last_event_id);
    /// The bytes of one read, before they are parsed.
    void read(std::string_view bytes) {
        if (options_.bytes) writer_->bytes(now(), bytes);
    }
    void event(const sse::EventView& event) {
        if (!options_.bytes) writer_->event(now(), event);
    }
    void id(std::string_view id) {
        if (!options_.bytes) writer_->id(now(), id);
    }
    void comment(std::string_view text) {
        if (!options_.bytes) writer_->comment(now(), text);
    }
    void retry(std::chrono::milliseconds time) {
        if (!options_.bytes) writer_->retry(now(), time);
    }
    void close(sse::Client::Close how, std::string_view why);
    /// These two return false if an interrupt came before everything was written.
    bool flush() { return !writer_ || writer_->flush(); }
    bool finish() { return !writer_ || writer_->finish(); }

private:
    std::chrono::microseconds now() const;

    RecorderOptions options_;
    sse::ClientRequest request_;
    std::chrono::steady_clock::time_point started_;
    std::unique_ptr<sse::RecordingWriter> writer_;
};

} // namespace cmd
