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

/// Times count from its construction. The members throw Error if the file cannot be written, or the
/// response not be recorded; nothing may be called after that but the destructor. Used on one
/// thread.
class ExchangeRecorder {
public:
    /// `url`: of the upstream server, which was asked for the client's `target`. The head of
    /// `request` must outlive open(). `store` must outlive it.
    ExchangeRecorder(RecordingStore& store, const Request& request, Url url, std::string target);

    /// Bytes of the body of the request. False once, if it becomes too large to be recorded; the
    /// recording is then made without it.
    bool add_body(std::string_view bytes);
    /// The response begins: creates the file. `body`: that of the request is complete, and is
    /// recorded.
    void open(int status, const Head& head, bool body);
    /// Bytes of the response's body; of one read.
    void bytes(std::string_view bytes);
    /// Writes what was added: called when the stream pauses.
    void flush();
    /// `how`: as in RecordedClose. Nothing if the response has not begun.
    void close(std::string_view how, std::string_view message = {});

private:
    std::chrono::microseconds now() const;
    void choose_decoder(const Head& head);
    void add(std::string_view decoded);
    void write_held();

    RecordingStore& store_;
    const Request& request_;
    Url url_;
    std::string target_;
    std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    BodyCharge charge_;
    std::optional<std::string> body_ = std::string(); ///< nullopt: too large
    std::unique_ptr<ContentDecoder> decoder_;         ///< null: the body has no coding
    std::unique_ptr<RecordingWriter> writer_;         ///< from open() to close()
    std::optional<std::string> held_; ///< a JSON body, kept until it can be masked whole
};

} // namespace sse
