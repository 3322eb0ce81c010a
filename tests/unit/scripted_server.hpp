// A server on a thread of the test, for clients: each connection gets one request and one response,
// byte for byte, and is then closed.
#pragma once

#include "base/posix.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

class ScriptedServer {
public:
    /// The response to the nth request, whose head and body it is given.
    using Handler = std::function<std::string(std::size_t n, const std::string& request)>;

    explicit ScriptedServer(Handler handler)
        : handler_(std::move(handler))
        , listener_(sse::make_socket(AF_INET, SOCK_STREAM, false)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listener_, generic, length) != 0 || ::listen(listener_, 16) != 0 ||
            ::getsockname(listener_, generic, &length) != 0)
            throw std::runtime_error("cannot listen");
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { run(); });
    }
    /// Answers with `responses` in turn, the last one again and again.
    explicit ScriptedServer(std::vector<std::string> responses)
        : ScriptedServer([responses = std::move(responses)](std::size_t n, const std::string&) {
            return responses[std::min(n, responses.size() - 1)];
        }) {}
    ~ScriptedServer() {
        ::shutdown(listener_, SHUT_RDWR); // ends accept()
        thread_.join();
        ::close(listener_);
    }
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    std::string url(std::string_view path = "/") const {
        return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
    }
    std::vector<std::string> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

private:
    void run() {
        for (int fd = 0; (fd = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(fd)) {
            const auto request = read_request(fd);
            std::size_t number = 0;
            {
                const std::lock_guard lock(mutex_);
                number = requests_.size();
                requests_.push_back(request);
            }
            const auto response = handler_(number, request);
            for (std::string_view rest = response; !rest.empty();) {
                const auto sent = ::send(fd, rest.data(), rest.size(), sse::no_sigpipe);
                if (sent <= 0) break;
                rest.remove_prefix(static_cast<std::size_t>(sent));
            }
        }
    }
    static std::string read_request(int fd) {
        std::string bytes;
        char buffer[4096];
        while (true) {
            if (const auto end = bytes.find("\r\n\r\n"); end != bytes.npos) {
                const auto at = bytes.find("Content-Length: ");
                const auto size =
                    at < end ? std::strtoul(bytes.c_str() + at + 16, nullptr, 10) : 0UL;
                if (bytes.size() >= end + 4 + size) return bytes;
            }
            const auto got = ::recv(fd, buffer, sizeof buffer, 0);
            if (got <= 0) return bytes;
            bytes.append(buffer, static_cast<std::size_t>(got));
        }
    }

    Handler handler_;
    int listener_;
    int port_ = 0;
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
    std::thread thread_;
};
