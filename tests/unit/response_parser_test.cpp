#include "http/response_parser.hpp"

#include "base/error.hpp"
#include "unit/catch2.hpp"
#include "unit/recording_sink.hpp"

#include <fmt/format.h>

using namespace std::string_literals;

namespace {

/// Everything a response consists of as one text: `103 Link=x; 200 chunked a=b |body| X=y.`
struct Text : sse::ResponseParser::Sink {
    std::string text;
    bool body = false;

    void fields(const sse::Head& head) {
        for (const auto& field : head.fields()) text += field.name + "=" + field.value + " ";
    }
    void on_interim(const sse::Head& head) override {
        text += head.start_line().substr(9, 3) + " ";
        fields(head);
    }
    void on_head(const sse::Head& head, int status, const sse::ResponseFraming& framing) override {
        constexpr std::array kinds = {"none", "chunked", "length", "close"};
        text += fmt::format("{} {} ", status, kinds.at(static_cast<std::size_t>(framing.kind)));
        fields(head);
        text += "|";
    }
    void on_body_piece(std::string_view bytes) override {
        CHECK_FALSE(bytes.empty());
        text += bytes;
    }
    void on_response_end(std::string_view trailers) override { text.append("|").append(trailers); }
};

constexpr std::size_t max_head_bytes = 200;

std::string read(const std::vector<std::string_view>& feeds, const std::string& method) {
    sse::ResponseParser parser(method, max_head_bytes);
    Text sink;
    try {
        for (const auto feed : feeds) parser.feed(feed, sink);
        parser.finish(sink);
        CHECK(parser.done());
    } catch (const sse::Error& e) {
        CHECK((e.code() == sse::Errc::receive || e.code() == sse::Errc::too_large));
        const std::string why = e.what(); // quotes as much as has arrived
        sink.text += "!" + why.substr(0, why.find("; it sent"));
    }
    return sink.text;
}

struct Row {
    const char* what;
    std::string wire, result, method = "GET";
};

void check(const Row& row) {
    INFO(row.what);
    const std::string_view wire = row.wire;
    CHECK(read({wire}, row.method) == row.result);
    CHECK(read(test::pieces(wire, 1), row.method) == row.result);
    for (std::size_t cut = 1; cut < wire.size(); ++cut) {
        const auto result = read({wire.substr(0, cut), wire.substr(cut)}, row.method);
        if (result == row.result) continue;
        INFO("cut at " << cut);
        CHECK(result == row.result);
        return;
    }
}

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string no_response = "!the server closed the connection without a response";
const std::string cut_head = "!the server closed the connection within the response head";
const std::string too_large = "!the response head is larger than 200 bytes";

} // namespace

TEST_CASE("Bodies of a response, in each framing, at every cut") {
    const Row rows[] = {
        {"a length", ok + "Content-Length: 3\r\n\r\nabc", "200 length Content-Length=3 |abc|"},
        {"no byte", ok + "Content-Length: 0\r\n\r\n", "200 length Content-Length=0 ||"},
        {"bytes behind it are not read", ok + "Content-Length: 1\r\n\r\nabHTTP",
         "200 length Content-Length=1 |a|"},
        {"to the end of the connection", ok + "\r\nabc", "200 close |abc|"},
        {"of which there is none", ok + "\r\n", "200 close ||"},
        {"chunks", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\nrest",
         "200 chunked Transfer-Encoding=chunked |abc|"},
        {"chunks over a length", // RFC 9112, 6.3: Transfer-Encoding overrides it
         ok + "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
         "200 chunked Content-Length=9 Transfer-Encoding=chunked |a|"},
        {"trailers", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nA: 1\r\nB:2\r\n\r\n",
         "200 chunked Transfer-Encoding=chunked ||A: 1\r\nB:2\r\n"},
        {"204", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
         "204 none Content-Length=5 ||"},
        {"304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
         "304 none Content-Length=5 ||"},
        {"HEAD", ok + "Content-Length: 5\r\n\r\n", "200 none Content-Length=5 ||", "HEAD"},
        {"HEAD, chunked", ok + "Transfer-Encoding: chunked\r\n\r\n",
         "200 none Transfer-Encoding=chunked ||", "HEAD"},
        {"lines of LF alone, and HTTP/1.0", "HTTP/1.0 200 OK\nA: b\n\nabc", "200 close A=b |abc|"},
        {"a folded line", ok + "A: b\r\n c\r\n\r\n", "200 close A=b c ||"},
        {"no reason", "HTTP/1.1 599\r\n\r\n", "599 close ||"},
        {"a reason of spaces", "HTTP/1.1 200  \r\n\r\n", "200 close ||"},
    };
    for (const auto& row : rows) check(row);
}

TEST_CASE("Interim responses come before the response, at every cut") {
    const Row rows[] = {
        {"100", "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 1\r\n\r\na",
         "100 200 length Content-Length=1 |a|"},
        {"several, with fields",
         "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 P\r\n\r\n" + ok + "\r\n",
         "103 Link=x 102 200 close ||"},
        {"without a response after them", "HTTP/1.1 100 Continue\r\n\r\n", "100 " + no_response},
        {"101 was not asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
         "!the server switches to a protocol that was not asked for"},
        {"all heads are counted together",
         "HTTP/1.1 103 E\r\nA: " + std::string(90, 'x') + "\r\n\r\n" +
             "HTTP/1.1 103 E\r\nA: " + std::string(90, 'y') + "\r\n\r\n" + ok + "\r\n",
         "103 A=" + std::string(90, 'x') + " " + too_large},
    };
    for (const auto& row : rows) check(row);
}

TEST_CASE("Malformed heads are refused, at every cut") {
    const auto bad_line = [](const std::string& line) {
        return "!the status line is \"" + line + "\"";
    };
    const std::string malformed = "!the response is malformed: ";
    const Row rows[] = {
        {"another protocol", "SSH-2.0-OpenSSH\r\n\r\n", "!it does not speak HTTP/1"},
        {"HTTP/2", "HTTP/2 200 OK\r\n\r\n", "!it does not speak HTTP/1"},
        {"lower case", "http/1.1 200 OK\r\n\r\n", "!it does not speak HTTP/1"},
        {"an empty line first", "\r\n" + ok + "\r\n", "!it does not speak HTTP/1"},
        {"no minor version", "HTTP/1. 200 OK\r\n\r\n", bad_line("HTTP/1. 200 OK")},
        {"no status", "HTTP/1.1\r\n\r\n", bad_line("HTTP/1.1")},
        {"two digits", "HTTP/1.1 20 OK\r\n\r\n", bad_line("HTTP/1.1 20 OK")},
        {"four digits", "HTTP/1.1 2000 OK\r\n\r\n", bad_line("HTTP/1.1 2000 OK")},
        {"a status of 0", "HTTP/1.1 000 OK\r\n\r\n", bad_line("HTTP/1.1 000 OK")},
        {"a status of 600", "HTTP/1.1 600 OK\r\n\r\n", bad_line("HTTP/1.1 600 OK")},
        {"two spaces", "HTTP/1.1  200 OK\r\n\r\n", bad_line("HTTP/1.1  200 OK")},
        {"a tab", "HTTP/1.1\t200 OK\r\n\r\n", bad_line("HTTP/1.1\\x09200 OK")},
        {"a name with a space", ok + "A b: c\r\n\r\n",
         malformed + "line 2 of the head has an invalid name"},
        {"a space before the colon", ok + "A : c\r\n\r\n",
         malformed + "line 2 of the head has an invalid name"},
        {"no colon", ok + "A\r\n\r\n", malformed + "line 2 of the head has no colon"},
        {"a bare CR in a value", ok + "A: b\rc\r\n\r\n",
         malformed + "line 2 of the head contains a control byte"},
        {"a NUL in a value", ok + "A: b\0c\r\n\r\n"s,
         malformed + "line 2 of the head contains a control byte"},
        {"two lengths", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
         "!the response has two Content-Length values that differ"},
        {"a negative length", ok + "Content-Length: -1\r\n\r\n",
         "!the response's Content-Length is \"-1\""},
        {"a length of 2^64", ok + "Content-Length: 18446744073709551616\r\n\r\n",
         "!the response's Content-Length is \"18446744073709551616\""},
        {"a coding of the transfer", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n",
         "!the response's Transfer-Encoding is \"gzip\""},
        {"chunked twice", ok + "Transfer-Encoding: chunked, chunked\r\n\r\n",
         "!the response has Transfer-Encoding chunked twice"},
        {"a long head", ok + "A: " + std::string(300, 'x') + "\r\n\r\n", too_large},
        {"a head without an end", ok + std::string(300, 'x'), too_large},
    };
    for (const auto& row : rows) check(row);
}

TEST_CASE("A head of the most bytes is read, and one byte more is not") {
    const auto head = [](std::size_t size) {
        const std::string bare = ok + "A: \r\n\r\n";
        return ok + "A: " + std::string(size - bare.size(), 'x') + "\r\n\r\n";
    };
    CHECK(read({head(max_head_bytes)}, "GET").starts_with("200 close A=x"));
    check({"one more", head(max_head_bytes + 1), too_large});
    const auto alone = read({head(max_head_bytes)}, "GET"); // ends in `|`, before a body
    check({"the body is not counted", head(max_head_bytes) + "body",
           alone.substr(0, alone.size() - 1) + "body|"});
}

TEST_CASE("A response that is cut is told from one that has ended, wherever it is cut") {
    const auto length = ok + "Content-Length: 3\r\n\r\nabc";
    const auto chunked = ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: 1\r\n\r\n";
    for (const auto& whole : {length, chunked}) {
        const auto head = whole.find("\r\n\r\n") + 4;
        for (std::size_t cut = 0; cut < whole.size(); ++cut) {
            INFO("cut at " << cut);
            const auto result = read({std::string_view(whole).substr(0, cut)}, "GET");
            const auto why = result.substr(result.find('!'));
            if (cut == 0) CHECK(why == no_response);
            else if (cut < head) CHECK(why == cut_head);
            else if (whole == chunked)
                CHECK(why == "!the server closed the connection before the last chunk");
            else
                CHECK(why == fmt::format("!the server closed the connection {} bytes before the "
                                         "end",
                                         whole.size() - cut));
        }
        CHECK(read({whole}, "GET").find('!') == std::string::npos);
    }
}

TEST_CASE("Chunks and trailers that are malformed are refused, at every cut") {
    const auto chunked = [](const std::string& body) {
        return ok + "Transfer-Encoding: chunked\r\n\r\n" + body;
    };
    const std::string before = "200 chunked Transfer-Encoding=chunked |";
    const Row rows[] = {
        {"no number", chunked("zz\r\n"),
         before + "!chunked body: a chunk size is not a hexadecimal number"},
        {"a negative number", chunked("1\r\na\r\n-1\r\n"),
         before + "a!chunked body: a chunk size is not a hexadecimal number"},
        {"trailers without an end",
         chunked("0\r\nA: " + std::string(sse::ChunkedDecoder::max_trailer_bytes, 'x')),
         before + "!chunked body: the trailers are too long"},
    };
    check(rows[0]);
    check(rows[1]);
    CHECK(read({rows[2].wire}, "GET") == rows[2].result);
    CHECK(read(test::pieces(rows[2].wire, 999), "GET") == rows[2].result);
}
