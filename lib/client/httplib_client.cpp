#include "client/httplib_client.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"
#include "http/httplib_compat.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <fmt/format.h>
#include <functional>
#include <utility>

namespace sse {

namespace {

/// The request's bytes without the fields named in `suppressed`: httplib adds defaults of its own.
std::string without_fields(std::string_view request, const std::vector<std::string>& suppressed) {
    std::string out;
    const auto head = request.find("\r\n\r\n") + 2;
    for (std::size_t at = 0; at < head;) {
        const auto end = request.find("\r\n", at) + 2;
        const auto line = request.substr(at, end - at);
        const auto name = line.substr(0, line.find(':'));
        const bool drop =
            at > 0 && std::any_of(suppressed.begin(), suppressed.end(),
                                  [&](const auto& field) { return same_name(field, name); });
        if (!drop) out.append(line);
        at = end;
    }
    return out.append(request.substr(head));
}

/// Collects the bytes that httplib writes until it reads, sends them, and then gives it the status
/// line and no fields: it would percent-decode their values and refuse lines over 8 KiB. Head reads
/// them as they are.
class RequestStream : public HttplibStream {
public:
    RequestStream(const ClientRequest& request, HttpWire& wire)
        : request_(request)
        , wire_(wire) {}

    ssize_t write(const char* bytes, std::size_t size) override {
        written_.append(bytes, size);
        return static_cast<ssize_t>(size);
    }

    ssize_t read(char* buffer, std::size_t size) override {
        if (!sent_ && !send()) return -1;
        const auto count = std::min(size, response_.size() - given_);
        std::memcpy(buffer, response_.data() + given_, count);
        given_ += count;
        return static_cast<ssize_t>(count);
    }

    std::exception_ptr failure() const { return failure_; }
    const std::string& status_line() const { return status_line_; }

private:
    /// Keeps exceptions in `failure_`: none may pass through httplib.
    bool send() {
        sent_ = true;
        try {
            wire_.send(without_fields(written_, request_.suppressed));
            status_line_ = wire_.receive_status_line();
            // std::regex, with which httplib reads it, needs stack for every character.
            response_ =
                std::string(status_line_, 0, std::min<std::size_t>(status_line_.size(), 256)) +
                "\r\n\r\n";
            return true;
        } catch (...) {
            failure_ = std::current_exception();
            return false;
        }
    }

    const ClientRequest& request_;
    HttpWire& wire_;
    std::string written_, status_line_, response_;
    std::size_t given_ = 0;
    bool sent_ = false;
    std::exception_ptr failure_;
};

// NOLINTBEGIN(modernize-use-override)
/// httplib's client on a stream of ours. It opens no socket: what it takes for one is a descriptor
/// of /dev/null, which it may close. The signature of process_socket() changed over the versions.
class HttplibClient : public httplib::ClientImpl {
public:
    HttplibClient(const std::string& host, int port, httplib::Stream& stream)
        : httplib::ClientImpl(host, port)
        , stream_(stream) {
        set_keep_alive(true); // or it adds `Connection: close`
        set_follow_location(false);
        set_decompress(false);
#if !defined(CPPHTTPLIB_VERSION_NUM)
        set_url_encode(false);
#else
        set_path_encode(false);
#endif
    }

private:
    bool create_and_connect_socket(Socket& socket, httplib::Error& error) {
        socket.sock = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        if (socket.sock < 0) error = httplib::Error::Connection;
        return socket.sock >= 0;
    }
    bool process_socket(const Socket&, std::function<bool(httplib::Stream&)> callback) {
        return callback(stream_);
    }
    bool process_socket(const Socket&, std::chrono::time_point<std::chrono::steady_clock>,
                        std::function<bool(httplib::Stream&)> callback) {
        return callback(stream_);
    }

    httplib::Stream& stream_;
};
// NOLINTEND(modernize-use-override)

} // namespace

int httplib_send(const ClientRequest& request, HttpWire& wire) {
    httplib::Request raw;
    raw.method = request.method;
    raw.path = request.url.target;
    for (const auto& field : request.fields) raw.headers.emplace(field.name, field.value);
    if (!request.find("Host")) raw.set_header("Host", request.url.authority());
    if (request.body) raw.body = *request.body; // httplib adds Content-Length
    int status = 0;
    raw.response_handler = [&](const httplib::Response& response) {
        status = response.status;
        return false; // the body is not read here
    };
    RequestStream stream(request, wire);
    HttplibClient client(request.url.host, request.url.port, stream);
    httplib::Response response;
    auto error = httplib::Error::Success;
    try {
        client.send(raw, response, error);
    } catch (const std::exception&) {
        status = 0; // as for every response that it cannot parse
    }
    if (stream.failure()) std::rethrow_exception(stream.failure());
    if (status == 0) status = response.status; // 204 and responses to HEAD reach no handler
    if (status < 100) {
        throw Error(Errc::receive,
                    fmt::format("{} does not speak HTTP/1; it sent \"{}\"", request.url.endpoint(),
                                printable(stream.status_line(), 80)),
                    Reason::not_http);
    }
    return status;
}

} // namespace sse
