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

std::chrono::microseconds ExchangeRecorder::time() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(arrived_ - start_);
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

std::string ExchangeRecorder::name_with(std::string_view body) const {
    return recording_name(request_.method, mask_url(target_), body);
}

void ExchangeRecorder::end_body() {
    if (!body_) return;
    const auto& masked = store_.options().masked;
    if (!masked.empty()) {
        if (auto text = mask_json(*body_, masked)) body_ = std::move(*text);
    }
    name_ = name_with(*body_);
}

void ExchangeRecorder::open(int status, const Head& head) {
    choose_decoder(head);
    opened_ = std::make_unique<RecordedResponse>();
    opened_->status = status;
    opened_->headers = recorded_fields(head);
    if (name_.empty()) { // of a request without a recorded body
        body_.reset();
        name_ = name_with({});
    }
    path_ = store_.next_path(name_); // here: the next request may be sent in answer to this head
    if (!store_.options().masked.empty() && is_json_type(head.find("Content-Type").value_or("")))
        held_.emplace();
}

void ExchangeRecorder::create_file() {
    if (!opened_) return;
    RecordingHeader header;
    header.response = std::move(*std::exchange(opened_, nullptr));
    header.started = rfc3339(started_);
    header.url = url_.text();
    header.exact = true;
    header.request.method = request_.method;
    if (url_.target != target_) header.request.target = target_; // there is a base path
    header.request.headers = recorded_fields(request_.head);
    if (body_ && !body_->empty()) header.request.body = std::move(*body_);
    RecordingWriterOptions writer;
    writer.mask = store_.options().mask;
    writer_ = std::make_unique<RecordingWriter>(std::move(path_), std::move(header), writer);
    body_.reset();
    charge_.clear();
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
    create_file();
    if (!decoder_) return add(bytes);
    for (;;) {
        const auto piece = decoder_->next(bytes);
        if (piece.empty()) return;
        add(piece);
    }
}

void ExchangeRecorder::add(std::string_view decoded) {
    if (decoded.empty()) return;
    if (!held_) return writer_->bytes(time(), decoded);
    if (held_->size() + decoded.size() > store_.options().max_body_bytes) {
        held_->clear();
        throw Error(Errc::too_large,
                    fmt::format("a JSON response of more than {} bytes cannot be masked",
                                store_.options().max_body_bytes));
    }
    held_->append(decoded);
}

void ExchangeRecorder::flush() {
    create_file();
    if (writer_) writer_->flush();
}

void ExchangeRecorder::write_held() {
    const auto body = std::exchange(held_, std::nullopt).value_or("");
    if (body.empty()) return;
    const auto masked = mask_json(body, store_.options().masked);
    // A body that is not complete, valid JSON could contain a secret anywhere.
    if (masked) writer_->bytes(time(), *masked);
    else throw Error(Errc::bad_input, "the response is not valid JSON, so it cannot be masked");
}

void ExchangeRecorder::close(std::string_view how, std::string_view message) {
    create_file();
    if (!writer_) return;
    if (decoder_ && how == "eof") decoder_->finish();
    if (held_) write_held();
    writer_->close(time(), {how, message});
    writer_->finish();
    writer_.reset();
}

} // namespace sse
