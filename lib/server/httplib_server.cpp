#include "server/httplib_server.hpp"

#include "http/httplib_compat.hpp"

#include <exception>
#include <fmt/format.h>
#include <utility>

namespace sse {

class StatusLines::Adapter : public httplib::Server {
public:
    Adapter() {
        set_pre_routing_handler([this](const httplib::Request&, httplib::Response& response) {
            response.status = status_;
            return HandlerResponse::Handled;
        });
        set_exception_handler([](const httplib::Request&, httplib::Response& response,
                                 std::exception_ptr) { response.status = 500; });
    }

    /// The first line that httplib writes for `status`.
    std::string line(int status) {
        status_ = status;
        HttplibStream stream("GET / HTTP/1.1\r\n\r\n");
        respond(*this, stream);
        return stream.output.substr(0, stream.output.find("\r\n"));
    }

private:
    /// A template, so that only the call that this version has is compiled: process_request() takes
    /// the addresses of both ends since 0.18.
    template <typename Server>
    static void respond(Server& server, httplib::Stream& stream) {
        bool closed = false;
        if constexpr (requires { server.process_request(stream, false, closed, nullptr); }) {
            server.process_request(stream, false, closed, nullptr);
        } else {
            server.process_request(stream, {}, 0, {}, 0, false, closed, nullptr);
        }
    }

    int status_ = 200;
};

StatusLines::StatusLines()
    : adapter_(std::make_unique<Adapter>()) {}
StatusLines::~StatusLines() = default;

const std::string& StatusLines::line(int status) {
    if (const auto known = known_.find(status); known != known_.end()) return known->second;
    auto line = adapter_->line(status);
    // RFC 9112, 4: a reason may be empty, and the space before it stays.
    const auto start = fmt::format("HTTP/1.1 {} ", status);
    if (!line.starts_with(start)) line = start;
    // httplib's reasons for these two changed over its versions: RFC 9110, 15.4.1 and 15.5.21.
    if (status == 300) line = start + "Multiple Choices";
    if (status == 422) line = start + "Unprocessable Content";
    return known_.emplace(status, std::move(line)).first->second;
}

} // namespace sse
