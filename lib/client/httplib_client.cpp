#include "client/httplib_client.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"
#include "http/httplib_compat.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

/// The request's bytes without the lines of `removed`: httplib adds defaults to what it is given.
std::string without_fields(std::string_view request, const std::vector<std::string>& removed) {
    std::string out;
    const auto head = request.find("\r\n\r\n") + 2;
    for (std::size_t at = 0; at < head;) {
        const auto end = request.find("\r\n", at) + 2;
        const auto line = request.substr(at, end - at);
        const auto name = line.substr(0, line.find(':'));
        const bool drop =
            at > 0 && std::any_of(removed.begin(), removed.end(),
                                  [&](const auto& field) { return same_name(field, name); });
        if (!drop) out.append(line);
        at = end;
    }
    return out.append(request.substr(head));
}

/// Gathers what httplib writes until it reads, and then gives it the status line and no field: it
/// would percent-decode their values and refuse lines over 8 KiB; Head has them as they came.
class Exchange : public HttplibStream {
public:
    Exchange(const ClientRequest& request, Wire& wire)
        : request_(request)
        , wire_(wire) {}

    ssize_t write(const char* bytes, std::size_t size) override {
        written_.append(bytes, size);
        return static_cast<ssize_t>(size);
    }

    ssize_t read(char* buffer, std::size_t size) override {
        if (!sent_ && !exchange()) return -1;
        const auto count = std::min(size, response_.size() - given_);
        std::memcpy(buffer, response_.data() + given_, count);
        given_ += count;
        return static_cast<ssize_t>(count);
    }

    std::exception_ptr failure() const { return failure_; }
    const std::string& status_line() const { return status_line_; }

private:
    /// Nothing is thrown through httplib.
    bool exchange() {
        sent_ = true;
        try {
            wire_.send(without_fields(written_, request_.removed));
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
    Wire& wire_;
    std::string written_, status_line_, response_;
    std::size_t given_ = 0;
    bool sent_ = false;
    std::exception_ptr failure_;
};

} // namespace

bool HttplibClient::create_and_connect_socket(Socket& socket, httplib::Error& error) {
    socket.sock = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (socket.sock < 0) error = httplib::Error::Connection;
    return socket.sock >= 0;
}

int httplib_exchange(const ClientRequest& request, Wire& wire) {
    httplib::Request raw;
    raw.method = request.method;
    raw.path = request.url.target;
    for (const auto& field : request.fields) raw.headers.emplace(field.name, field.value);
    if (!request.find("Host")) raw.set_header("Host", request.url.authority());
    if (request.body) raw.body = *request.body; // its length is httplib's to say
    int status = 0;
    raw.response_handler = [&](const httplib::Response& response) {
        status = response.status;
        return false; // the body is not read here
    };
    Exchange exchange(request, wire);
    HttplibClient client(request.url.host, request.url.port, exchange);
    httplib::Response response;
    auto error = httplib::Error::Success;
    try {
        client.send(raw, response, error);
    } catch (const std::exception&) {
        status = 0; // as for every other answer that it cannot read
    }
    if (exchange.failure()) std::rethrow_exception(exchange.failure());
    if (status == 0) status = response.status; // 204 and answers to HEAD reach no handler
    if (status < 100) {
        throw Error(Errc::receive,
                    fmt::format("{} did not answer in HTTP/1, but with \"{}\"",
                                request.url.endpoint(), printable(exchange.status_line(), 80)),
                    Reason::not_http);
    }
    return status;
}

} // namespace sse
