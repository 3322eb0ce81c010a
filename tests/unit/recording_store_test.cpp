#include "proxy/recording_store.hpp"

#include "base/error.hpp"
#include "proxy/exchange_recorder.hpp"
#include "recording/reader.hpp"
#include "server/request_reader.hpp"
#include "unit/catch2.hpp"
#include "unit/recording_text.hpp"
#include "unit/temporary_directory.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <zlib.h>

namespace {

namespace fs = std::filesystem;

/// A directory of recordings.
class TemporaryDirectory {
public:
    fs::path path() const { return directory_.path(); }
    void add(const std::string& name) const { std::ofstream(path() / name) << "{\"sse\":1}\n"; }
    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& it : fs::directory_iterator(path())) all.push_back(it.path().filename());
        std::sort(all.begin(), all.end());
        return all;
    }

private:
    test::TemporaryDirectory directory_;
};

using Names = std::vector<std::string>;

sse::RecordingStoreOptions options_for(const TemporaryDirectory& directory) {
    sse::RecordingStoreOptions options;
    options.directory = directory.path();
    return options;
}

sse::Head response(const std::string& lines = {}) {
    return sse::Head::parse("HTTP/1.1 200 OK\r\n" + lines + "\r\n");
}

std::string gzipped(std::string_view text) {
    z_stream z{};
    REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(text.size() + 100, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
}

/// One exchange, recorded into a directory of its own.
struct Exchange {
    TemporaryDirectory directory;
    sse::RecordingStore store;
    sse::Request request;
    sse::ExchangeRecorder recorder;

    explicit Exchange(const std::function<void(sse::RecordingStoreOptions&)>& change = {},
                      const std::string& method = "POST")
        : store(changed(options_for(directory), change))
        , request(made(method))
        , recorder(store, request, sse::Url::parse("http://up/v1/chat?key=secret"),
                   "/v1/chat?key=secret") {}

    static sse::RecordingStoreOptions
    changed(sse::RecordingStoreOptions options,
            const std::function<void(sse::RecordingStoreOptions&)>& change) {
        if (change) change(options);
        return options;
    }
    static sse::Request made(const std::string& method) {
        sse::RequestReader reader(sse::RequestLimits{});
        const auto wire =
            method + " /v1/chat?key=secret HTTP/1.1\r\nHost: h\r\nX-Api-Key: k\r\n\r\n";
        std::string_view rest = wire;
        reader.feed(rest);
        return reader.request();
    }
    /// The response begins, and its file is created; `body`: after the whole request body.
    void open(const sse::Head& head, bool body = true) {
        if (body) recorder.end_body();
        recorder.open(200, head);
        CHECK(directory.names().empty());
        recorder.flush();
    }
    std::string file() const { return directory.path() / directory.names().at(0); }
    sse::RecordingHeader header() const { return sse::open_recording(file())->header(); }
    /// `bytes(x) bytes(y) close eof `, without times.
    std::string records() const {
        std::string all;
        const auto reader = sse::open_recording(file());
        while (const auto* record = reader->next()) {
            const auto text = describe(*record);
            all += text.substr(text.find(' ') + 1) + ";";
        }
        return all;
    }
};

void mask_user(sse::RecordingStoreOptions& options) { options.masked.add("/user"); }

} // namespace

TEST_CASE("Names of recordings are readable and stable") {
    struct Row {
        std::string method, target, body, name;
    };
    const auto hash = [](const std::string& target, const std::string& body) {
        const auto name = sse::recording_name("M", target, body);
        return name.substr(name.rfind('-') + 1);
    };
    const Row rows[] = {
        {"GET", "/", "", "GET"},
        {"GET", "/v1/models", "", "GET-v1-models"},
        {"GET", "/a.b_c-d~e", "", "GET-a.b_c-d-e"},
        {"GET", "/a/", "", "GET-a"},
        {"GET", "//a//b", "", "GET-a-b"},
        {"GET", "/../../etc/passwd", "", "GET-..-..-etc-passwd"},
        {"GET", "/%2e%2e%2Fx%00y%0a", "", "GET-..-x-y"},
        {"GET", "/\xE8\xB1\x86/x", "", "GET-x"},
        {"M-SEARCH", "*", "", "M-SEARCH"},
        {"GET", "/" + std::string(200, 'x'), "", "GET-" + std::string(80, 'x')},
        {"GET", "/a?", "", "GET-a"},
        {"POST", "/a", "{}", "POST-a-" + hash("/b", "{ }")},
        {"POST", "/a?x=1", "{}", "POST-a-" + hash("/?x=1", "{}")},
    };
    for (const auto& row : rows) {
        INFO(row.target);
        CHECK(sse::recording_name(row.method, row.target, row.body) == row.name);
    }
    CHECK(hash("/", "{}").size() == 12);
    CHECK(hash("/", R"({"a":1,"b":2})") == hash("/", R"( {"b":2.0,"a":1} )"));
    CHECK(hash("/", "a") != hash("/", "b"));
    CHECK(hash("/?a", "") != hash("/", "a"));
    CHECK(hash("/?a", "b") != hash("/", "a\nb"));
    CHECK(hash("/", "--x\r\n\r\n1\r\n--x--\r\n") == hash("/", "--yy\r\n\r\n1\r\n--yy--\r\n"));
}

TEST_CASE("Recordings are numbered, and those of earlier runs are kept or replaced") {
    TemporaryDirectory directory;
    for (const char* name :
         {"GET-a-0001.jsonl", "GET-a-0002.jsonl", "GET-b-0007.jsonl", "other.jsonl",
          "GET-c-x.jsonl", "GET-d-0001.sse", "notes.txt", "GET-e-1.jsonl"})
        directory.add(name);
    auto options = options_for(directory);
    const auto name = [](sse::RecordingStore& store, const std::string& target) {
        return fs::path(store.next_path(sse::recording_name("GET", target, "")))
            .filename()
            .string();
    };
    SECTION("kept") {
        options.replace = false;
        sse::RecordingStore store(options);
        CHECK(store.earlier().size() == 7); // all but the text
        CHECK(name(store, "/a") == "GET-a-0003.jsonl");
        CHECK(name(store, "/a") == "GET-a-0004.jsonl");
        CHECK(name(store, "/b") == "GET-b-0008.jsonl");
        CHECK(name(store, "/new") == "GET-new-0001.jsonl");
        CHECK(directory.names().size() == 8);
    }
    SECTION("replaced, of a request that is asked again") {
        sse::RecordingStore store(options);
        CHECK(name(store, "/a") == "GET-a-0001.jsonl");
        CHECK(name(store, "/a") == "GET-a-0002.jsonl");
        CHECK(directory.names() == Names{"GET-b-0007.jsonl", "GET-c-x.jsonl", "GET-d-0001.sse",
                                         "GET-e-1.jsonl", "notes.txt", "other.jsonl"});
    }
    SECTION("a directory of files that have numbers beyond all") {
        directory.add("GET-z-99999999999999999999.jsonl");
        sse::RecordingStore store(options);
        CHECK(name(store, "/z") == "GET-z-0001.jsonl");
    }
}

TEST_CASE("A directory that cannot be made is an error that names it") {
    sse::RecordingStoreOptions options;
    options.directory = "/dev/null/x";
    CHECK_THROWS_WITH(sse::RecordingStore(options), ContainsSubstring("/dev/null/x"));
}

TEST_CASE("An exchange is recorded as it happens") {
    Exchange it;
    CHECK(it.recorder.add_body("{\"q\":"));
    CHECK(it.recorder.add_body("1}"));
    CHECK(it.store.bodies().used() == 7);
    it.open(response("Content-Type: text/event-stream\r\nSet-Cookie: a=b\r\n"));
    CHECK(it.store.bodies().used() == 0);
    it.recorder.bytes("data: a");
    it.recorder.bytes("\n\n");
    it.recorder.flush();
    CHECK(it.records() == "bytes(data: a);bytes(\n\n);"); // what a kill would leave
    it.recorder.close("reset", "why");
    CHECK(it.records() == "bytes(data: a);bytes(\n\n);close reset why;");
    const auto header = it.header();
    CHECK(header.exact);
    CHECK(header.url == "http://up/v1/chat?key=***");
    CHECK(header.request.method == "POST");
    CHECK(header.request.target.empty());
    CHECK(header.request.body == "{\"q\":1}");
    CHECK(header.request.headers.at(1) == std::pair<std::string, std::string>("X-Api-Key", "***"));
    CHECK(header.response.status == 200);
    CHECK(header.response.headers.at(1) ==
          std::pair<std::string, std::string>("Set-Cookie", "***"));
}

TEST_CASE("No file is made before the response begins") {
    Exchange it;
    it.recorder.add_body("x");
    it.recorder.flush();
    it.recorder.close("client");
    CHECK(it.directory.names().empty());
}

TEST_CASE("A body that is too large, or incomplete when the response begins, is not recorded") {
    Exchange it([](auto& options) { options.max_body_bytes = 5; });
    bool body = true;
    SECTION("too large") {
        CHECK(it.recorder.add_body("12345"));
        CHECK_FALSE(it.recorder.add_body("6"));
        CHECK(it.recorder.add_body("7")); // said once
        CHECK(it.store.bodies().used() == 0);
    }
    SECTION("beyond the budget of all") {
        CHECK(it.store.bodies().take(64 * 1024 * 1024 - 3));
        CHECK_FALSE(it.recorder.add_body("1234"));
    }
    SECTION("incomplete") {
        CHECK(it.recorder.add_body("1"));
        body = false;
    }
    it.open(response(), body);
    CHECK_FALSE(it.header().request.body);
}

TEST_CASE("A coded response is recorded decoded, at every cut") {
    const auto packed = gzipped("data: x\n\n");
    for (std::size_t cut = 0; cut <= packed.size(); ++cut) {
        Exchange it;
        it.open(response("Content-Encoding: gzip\r\n"));
        it.recorder.bytes(std::string_view(packed).substr(0, cut));
        it.recorder.bytes(std::string_view(packed).substr(cut));
        it.recorder.close("eof");
        auto text = it.records();
        for (auto at = text.find(");bytes("); at != text.npos; at = text.find(");bytes("))
            text.erase(at, 8);
        CHECK(text == "bytes(data: x\n\n);close eof ;");
    }
}

TEST_CASE("A coded response that is cut is an error if the connection ended well") {
    const auto packed = gzipped("data: x\n\n");
    for (const char* how : {"eof", "reset"}) {
        Exchange it;
        it.open(response("Content-Encoding: gzip\r\n"));
        it.recorder.bytes(std::string_view(packed).substr(0, packed.size() - 4));
        if (how == std::string("eof")) CHECK_THROWS_AS(it.recorder.close(how), sse::Error);
        else CHECK_NOTHROW(it.recorder.close(how));
    }
}

TEST_CASE("Codings that cannot be decoded are errors before a file is made") {
    for (const char* codings : {"zstd", "gzip, br", "compress"}) {
        Exchange it;
        INFO(codings);
        CHECK_THROWS_AS(it.open(response("Content-Encoding: " + std::string(codings) + "\r\n")),
                        sse::Error);
        CHECK(it.directory.names().empty());
    }
    for (const char* names : {"identity", "utf-8", "none, identity"}) { // no codings
        Exchange it;
        it.open(response("Content-Encoding: " + std::string(names) + "\r\n"));
        it.recorder.bytes("x");
        it.recorder.close("eof");
        CHECK(it.records() == "bytes(x);close eof ;");
    }
    Exchange head({}, "HEAD");
    head.open(response("Content-Encoding: zstd\r\n"));
    head.recorder.close("eof");
    CHECK(head.records() == "close eof ;");
}

TEST_CASE("JSON responses are recorded masked, as one record, or not at all") {
    const auto json = response("Content-Type: application/problem+json; charset=utf-8\r\n");
    SECTION("masked") {
        Exchange it(mask_user);
        it.recorder.add_body(R"({"user":"u", "q":1})");
        it.open(json);
        it.recorder.bytes(R"({"user":)");
        it.recorder.flush();
        CHECK(it.records().empty());
        it.recorder.bytes(R"({"id":7}})");
        it.recorder.close("eof");
        CHECK(it.records() == R"(bytes({"user":"***"});close eof ;)");
        CHECK(it.header().request.body == R"({"user":"***", "q":1})");
    }
    SECTION("cut") {
        Exchange it(mask_user);
        it.open(json);
        it.recorder.bytes(R"({"user":"secr)");
        CHECK_THROWS_AS(it.recorder.close("reset"), sse::Error);
        CHECK(it.records().empty());
    }
    SECTION("too large") {
        Exchange it([](auto& options) { mask_user(options), options.max_body_bytes = 5; });
        it.open(json);
        CHECK_THROWS_AS(it.recorder.bytes("[1,2,3]"), sse::Error);
    }
    SECTION("other types are recorded as they arrive") {
        Exchange it(mask_user);
        it.open(response("Content-Type: text/event-stream\r\n"));
        it.recorder.bytes("data: {");
        it.recorder.close("eof");
        CHECK(it.records() == "bytes(data: {);close eof ;");
    }
}

TEST_CASE("Times of a recording never go back") {
    Exchange it;
    it.open(response());
    for (int i = 0; i < 100; ++i) {
        it.recorder.arrive();
        it.recorder.bytes("x");
    }
    it.recorder.close("eof");
    const auto reader = sse::open_recording(it.file());
    std::chrono::microseconds last{0};
    while (const auto* record = reader->next()) {
        CHECK(record->t >= last);
        last = record->t;
    }
}
