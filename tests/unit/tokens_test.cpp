#include "base/error.hpp"
#include "server/tokens.hpp"
#include "unit/catch2.hpp"
#include "unit/temporary.hpp"

#include <string>
#include <sys/stat.h>
#include <system_error>

using namespace sse;

namespace {

/// A file of that text and mode.
struct TokenFile : TemporaryFile {
    explicit TokenFile(std::string_view text, mode_t mode = 0600)
        : TemporaryFile(text) {
        ::chmod(path().c_str(), mode);
    }
};

} // namespace

TEST_CASE("a token file has one token a line, and says nothing of blank lines and comments") {
    Tokens tokens;
    CHECK_FALSE(tokens.add_file(TokenFile("# ours\n\none\r\n  two \n#three\nfour").path()));
    CHECK(tokens.size() == 3);
    for (const char* good : {"one", "two", "four"}) CHECK(tokens.holds(good));
    for (const char* bad : {"", "on", "one ", "One", "#three", "three", "onetwo"})
        CHECK_FALSE(tokens.holds(bad));
}

TEST_CASE("a token file that everybody can read is told") {
    Tokens tokens;
    CHECK(tokens.add_file(TokenFile("one\n", 0644).path()));
    CHECK_FALSE(tokens.add_file(TokenFile("one\n", 0640).path()));
}

TEST_CASE("a token file without a token opens nothing, and no error shows a token") {
    Tokens tokens;
    CHECK_THROWS_AS(tokens.add_file(TokenFile("").path()), Error);
    CHECK_THROWS_AS(tokens.add_file(TokenFile("# none\n\n").path()), Error);
    CHECK_THROWS_AS(tokens.add_file("/nonexistent/tokens"), std::system_error);
    CHECK_THROWS_AS(tokens.add_file("/"), std::system_error);
    for (const char* bad : {"hunter2 hunter3\n", "hunter2\x01\n", "hunter2\xC3\xA9\n"}) {
        try {
            tokens.add_file(TokenFile(std::string("ok\n") + bad).path());
            FAIL("taken: " << bad);
        } catch (const Error& e) {
            CHECK(std::string(e.what()).find(":2: ") != std::string::npos);
            CHECK(std::string(e.what()).find("hunter") == std::string::npos);
        }
    }
}
