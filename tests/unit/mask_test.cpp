#include "base/mask.hpp"

#include "unit/catch2.hpp"

TEST_CASE("secrets are known by the name of their header") {
    for (const auto* name :
         {"Authorization", "authorization", "PROXY-AUTHORIZATION", "Cookie", "Set-Cookie",
          "X-Api-Key", "api-key", "x-goog-apikey", "X-Auth-Token", "x-amz-security-token",
          "Client-Secret", "X-Password", "Ocp-Apim-Subscription-Key"}) {
        INFO(name);
        CHECK(sse::mask_header(name, "Bearer sk-123") == "***");
    }
    for (const auto* name : {"Accept", "Content-Type", "Last-Event-ID", "X-Request-Id",
                             "User-Agent", "Cache-Control", "Authority", "X-Keyboard"}) {
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
        {"/to?next=http://u:p@h/", "/to?next=http://u:p@h/"},
        {"https://h/?a[key]=1", "https://h/?a[key]=***"},
    };
    for (const auto& row : rows) {
        INFO(row.url);
        CHECK(sse::mask_url(row.url) == row.masked);
    }
}
