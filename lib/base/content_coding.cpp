#include "base/content_coding.hpp"

#include "base/ascii.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <brotli/decode.h>
#include <climits>
#include <new>
#include <string>
#include <vector>
#include <zlib.h>

namespace sse {

namespace {

/// Compares names without case (RFC 9110, 8.4.1).
bool same_coding(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

constexpr std::size_t piece_bytes = 64 * 1024;

[[noreturn]] void bad_coding(const std::string& why) {
    throw Error(Errc::receive, why, Reason::bad_coding);
}

/// Decodes gzip, and deflate in both of its forms.
class Inflater : public ContentDecoder {
public:
    explicit Inflater(bool gzip)
        : gzip_(gzip)
        , out_(piece_bytes) {}
    ~Inflater() override {
        if (started_) ::inflateEnd(&stream_);
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    std::string_view next(std::string_view& input) override {
        if (!broken_.empty()) bad_coding(broken_);
        while (!input.empty() || full_ || !form_.empty()) {
            if (!started_ && !start(input)) return {};
            if (ended_) next_member();
            std::string_view form = form_;
            const auto got = form.empty() ? step(input) : step(form);
            form_.clear();
            if (got > 0) return {out_.data(), got}; // output goes before the error behind it
            if (!broken_.empty()) bad_coding(broken_);
        }
        return {};
    }

    void finish() override {
        if (!broken_.empty()) bad_coding(broken_);
        if (begun_ && !ended_) bad_coding(name() + " is incomplete");
    }

private:
    std::string name() const { return gzip_ ? "the gzip body" : "the deflate body"; }

    /// False until there is enough to know the form.
    bool start(std::string_view& input) {
        begun_ = true;
        int window = MAX_WBITS + 16; // gzip
        if (!gzip_) {
            const auto take = std::min<std::size_t>(2 - form_.size(), input.size());
            form_.append(input.substr(0, take));
            input.remove_prefix(take);
            if (form_.size() < 2) return false;
            const auto first = static_cast<unsigned char>(form_[0]);
            const auto second = static_cast<unsigned char>(form_[1]);
            const bool zlib = (first & 0x0F) == 8 && (first * 256 + second) % 31 == 0; // RFC 1950
            window = zlib ? MAX_WBITS : -MAX_WBITS;
        }
        if (::inflateInit2(&stream_, window) != Z_OK) throw std::bad_alloc();
        started_ = true;
        return true;
    }

    /// gzip's bodies may follow one another (RFC 1952, 2.2). Anything else behind the end is an
    /// error, as the framing says that it belongs to the body.
    void next_member() {
        if (!gzip_ || ::inflateReset(&stream_) != Z_OK)
            bad_coding(name() + " has data after its end");
        ended_ = false;
    }

    std::size_t step(std::string_view& input) {
        const auto given = std::min<std::size_t>(input.size(), INT_MAX);
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
        stream_.avail_in = static_cast<uInt>(given);
        stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
        stream_.avail_out = static_cast<uInt>(out_.size());
        const int result = ::inflate(&stream_, Z_SYNC_FLUSH);
        input.remove_prefix(given - stream_.avail_in);
        full_ = stream_.avail_out == 0; // there may be more without further input
        if (result == Z_STREAM_END) ended_ = true, full_ = false;
        else if (result == Z_MEM_ERROR) throw std::bad_alloc();
        else if (result != Z_OK && result != Z_BUF_ERROR)
            broken_ = name() + " is corrupt" + (stream_.msg ? std::string(": ") + stream_.msg : "");
        return out_.size() - stream_.avail_out;
    }

    bool gzip_;
    bool begun_ = false, started_ = false, ended_ = false, full_ = false;
    std::string form_;   ///< the first bytes of deflate, until its form is known and they are read
    std::string broken_; ///< what is wrong with the bytes behind the last piece
    z_stream stream_{};
    std::vector<char> out_;
};

class Brotli : public ContentDecoder {
public:
    Brotli()
        : state_(::BrotliDecoderCreateInstance(nullptr, nullptr, nullptr),
                 ::BrotliDecoderDestroyInstance) {
        if (!state_) throw std::bad_alloc();
    }

    /// One byte of input at a time: when the library meets an error it discards what it has decoded
    /// in the same call, and that must not depend on how the input is cut.
    std::string_view next(std::string_view& input) override {
        while (!input.empty() || ::BrotliDecoderHasMoreOutput(state_.get())) {
            if (!::BrotliDecoderHasMoreOutput(state_.get())) {
                begun_ = true;
                if (::BrotliDecoderIsFinished(state_.get()))
                    bad_coding("the br body has data after its end");
                std::size_t left = 1, room = 0;
                auto* at = reinterpret_cast<const std::uint8_t*>(input.data());
                const auto result = ::BrotliDecoderDecompressStream(state_.get(), &left, &at, &room,
                                                                    nullptr, nullptr);
                input.remove_prefix(1 - left);
                if (result == BROTLI_DECODER_RESULT_ERROR) bad_coding("the br body is corrupt");
            }
            std::size_t size = piece_bytes;
            const auto* out = ::BrotliDecoderTakeOutput(state_.get(), &size);
            if (size > 0) return {reinterpret_cast<const char*>(out), size};
        }
        return {};
    }

    void finish() override {
        if (begun_ && !::BrotliDecoderIsFinished(state_.get()))
            bad_coding("the br body is incomplete");
    }

private:
    std::unique_ptr<BrotliDecoderState, void (*)(BrotliDecoderState*)> state_;
    bool begun_ = false;
};

} // namespace

bool is_registered_coding(std::string_view name) {
    for (const char* known : {"aes128gcm", "br", "bzip2", "compress", "dcb", "dcz", "deflate",
                              "exi", "gzip", "lz4", "lzma", "pack200-gzip", "sdch", "snappy",
                              "x-bzip2", "x-compress", "x-gzip", "xz", "zstd"}) {
        if (same_coding(name, known)) return true;
    }
    return false;
}

std::unique_ptr<ContentDecoder> ContentDecoder::make(std::string_view coding) {
    if (same_coding(coding, "gzip") || same_coding(coding, "x-gzip"))
        return std::make_unique<Inflater>(true);
    if (same_coding(coding, "deflate")) return std::make_unique<Inflater>(false);
    if (same_coding(coding, "br")) return std::make_unique<Brotli>();
    return nullptr;
}

} // namespace sse
