#include "client/client_request.hpp"
#include "client/httplib_client.hpp"
#include "unit/catch2.hpp"

#include <string>
#include <utility>
#include <vector>

TEST_CASE("The head of a request is written byte for byte, whatever version of httplib is there") {
    sse::ClientRequest request;
    request.url = sse::Url::parse("http://a.example:81/x?y=%0d");
    SECTION("without a body") {
        CHECK(head_of(request) == "GET /x?y=%0d HTTP/1.1\r\nHost: a.example:81\r\n\r\n");
    }
    SECTION("fields of one name keep their order") {
        request.fields = {{"X-b", "2"}, {"a", "0"}, {"x-B", "1"}, {"Host", "h"}, {"X-B", ""}};
        CHECK(head_of(request) ==
              "GET /x?y=%0d HTTP/1.1\r\na: 0\r\nHost: h\r\nX-b: 2\r\nx-B: 1\r\nX-B: \r\n\r\n");
    }
    SECTION("a body") {
        request.method = "POST";
        request.body = std::string(2000, 'x');
        CHECK(head_of(request) ==
              "POST /x?y=%0d HTTP/1.1\r\nContent-Length: 2000\r\nHost: a.example:81\r\n\r\n");
        request.fields = {{"Content-Length", "1"}};
        CHECK(head_of(request) ==
              "POST /x?y=%0d HTTP/1.1\r\nContent-Length: 1\r\nHost: a.example:81\r\n\r\n");
        request.fields.clear();
        request.suppressed = {"content-length", "HOST"};
        CHECK(head_of(request) == "POST /x?y=%0d HTTP/1.1\r\n\r\n");
    }
    SECTION("no body where there could be one") {
        for (const char* method : {"POST", "PUT", "PATCH"}) {
            request.method = method;
            CHECK(head_of(request) ==
                  std::string(method) +
                      " /x?y=%0d HTTP/1.1\r\nContent-Length: 0\r\nHost: a.example:81\r\n\r\n");
        }
    }
}

TEST_CASE("A status line is read alike by every version of httplib") {
    for (const auto& [line, status] : std::vector<std::pair<std::string, int>>{
             {"HTTP/1.1 200 OK", 200},
             {"HTTP/1.0 204 No Content", 204},
             {"HTTP/1.1 304 Not Modified", 304},
             {"HTTP/1.1 503 ", 503},
             {"HTTP/1.1 503", 503},
             {"HTTP/1.1 101 Switching Protocols", 101},
             {"HTTP/1.1 999 \xFF\xFE", 999},
             {"HTTP/1.1 200 " + std::string(100'000, 'x'), 200},
             {"HTTP/1.1 099 Low", 0},
             {"HTTP/1.1 20 Short", 0},
             {"HTTP/1.1 2000 Long", 0},
             {"HTTP/1.1  200 OK", 0},
             {"HTTP/1.1\t200 OK", 0},
             {"HTTP/1.2 200 OK", 0},
             {"HTTP/2 200", 0},
             {"HTTP/1.1 -20 OK", 0},
             {"HTTP/1.1 +20 OK", 0},
             {"http/1.1 200 OK", 0},
             {" HTTP/1.1 200 OK", 0},
             {"HTTP/1.1", 0},
             {"HTTP/1.1 ", 0},
             {"", 0},
             {"ICY 200 OK", 0}}) {
        INFO(line.substr(0, 40));
        CHECK(sse::httplib_status(line) == status);
    }
}
