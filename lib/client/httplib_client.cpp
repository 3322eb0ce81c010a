#include "client/httplib_client.hpp"

#include "http/httplib_compat.hpp"

#include <chrono>
#include <exception>
#include <functional>
#include <limits>
#include <string>

namespace sse {

namespace {

/// std::regex, with which some versions read the line, needs stack for every character.
constexpr std::size_t max_line = 256;

// NOLINTBEGIN(modernize-use-override)
/// httplib's client on a stream of ours. It connects to nothing: what it takes for its connection,
/// and closes, is a number that no descriptor has. The signature of process_socket() changed over
/// the versions.
class HttplibClient : public httplib::ClientImpl {
public:
    explicit HttplibClient(httplib::Stream& stream)
        : httplib::ClientImpl("localhost", 80)
        , stream_(stream) {
        set_keep_alive(true);
        set_follow_location(false);
        set_decompress(false);
    }

private:
    bool create_and_connect_socket(Socket& socket, httplib::Error&) {
        socket.sock = std::numeric_limits<socket_t>::max();
        return true;
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

int httplib_status(std::string_view status_line) {
    // No fields: httplib would percent-decode them, and refuse long ones. What it writes, the
    // request below, is dropped.
    const auto head = std::string(status_line.substr(0, max_line)) + "\r\n\r\n";
    HttplibStream stream(head);
    HttplibClient client(stream);
    httplib::Request request;
    request.method = "GET";
    request.path = "/";
    int status = 0;
    request.response_handler = [&](const httplib::Response& response) {
        status = response.status;
        return false; // the body is not read here
    };
    httplib::Response response;
    auto error = httplib::Error::Success;
    try {
        client.send(request, response, error);
    } catch (const std::exception&) {
        return 0; // as for every line that it cannot read
    }
    if (status == 0) status = response.status; // a 204 reaches no handler
    return status < 100 ? 0 : status;
}

} // namespace sse
