// Records one exchange of the proxy: the request with its body, and the response as it arrives,
// without content coding. The format of the file is RecordingWriter's.
#pragma once

#include "base/content_coding.hpp"
#include "http/head.hpp"
#include "http/url.hpp"
#include "proxy/recording_store.hpp"
#include "recording/writer.hpp"
#include "server/body_budget.hpp"
#include "server/request.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// Times count from its construction, and those of lines are the last arrive(). The members throw
/// Error if the file cannot be written or the response cannot be recorded; after that, only the
/// destructor may be called. Used on one thread.
class ExchangeRecorder {
public:
    /// `url`: of the upstream server. `target`: of the client's request. The head of `request` must
    /// be valid until the file has been created, and `store` must outlive the recorder.
    ExchangeRecorder(RecordingStore& store, const Request& request, Url url, std::string target);

    /// Adds bytes of the request body. Returns false once, if it has become too large to be
    /// recorded; the recording is then made without it.
    bool add_body(std::string_view bytes);
    /// The request body is complete, and will be recorded.
    void end_body();
    /// What the next calls add has arrived now.
    void arrive() { arrived_ = std::chrono::steady_clock::now(); }
    /// The response begins: chooses its file, which the next call of another member creates, so
    /// that the head can be passed on before.
    void open(int status, const Head& head);
    /// Adds the bytes of the response body that one read returned.
    void bytes(std::string_view bytes);
    /// Writes the bytes added so far. Called when the stream pauses.
    void flush();
    /// Ends the recording. `how`: as in RecordedClose. Does nothing if the response has not begun.
    void close(std::string_view how, std::string_view message = {});

private:
    std::chrono::microseconds time() const;
    void choose_decoder(const Head& head);
    std::string name_with(std::string_view body) const;
    void create_file();
    void add(std::string_view decoded);
    void write_held();

    RecordingStore& store_;
    const Request& request_;
    Url url_;
    std::string target_;
    std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point arrived_ = start_;
    BodyCharge charge_;
    std::optional<std::string> body_ = std::string(); ///< nullopt: too large
    std::unique_ptr<ContentDecoder> decoder_;         ///< null: the body has no coding
    std::unique_ptr<RecordedResponse> opened_;        ///< the file has not been created yet
    std::string name_, path_;                         ///< name_: without directory and number
    std::unique_ptr<RecordingWriter> writer_;         ///< the file, until close()
    std::optional<std::string> held_; ///< a JSON body, kept until it can be masked whole
};

} // namespace sse
