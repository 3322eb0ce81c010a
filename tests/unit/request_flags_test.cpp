#include "cmd/client/request_flags.hpp"

#include "cmd/cli/command.hpp"
#include "unit/catch2.hpp"

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace {

using cmd::RequestFlags;

sse::ClientRequest request_of(RequestFlags flags, const char* url = "http://h/") {
    cmd::complete(flags);
    return cmd::make_request(flags, sse::Url::parse(url));
}

/// The values of the field `name`, between `|`; `-` if it is suppressed.
std::string values(const sse::ClientRequest& request, const char* name) {
    for (const auto& suppressed : request.suppressed) {
        if (sse::same_name(suppressed, name)) return "-";
    }
    std::string out;
    for (const auto& field : request.fields) {
        if (!sse::same_name(field.name, name)) continue;
        if (!out.empty()) out += "|";
        out += field.value;
    }
    return out;
}

/// The environment of one scope.
class Environment {
public:
    explicit Environment(const std::map<std::string, std::string>& variables) {
        for (const char* name :
             {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
              "no_proxy", "NO_PROXY", "REQUEST_METHOD"})
            ::unsetenv(name);
        for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
        for (const auto& [name, value] : variables) names_.push_back(name);
    }
    ~Environment() {
        for (const auto& name : names_) ::unsetenv(name.c_str());
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

private:
    std::vector<std::string> names_;
};

} // namespace

TEST_CASE("headers are given, replaced and removed as with curl") {
    struct Row {
        RequestFlags flags;
        const char *name, *values;
    };
    const auto headers = [](std::vector<std::string> lines) {
        RequestFlags flags;
        flags.headers = std::move(lines);
        return flags;
    };
    const auto with = [](auto change) {
        RequestFlags flags;
        change(flags);
        return flags;
    };
    const Row rows[] = {
        {{}, "Accept", "text/event-stream"},
        {{}, "Cache-Control", "no-cache"},
        {{}, "Last-Event-ID", ""},
        {headers({"X-One: 1"}), "X-One", "1"},
        {headers({"X-One:1", "X-One:  2 "}), "X-One", "1|2"},
        {headers({"Accept: a/b"}), "Accept", "a/b"},
        {headers({"accept: a/b"}), "Accept", "a/b"},
        {headers({"X-Empty;"}), "X-Empty", ""},
        {headers({"Accept:"}), "Accept", "-"},
        {headers({"User-Agent:"}), "User-Agent", "-"},
        {headers({"Host: other.example"}), "Host", "other.example"},
        {headers({"X: a: b"}), "X", "a: b"},
        {with([](auto& f) { f.agent = "me/1"; }), "User-Agent", "me/1"},
        {with([](auto& f) { f.agent = ""; }), "User-Agent", "-"},
        {with([](auto& f) {
             f.cookies = {"a=1", "b=2"};
         }),
         "Cookie", "a=1; b=2"},
        {with([](auto& f) { f.bearer = "tok"; }), "Authorization", "Bearer tok"},
        {with([](auto& f) { f.user = "me:p:w"; }), "Authorization", "Basic bWU6cDp3"},
        {with([](auto& f) { f.user = "me:pw", f.headers = {"Authorization: mine"}; }),
         "Authorization", "mine"},
        {with([](auto& f) { f.compressed = true; }), "Accept-Encoding", "gzip, deflate, br"},
        {with([](auto& f) { f.compressed = true, f.headers = {"Accept-Encoding: br"}; }),
         "Accept-Encoding", "br"},
        {with([](auto& f) { f.data = {"a=1"}; }), "Content-Type",
         "application/x-www-form-urlencoded"},
        {with([](auto& f) { f.json = {"{}"}; }), "Content-Type", "application/json"},
        {with([](auto& f) { f.json = {"{}"}; }), "Accept", "application/json, text/event-stream"},
        {with([](auto& f) { f.json = {"{}"}, f.headers = {"Accept: a/b"}; }), "Accept", "a/b"},
    };
    for (const auto& row : rows) {
        INFO(row.name << ": " << row.values);
        CHECK(values(request_of(row.flags), row.name) == row.values);
    }
    CHECK(values(request_of({}, "http://me:pw@h/"), "Authorization") == "Basic bWU6cHc=");
    CHECK(values(request_of({}), "User-Agent").starts_with("sse/"));
}

TEST_CASE("data makes a POST, and pieces of it are joined as with curl") {
    struct Row {
        std::vector<std::string> data, json;
        const char *method, *body;
    };
    const Row rows[] = {
        {{"a=1"}, {}, "POST", "a=1"},
        {{"a=1", "b=2"}, {}, "POST", "a=1&b=2"},
        {{""}, {}, "POST", ""},
        {{"", "a", ""}, {}, "POST", "&a&"},
        {{}, {"{\"a\":1}"}, "POST", "{\"a\":1}"},
        {{}, {"[", "]"}, "POST", "[]"},
    };
    for (const auto& row : rows) {
        RequestFlags flags;
        flags.data = row.data, flags.json = row.json;
        auto request = request_of(flags);
        CHECK(request.method == row.method);
        CHECK(request.body == row.body);
        flags.method = "PUT";
        CHECK(request_of(flags).method == "PUT");
    }
    CHECK(request_of({}).method == "GET");
    CHECK(!request_of({}).body);
}

TEST_CASE("flags of a request that exclude each other or cannot be used are refused") {
    const auto refusal = [](auto change) {
        RequestFlags flags;
        change(flags);
        try {
            request_of(flags);
        } catch (const cmd::Failure& e) {
            CHECK(e.status() == 2);
            CHECK(!e.hint().empty());
            return std::string(e.what());
        }
        return std::string();
    };
    CHECK_THAT(refusal([](auto& f) { f.headers = {"nonsense"}; }), ContainsSubstring("nonsense"));
    CHECK_THAT(refusal([](auto& f) { f.headers = {": x"}; }), ContainsSubstring(": x"));
    CHECK_THAT(refusal([](auto& f) { f.headers = {"@/no/such"}; }),
               ContainsSubstring("/no/such for -H: No such file or directory"));
    CHECK_THAT(refusal([](auto& f) { f.cookies = {"jar"}; }), ContainsSubstring("jar"));
    CHECK(refusal([](auto& f) { f.data = {"a"}, f.json = {"b"}; }) != "");
    CHECK(refusal([](auto& f) { f.user = "a:b", f.bearer = "c"; }) != "");
}

TEST_CASE("the environment names proxies, and flags go before it") {
    struct Row {
        std::map<std::string, std::string> variables;
        const char *http, *https, *no_proxy;
    };
    const Row rows[] = {
        {{{"http_proxy", "A"}}, "A", "", ""},
        {{{"HTTP_PROXY", "A"}}, "A", "", ""},
        {{{"http_proxy", "A"}, {"HTTP_PROXY", "B"}}, "A", "", ""},
        {{{"HTTP_PROXY", "A"}, {"REQUEST_METHOD", "GET"}}, "", "", ""},
        {{{"http_proxy", "A"}, {"REQUEST_METHOD", "GET"}}, "A", "", ""},
        {{{"all_proxy", "A"}}, "A", "A", ""},
        {{{"ALL_PROXY", "A"}}, "A", "A", ""},
        {{{"ALL_PROXY", "B"}, {"http_proxy", "A"}}, "A", "B", ""},
        {{{"https_proxy", "A"}}, "", "A", ""},
        {{{"http_proxy", ""}}, "", "", ""},
        {{{"http_proxy", "A"}, {"no_proxy", "x"}, {"NO_PROXY", "*"}}, "A", "", "x"},
        {{{"NO_PROXY", "*"}}, "", "", "*"},
    };
    for (const auto& row : rows) {
        const Environment environment(row.variables);
        const auto proxies = cmd::proxies_of({});
        CHECK(proxies.http == row.http);
        CHECK(proxies.https == row.https);
        CHECK(proxies.no_proxy == row.no_proxy);
    }
    const Environment environment({{"all_proxy", "A"}, {"no_proxy", "x"}});
    RequestFlags flags;
    flags.proxy = "B", flags.no_proxy = "";
    CHECK(cmd::proxies_of(flags).http == "B");
    CHECK(cmd::proxies_of(flags).no_proxy == "");
    flags.proxy = "";
    CHECK(cmd::proxies_of(flags).https == "");
}
