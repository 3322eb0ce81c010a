#include "base/child_process.hpp"

#include "input/command_output.hpp"
#include "unit/catch2.hpp"
#include "unit/temporary.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <unistd.h>

namespace {

std::string output_of(const std::vector<std::string>& command, sse::ChildOptions options = {}) {
    options.output = sse::ChildOptions::Output::pipe;
    sse::Child child(command, options);
    if (options.pipe_input) child.write_input("from us\n");
    std::string text;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(child.output(), buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(got));
    child.wait();
    CHECK(child.status() == 0);
    return text;
}

struct Sink : sse::ByteSource::Sink {
    std::string text, notes;
    std::function<void()> after_note = [] {};
    void on_bytes(std::string_view bytes) override { text.append(bytes); }
    void on_break() override {}
    void on_note(const std::string& note) override {
        notes.append(note).append("\n");
        after_note();
    }
};

} // namespace

TEST_CASE("a child does not inherit what is for this process alone") {
    const char* const hidden[] = {"SSE_TOKEN",     "SSE_PUBLISH_TOKEN", "NOTIFY_SOCKET",
                                  "LISTEN_FDS",    "LISTEN_PID",        "LISTEN_FDNAMES",
                                  "WATCHDOG_USEC", "WATCHDOG_PID"};
    for (const auto* name : hidden) ::setenv(name, "secret", 1);
    ::setenv("SSE_TEST_OTHER", "kept", 1);
    ::setenv("SSE_TEST_SET", "ours", 1);
    sse::ChildOptions options;
    options.variables = {"SSE_TEST_SET=its own"};
    const auto text = output_of({"env"}, options);
    CHECK(text.find("secret") == text.npos);
    CHECK(text.find("SSE_TEST_OTHER=kept\n") != text.npos);
    CHECK(text.find("SSE_TEST_SET=its own\n") != text.npos);
    CHECK(text.find("SSE_TEST_SET=ours\n") == text.npos);
    options.hidden_prefix = "SSE_";
    CHECK(output_of({"env"}, options).find("SSE_TEST_OTHER") == text.npos);
    for (const auto* name : hidden) ::unsetenv(name);
    ::unsetenv("SSE_TEST_OTHER"), ::unsetenv("SSE_TEST_SET");
}

TEST_CASE("a child reads what is written to its standard input") {
    sse::ChildOptions options;
    options.pipe_input = true;
    std::signal(SIGPIPE, SIG_IGN); // as main() does
    CHECK(output_of({"cat"}, options) == "from us\n");
    CHECK(output_of({"true"}, options).empty()); // it need not read
}

TEST_CASE("a command on a pseudo-terminal writes to a terminal, and its bytes are not changed") {
    const std::string script = "test -t 1 && echo terminal; printf 'a\\nb\\tc\\r\\004'; exit 3";
    for (const bool terminal : {true, false}) {
        sse::CommandOptions options;
        options.terminal = terminal;
        sse::CommandOutput command({"sh", "-c", script}, options);
        Sink sink;
        CHECK(command.run(sink));
        CHECK(sink.text == (terminal ? "terminal\na\nb\tc\r\004" : "a\nb\tc\r\004"));
        CHECK(command.status() == 3);
    }
}

TEST_CASE("a command that writes nothing for long causes one note") {
    const TemporaryFile file;
    std::remove(file.path().c_str());
    sse::CommandOptions options;
    options.quiet_note = std::chrono::milliseconds(1);
    sse::CommandOutput command(
        {"sh", "-c", "until [ -e \"$0\" ]; do sleep 0.01; done; echo done", file.path()}, options);
    Sink sink;
    sink.after_note = [&] { std::ofstream(file.path()) << "go"; };
    CHECK(command.run(sink));
    CHECK(sink.text == "done\n");
    CHECK(sink.notes == "sh has written nothing for 0.001 s; if it buffers its output, use --pty "
                        "to receive each line at once\n");
}
