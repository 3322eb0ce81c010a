#include "server/httplib_server.hpp"

#include "http/httplib_compat.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <fmt/format.h>

namespace sse {

namespace {

/// The head that process_request() reads, and the bytes that it writes.
class CodecStream : public HttplibStream {
public:
    explicit CodecStream(std::string_view input)
        : input_(input) {}
    ssize_t read(char* to, std::size_t size) override {
        const auto piece = input_.substr(0, size);
        std::copy(piece.begin(), piece.end(), to);
        input_.remove_prefix(piece.size());
        return static_cast<ssize_t>(piece.size());
    }
    ssize_t write(const char* from, std::size_t size) override {
        output.append(from, size);
        return static_cast<ssize_t>(size);
    }

    std::string output;

private:
    std::string_view input_;
};

/// RFC 9110, 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`, whatever the locale.
std::string http_date() {
    constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                       days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                       months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900,
                       utc.tm_hour, utc.tm_min, utc.tm_sec);
}

/// httplib refuses methods that it does not know; of the others only HEAD changes the response.
bool is_head(std::string_view method) { return method == "HEAD"; }

} // namespace

class ResponseCodec::Adapter : public httplib::Server {
public:
    explicit Adapter(std::chrono::milliseconds idle) {
        set_pre_routing_handler([this](const httplib::Request&, httplib::Response& response) {
            fill(response);
            return HandlerResponse::Handled;
        });
        // Without one, 0.11.4 sends the text of an exception as a header.
        set_exception_handler([](const httplib::Request&, httplib::Response& response,
                                 std::exception_ptr) { response.status = 500; });
        set_keep_alive_max_count(1000);
        if (idle.count() == 0) idle = std::chrono::hours(24); // no limit
        set_keep_alive_timeout(std::chrono::duration_cast<std::chrono::seconds>(idle).count());
    }

    std::string run(std::string_view head, bool close, Framing framing, const Response& response) {
        response_ = &response;
        framing_ = framing;
        CodecStream bytes(head);
        bool closed = close;
        process_request(bytes, close, closed, nullptr);
        return std::move(bytes.output);
    }

private:
    void fill(httplib::Response& response) const {
        response.status = response_->status;
        response.set_header("Date", http_date());
        for (const auto& [name, value] : response_->headers) response.set_header(name, value);
        const bool stream =
            response_->feed ||
            (response_->content_type.starts_with("text/event-stream") && response_->body.empty());
        if (stream) {
            const auto nothing = [](std::size_t, httplib::DataSink&) { return false; };
            if (framing_ == Framing::chunked) {
                response.set_chunked_content_provider(response_->content_type, nothing);
            } else {
                response.set_content_provider(response_->content_type, nothing);
            }
        } else {
            response.body = response_->body;
            if (!response_->content_type.empty())
                response.set_header("Content-Type", response_->content_type);
        }
    }

    const Response* response_ = nullptr;
    Framing framing_ = Framing::chunked;
};

ResponseCodec::ResponseCodec(std::chrono::milliseconds idle)
    : adapter_(std::make_unique<Adapter>(idle)) {}
ResponseCodec::~ResponseCodec() = default;

std::string ResponseCodec::encode(std::string_view method, Framing framing, bool keep_alive,
                                  const Response& response) {
    const auto head = fmt::format("{} / HTTP/1.{}\r\n\r\n", is_head(method) ? "HEAD" : "POST",
                                  framing == Framing::chunked ? 1 : 0);
    auto bytes = adapter_->run(head, !keep_alive, framing, response);
    const auto erase = [&](std::string_view line) {
        const auto at = bytes.find(line);
        if (at < bytes.find("\r\n\r\n")) bytes.erase(at, line.size());
    };
    // RFC 9110, 8.6: none in a 204. And byte ranges of a stream, which cpp-httplib offers, are not.
    if (response.status == 204 || response.status == 304) erase("Content-Length: 0\r\n");
    if (is_head(method)) erase("Accept-Ranges: bytes\r\n");
    if (response.feed) bytes.resize(bytes.find("\r\n\r\n") + 4);
    return bytes;
}

} // namespace sse
