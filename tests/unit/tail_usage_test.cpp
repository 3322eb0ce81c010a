#include "base/error.hpp"
#include "client/client.hpp"
#include "cmd/cli/arguments.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/usage.hpp"
#include "cmd/tail/tail_options.hpp"
#include "cmd/tail/tail_streams.hpp"

#include "unit/catch2.hpp"
#include <CLI/CLI.hpp>

namespace {

class Ignored : public sse::Client::Listener {
    void on_event(const sse::EventView&) override {}
};

/// `error | hint` for the arguments of sse tail; "" if they are accepted.
std::string refusal(std::vector<std::string> arguments) {
    CLI::App app("", "sse");
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    auto& tail = *app.add_subcommand("tail", "");
    cmd::TailOptions options;
    cmd::add_tail_options(tail, options);
    cmd::finish_options(tail);
    arguments.insert(arguments.begin(), "tail");
    std::vector<char*> pointers;
    for (auto& argument : arguments) pointers.push_back(argument.data());
    const auto text = [](const std::runtime_error& error, const std::string& hint) {
        return error.what() + std::string(" | ") + hint;
    };
    try {
        app.parse(cmd::arguments_for(app, pointers.data(), pointers.data() + pointers.size()));
        const auto format = options.format.value_or(cmd::Format::data);
        sse::Interrupt interrupt;
        Ignored listener;
        for (const auto& stream : cmd::streams_of(options, format))
            const sse::Client client(stream.client, listener, interrupt);
        cmd::printer_of(options, format, false);
        const cmd::EventFilter filter(options.follow.select);
    } catch (const CLI::ParseError& e) {
        const auto failure = cmd::usage_error(app, e);
        return text(failure, failure.hint());
    } catch (const cmd::Failure& e) {
        CHECK(e.status() == cmd::Exit::usage);
        return text(e, e.hint());
    } catch (const sse::Error& e) {
        CHECK(cmd::exit_status(e.code()) == cmd::Exit::usage);
        return text(e, cmd::hint_for(e.code()));
    }
    return "";
}

} // namespace

TEST_CASE("sse tail refuses what its options cannot mean") {
    struct Row {
        std::vector<std::string> arguments;
        std::string part; ///< of `error | hint`
    };
    const Row rows[] = {
        {{}, "URL is required | for example sse tail http://localhost:8080/"},
        {{""}, "\"\" is not a URL of a stream: it is empty"},
        {{"http://"}, "it has no host"},
        {{"/x"}, "it has no host"},
        {{"ftp://h/"}, "its scheme is ftp"},
        {{"http://h:65536/"}, "its port is above 65535"},
        {{"http://h:x/"}, "its port is not a number"},
        {{"http://h/a b"}, "it contains a space"},
        {{"http://h/\r\nX: y"}, "\"http://h/\\x0d\\x0aX: y\" is not a URL of a stream"},
        {{"http://[::1"}, "it has a [ without a ]"},
        {{":1", "-n", "0"}, "--count: \"0\" is not a whole number of 1 or more"},
        {{":1", "-n", "x"},
         "--count: \"x\" is not a whole number of 1 or more | for example sse "
         "tail --count 10"},
        {{":1", "-n", "-1"}, "--count: \"-1\" is not a whole number of 1 or more"},
        {{":1", "--retries", "many"}, "--retries: \"many\" is not a whole number of 0 or more"},
        {{":1", "-m", "5x"}, "--max-time: \"5x\" is not a duration such as 5s, 250ms, 1m30s or 2h"},
        {{":1", "--connect-timeout", "-1s"}, "--connect-timeout: \"-1s\" is not a duration"},
        {{":1", "-o", "xml"}, "\"xml\" is not one of data|json|pretty|raw|sse"},
        {{":1", "--color", "red"}, "\"red\" is not one of always|auto|never"},
        {{":1", "--time", "noon"}, "\"noon\" is not one of abs|delta|none|rel"},
        {{":1", "--exec", "x", "--exec-fail", "maybe"}, "\"maybe\" is not one of stop|warn"},
        {{":1", "-H", "nonsense"}, "-H \"nonsense\" is not a header"},
        {{":1", "-H", ": x"}, "-H \": x\" is not a header"},
        {{":1", "-H", "X y: z"}, "\"X y\" is not a header name"},
        {{":1", "-H", "X: a\r\nY: b"}, "the value of header X contains a control character"},
        {{":1", "-H", "X\r\nY: b"}, "is not a header name"},
        {{":1", "--bearer", "a\nb"}, "header Authorization contains a control character"},
        {{":1", "-b", "a=\rb"}, "header Cookie contains a control character"},
        {{":1", "-X", "GET /x HTTP/1.1\r\nA: b"}, "is not a method such as GET or POST"},
        {{":1", "-d", "@/no/such/file"}, "cannot read /no/such/file for -d: No such file"},
        {{":1", "--json", "@/tmp"}, "cannot read /tmp for --json: Is a directory"},
        {{":1", "-H", "@/no/such"}, "cannot read /no/such for -H: No such file"},
        {{":1", "-d", "x", "--json", "{}"}, "-d and --json cannot be used together"},
        {{":1", "--reconnect", "--no-reconnect"}, "cannot be used together | use one of them"},
        {{":1", "--resume-get", "--reconnect"}, "--resume-get cannot be used with --reconnect"},
        {{":1", "-o", "raw", "-e", "x"}, "-e and --grep cannot be used with -o raw"},
        {{":1", "-o", "raw", "--grep", "x"}, "-e and --grep cannot be used with -o raw"},
        {{":1", "-4", "-6"}, "--ipv4 and --ipv6 cannot be used together"},
        {{":1", "--max-event-bytes", "lots"}, "\"lots\" is not a size from 1 to 512mb, such as"},
        {{":1", "--max-event-bytes", "513mb"}, "\"513mb\" is not a size from 1 to 512mb"},
        {{":1", "--max-event-bytes", "0"}, "\"0\" is not a size"},
        {{":1", "--max-event-bytes", "99999999999999999999"}, "is not a size"},
        {{":1", "--nonsense"}, "unknown option --nonsense | sse tail --help lists the options"},
        {{":1", "-u", "a:b", "--bearer", "c"}, "-u and --bearer cannot be used together"},
        {{":1", "--key", "x"}, "--key needs --cert"},
        {{":1", "-b", "cookies.txt"}, "-b \"cookies.txt\" is not NAME=VALUE"},
        {{":1", "--last-event-id", "a\nb"}, "--last-event-id contains a control character"},
        {{":1", "-H", "Last-Event-ID: a\tb"}, "--last-event-id contains a control character"},
        {{":1", "--last-event-id", std::string(5000, 'x')}, "has 5000 bytes; the limit is 4096"},
        {{":1", "-x", "h", "--unix-socket", "/s"}, "--proxy and --unix-socket cannot be used"},
        {{":1", "-F", "x", "--pointer", "/a"}, "--format and --pointer cannot be used together"},
        {{":1", "-F", "x", "-o", "json"}, "-o cannot be used with --format or --pointer"},
        {{":1", "--join"}, "--join and --pointer-default need --pointer or --format"},
        {{":1", "--invert"}, "--invert needs --grep | add --grep RE"},
        {{":1", "--grep", "("}, "--grep \"(\" is not a regular expression: missing"},
        {{":1", "--grep", "a\\1"}, "is not a regular expression: invalid escape sequence"},
        {{":1", "--pointer", "a"}, "\"a\" is not a JSON pointer such as"},
        {{":1", "-F", "{nope}"}, "has the unknown field {nope}"},
        {{":1", "-F", "{id"}, "has a { without a matching }"},
        {{":1", "-F", "a\\q"}, "has the unknown escape \\q"},
        {{":1", "-F", "x\\"}, "ends in a backslash"},
        {{":1", "-x", "socks5://h"}, "--proxy \"socks5://h\" is not a proxy: its scheme is socks5"},
        {{":1", "-H", "nope:1", "-o", "raw", "--until-data"}, "--until-data needs a value"},
        {{"http://b\u00fccher.example/"}, "its host is not ASCII; give the name's xn-- form"},
        {{":1", "--jobs", "2"}, "--jobs and --exec-fail need --exec"},
        {{":1", "--exec-fail", "stop"}, "--jobs and --exec-fail need --exec"},
        {{":1", "--exec", "x", "--jobs", "1001"}, "--jobs is at most 1000"},
        {{":1", "--exec", "x", "--jobs", "0"}, "\"0\" is not a whole number of 1 or more"},
        {{"--name", "x"}, "--name \"x\" is not NAME=URL"},
        {{"--name", "=:1"}, "--name \"=:1\" is not NAME=URL"},
        {{":1", ":2", "-o", "raw"}, "-o raw accepts only one URL"},
        {{":1", ":2", "--record", "x"}, "--record accepts only one URL"},
        {{":1", ":2", "--pointer", "/a", "--join"}, "--join accepts only one URL"},
        {{":1", ":2", "--last-event-id", "x"}, "--last-event-id accepts only one URL"},
        {{":1", "--record", "-", "-o", "json"}, "both use standard output"},
        {{":1", "--resolve", "h:80"}, "--resolve \"h:80\" is not HOST:PORT:ADDRESS"},
        {{":1", "--bytes"}, "--bytes needs --record | for example --record run.jsonl --bytes"},
        {{":1", "--bearer="}, "--bearer: the value is empty | for example sse tail --bearer"},
        {{":1", "-o"}, "--output needs a value"},
        {{":1", "--stats=1"}, "--stats takes no value"},
    };
    for (const auto& row : rows) {
        INFO(row.part);
        const auto said = refusal(row.arguments);
        CHECK_THAT(said, ContainsSubstring(row.part));
        CHECK(said.size() > said.find(" | ") + 8); // there is a hint
        CHECK(said.find('\n') == said.npos);
    }
}

TEST_CASE("sse tail refuses an empty value that can mean nothing") {
    for (const std::string name :
         {"--bearer", "--user", "--request", "--exec", "--state", "--record", "--stats-file",
          "--cacert", "--cert", "--unix-socket", "--netrc-file", "--event", "--until", "--header",
          "--resolve", "--cookie", "--grep", "--name"}) {
        CHECK_THAT(refusal({":1", name, ""}), StartsWith(name + ": the value is empty | "));
    }
}

TEST_CASE("sse tail accepts") {
    const std::vector<std::string> rows[] = {
        {":1"},
        {"[::1]:8080"},
        {"localhost:8080/x", "--name", "a=:2"},
        {":1", "-n", "1", "-n", "2", "--bearer", "a", "--bearer", "b"}, // the last one wins
        {":1", "--format=", "--join"},
        {":1", "--proxy", ""},
        {":1", "-A", ""},
        {":1", "--until-data", ""},
        {":1", "--max-event-bytes", "512mb"},
        {":1", "-m", "0"},
        {":1", "--grep", "\\d+|[[:alpha:]]"},
    };
    for (const auto& arguments : rows) CHECK(refusal(arguments) == "");
}
