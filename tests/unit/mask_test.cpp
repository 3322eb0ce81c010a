#include "base/mask.hpp"

#include "unit/catch2.hpp"

TEST_CASE("secrets are known by the name of their header") {
    for (const auto* name : {"Authorization", "authorization", "PROXY-AUTHORIZATION", "Cookie",
                             "Set-Cookie", "X-Api-Key", "api-key", "x-goog-apikey", "X-Auth-Token",
                             "x-amz-security-token", "Client-Secret", "X-Password",
                             "Ocp-Apim-Subscription-Key", "X-CSRF", "X-Auth", "sessionId"}) {
        INFO(name);
        CHECK(sse::mask_header(name, "Bearer sk-123") == "***");
    }
    for (const auto* name :
         {"Accept", "Content-Type", "Last-Event-ID", "X-Request-Id", "User-Agent", "Cache-Control",
          "Authority", "X-Keyboard", "Mcp-Session-Id"}) {
        INFO(name);
        CHECK(sse::mask_header(name, "plain") == "plain");
    }
    CHECK(sse::mask_header("Location", "http://u:p@h/?token=1") == "http://***@h/?token=***");
}

TEST_CASE("secrets in a URL are masked, and nothing else of it") {
    struct Row {
        const char *url, *masked;
    };
    const Row rows[] = {
        {"http://h/", "http://h/"},
        {"http://h", "http://h"},
        {"", ""},
        {"http://user:pass@h:1/p", "http://***@h:1/p"},
        {"http://user@h/p", "http://***@h/p"},
        {"http://a@b@h/p", "http://***@h/p"},
        {"http://u:p@h?x=1", "http://***@h?x=1"},
        {"http://h/a@b", "http://h/a@b"},
        {"http://h/?mail=a@b.c", "http://h/?mail=a@b.c"},
        {"http://h/?key=1", "http://h/?key=***"},
        {"http://h/?a=b&api_key=1&c=d", "http://h/?a=b&api_key=***&c=d"},
        {"http://h/?access_token=1#token=2", "http://h/?access_token=***#token=***"},
        {"http://h/#id_token=1&state=2", "http://h/#id_token=***&state=2"},
        {"http://h/?X-Amz-Signature=abc", "http://h/?X-Amz-Signature=***"},
        {"http://h/?KEY=1;APIKEY=2", "http://h/?KEY=***;APIKEY=***"},
        {"http://h/?keyword=1&monkey=2&author=3", "http://h/?keyword=1&monkey=2&author=3"},
        {"http://h/?key", "http://h/?key"},
        {"http://h/?key=", "http://h/?key=***"},
        {"http://h/?key=a=b", "http://h/?key=***"},
        {"/relative?token=1", "/relative?token=***"},
        {"/to?next=http://u:p@h/", "/to?next=http://***@h/"},
        {"/to?next=http://h/?token=1", "/to?next=http://h/?token=***"},
        {"user:pass@h:1/p", "***@h:1/p"},
        {"http://h/?%74oken=1&access%5Ftoken=2", "http://h/?%74oken=***&access%5Ftoken=***"},
        {"http://h/?apiKey=1&accessToken=2&sessionId=3",
         "http://h/?apiKey=***&accessToken=***&sessionId=***"},
        {"http://h/?sid=1&jwt=2&passwd=3&side=4", "http://h/?sid=***&jwt=***&passwd=***&side=4"},
        {"https://h/?a[key]=1", "https://h/?a[key]=***"},
    };
    for (const auto& row : rows) {
        INFO(row.url);
        CHECK(sse::mask_url(row.url) == row.masked);
    }
}

TEST_CASE("a head is masked line by line, however it is written") {
    const auto lines =
        sse::mask_head("GET /x?access_token=s HTTP/1.1\r\nHost: h\r\n"
                       "Set-Cookie:session=s\r\n more=s\r\nCOOKIE :  a=s\r\n"
                       "Authorization\t:\tBearer s\r\nX-Empty:\r\nLocation:/?code=s\r\n\r\n");
    const std::vector<std::string> expected = {"GET /x?access_token=*** HTTP/1.1",
                                               "Host: h",
                                               "Set-Cookie: ***",
                                               "***",
                                               "COOKIE: ***",
                                               "Authorization: ***",
                                               "X-Empty: ",
                                               "Location: /?code=***"};
    CHECK(lines == expected);
    CHECK(sse::mask_head("HTTP/1.1 200 OK?token=1\nA: b\n\n") ==
          std::vector<std::string>{"HTTP/1.1 200 OK?token=1", "A: b"});
    CHECK(sse::mask_head("CONNECT h:443 HTTP/1.1\r\n\r\n") ==
          std::vector<std::string>{"CONNECT h:443 HTTP/1.1"});
}
