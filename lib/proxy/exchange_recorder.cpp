#include "proxy/exchange_recorder.hpp"

#include "base/error.hpp"
#include "base/mask.hpp"
#include "base/rfc3339.hpp"
#include "http/media_type.hpp"

#include <fmt/format.h>
#include <utility>
#include <vector>

namespace sse {

namespace {

RecordedFields recorded_fields(const Head& head) {
    RecordedFields out;
    for (const auto& field : head.fields()) out.emplace_back(field.name, field.value);
    return out;
}

bool is_json_type(std::string_view content_type) {
    const auto type = essence(content_type);
    return type == "application/json" || type.ends_with("+json");
}

} // namespace

ExchangeRecorder::ExchangeRecorder(RecordingStore& store, const Request& request, Url url,
                                   std::string target)
    : store_(store)
    , request_(request)
    , url_(std::move(url))
    , target_(std::move(target))
    , charge_(&store.bodies()) {}

std::chrono::microseconds ExchangeRecorder::now() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                                 start_);
}

bool ExchangeRecorder::add_body(std::string_view bytes) {
    if (!body_) return true;
    const auto size = body_->size() + bytes.size();
    if (size > store_.options().max_body_bytes || !charge_.grow_to(size)) {
        body_.reset();
        charge_.clear();
        return false;
    }
    body_->append(bytes);
    return true;
}

void ExchangeRecorder::open(int status, const Head& head, bool body) {
    const auto& options = store_.options();
    choose_decoder(head);
    if (body_ && !options.masked.empty()) {
        if (auto masked = mask_json(*body_, options.masked)) body_ = std::move(*masked);
    }
    RecordingHeader header;
    header.started = rfc3339(started_);
    header.url = url_.text();
    header.exact = true;
    header.request.method = request_.method;
    if (url_.target != target_) header.request.target = target_; // there is a base path
    header.request.headers = recorded_fields(request_.head);
    if (body && body_ && !body_->empty()) header.request.body = *body_;
    header.response.status = status;
    header.response.headers = recorded_fields(head);
    RecordingWriterOptions writer;
    writer.mask = options.mask;
    auto path = store_.next_path(request_.method, mask_url(target_),
                                 body && body_ ? *body_ : std::string());
    writer_ = std::make_unique<RecordingWriter>(std::move(path), std::move(header), writer);
    body_.reset();
    charge_.clear();
    if (!options.masked.empty() && is_json_type(head.find("Content-Type").value_or("")))
        held_.emplace();
}

void ExchangeRecorder::choose_decoder(const Head& head) {
    std::vector<std::string_view> codings;
    for (const auto name : head.members("Content-Encoding")) {
        if (is_registered_coding(name)) codings.push_back(name);
    }
    if (codings.empty() || request_.method == "HEAD") return;
    if (codings.size() == 1) decoder_ = ContentDecoder::make(codings.front());
    if (!decoder_) {
        throw Error(Errc::receive,
                    fmt::format("the content coding \"{}\" cannot be decoded", codings.front()));
    }
}

void ExchangeRecorder::bytes(std::string_view bytes) {
    if (!decoder_) return add(bytes);
    for (;;) {
        const auto piece = decoder_->next(bytes);
        if (piece.empty()) return;
        add(piece);
    }
}

void ExchangeRecorder::add(std::string_view decoded) {
    if (decoded.empty()) return;
    if (!held_) return writer_->bytes(now(), decoded);
    if (held_->size() + decoded.size() > store_.options().max_body_bytes) {
        held_->clear();
        throw Error(Errc::too_large,
                    fmt::format("a JSON response of more than {} bytes cannot be masked",
                                store_.options().max_body_bytes));
    }
    held_->append(decoded);
}

void ExchangeRecorder::flush() {
    if (writer_) writer_->flush();
}

void ExchangeRecorder::write_held() {
    const auto body = std::exchange(held_, std::nullopt).value_or("");
    if (body.empty()) return;
    const auto masked = mask_json(body, store_.options().masked);
    // A body that is not complete, valid JSON could contain a secret anywhere.
    if (masked) writer_->bytes(now(), *masked);
    else throw Error(Errc::bad_input, "the response is not valid JSON, so it cannot be masked");
}

void ExchangeRecorder::close(std::string_view how, std::string_view message) {
    if (!writer_) return;
    if (decoder_ && how == "eof") decoder_->finish();
    if (held_) write_held();
    writer_->close(now(), {how, message});
    writer_->finish();
    writer_.reset();
}

} // namespace sse
