"""The command line: its help, its version, and what it says to what cannot be meant, option by
option."""
import re
import shlex
from subprocess import run

import pytest
from support.forked import Forked

pytestmark = pytest.mark.release
COMMANDS = ("serve", "tail", "replay", "record", "check", "bench")
# what only CLI11 would say
FOREIGN = re.compile(r"could not convert|not in range|required but received|disallowed|missing|"
                     r"expected (exactly|at)|not expected|subcommand|RequiredError|excludes\b|requires|"
                     r"\d{150}|(?-i:TEXT)", re.IGNORECASE)


def two_lines(err):
    lines = err.split("\n")
    assert len(lines) == 3 and lines[2] == "", err
    assert lines[0].startswith("sse: error: ") and lines[1].startswith("sse: hint: "), err
    assert not lines[0].endswith(".") and not lines[1].endswith("."), err
    return lines[0].removeprefix("sse: error: "), lines[1].removeprefix("sse: hint: ")


def options(binary, command):
    """Each option that takes a value: its long name and the type of it."""
    text = run([binary, command, "--help"], capture_output=True, text=True, check=True).stdout
    found = []
    for line in text.splitlines():
        match = re.match(r"  (?:-\w,)?(--[\w-]+) (\S+)", line)
        if match:
            found.append((match[1], match[2].split("=")[0]))
    return found


# types whose every text is a value as such, so that only what comes after may be wrong with it
FREE = {"TEXT", "FILE", "PATH", "DATA", "ID", "TOKEN", "NAME", "RE", "COMMAND", "METHOD", "HEADER",
        "TYPE", "DIR", "HOSTS", "HOST", "URL", "USER:PASSWORD", "NAME=VALUE;", "NAME=URL", "/A/0/B",
        "[USER:PASSWORD@]HOST[:PORT]", "ID,...", "ID=LEVEL", "HOST:PORT:ADDRESS", "ADDRESS", "'NAME:"}
MAY_BE_EMPTY = {"--data", "--format", "--json", "--last-event-id", "--noproxy", "--pointer", "--pointer-default",
                "--proxy", "--until-data", "--user-agent", "--loop", "--long"}
HUGE = "9" * 400
STORE = ["--store", "d"]
PUBLISHING = ["--publish", "http://h/"]
# the options that another one makes possible
NEEDS = {
    **dict.fromkeys(("--retain", "--store-sync", "--store-timeout", "--store-password-file", "--store-ca",
                     "--store-cert", "--store-key", "--store-ack"), STORE),
    **dict.fromkeys(("--times", "--retry-after"), ["--status", "503"]),
    **dict.fromkeys(("--tls-key", "--tls-client-ca"), ["--tls-cert", "c"]),
    "--key": ["--cert", "c"], "bench --rate": PUBLISHING, "--size": PUBLISHING, "--publish-header": PUBLISHING,
    "--storm-share": ["--storm", "1s"], "--slow-bytes": ["--slow", "1"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_refuses_what_it_cannot_mean_in_our_words(sse, command, tmp_path):
    (tmp_path / "run.jsonl").write_text('{"sse":1,"started":"2026-11-22T05:00:00.123Z"}\n')
    operand = {"serve": ["no/such"], "tail": ["http:///"], "replay": ["no/such"],
               "record": ["http:///", "no/such"], "check": ["http:///"], "bench": ["http:///"]}[command]
    known = options(sse.binary, command)
    assert len(known) > 30
    tries = [(*option, value) for option in known for value in ("x y", "", "-1", HUGE)]

    with Forked(sse.binary) as forked:
        for name, kind, value in tries:
            # whatever the value, the operand cannot be used: nothing here runs on
            done = forked.run(command, f"{name}={value}", *operand, cwd=tmp_path)
            said = f"{name}={value[:20]}: {done.stderr}"
            assert done.returncode in (2, 3, 6, 7, 23) and done.stdout == "", said
            error, hint = two_lines(done.stderr.removeprefix("sse: note: "))
            # a path is shown whole
            assert not FOREIGN.search(done.stderr.replace(HUGE, "") if "File name" in error else done.stderr), said
            bad = kind not in FREE if value else name not in MAY_BE_EMPTY
            if bad:
                assert done.returncode == 2 and error.startswith(name), said
                assert hint.startswith(f"for example sse {command} {name}"), said
            if bad and value:
                assert f'"{value[:20]}' in error, said


@pytest.mark.parametrize("command", COMMANDS)
def test_the_example_of_every_hint_is_accepted(sse, command):
    """Each example of a value is tried with an option that there is not: only that is refused."""
    operand = {"serve": [], "tail": ["http:///"], "replay": ["no/such"],
               "record": ["http:///", "no/such"], "check": ["http:///"], "bench": ["http:///"]}[command]
    with Forked(sse.binary) as forked:
        for name, _ in options(sse.binary, command):
            error, hint = two_lines(forked.run(command, *operand, name).stderr)
            assert error == f"{name} needs a value" or name in ("--loop", "--long"), error
            if name in ("--loop", "--long"):
                continue
            example = shlex.split(hint.removeprefix("for example sse "))
            assert example[:2] == [command, name] and len(example) == 3
            example += NEEDS.get(f"{command} {name}", NEEDS.get(name, []))
            error, _ = two_lines(forked.run(*example, *operand, "--no-such-option").stderr)
            assert error == "unknown option --no-such-option", (example, error)


@pytest.mark.parametrize("args, error, hint", [
    ([], "no command was given", "use sse serve, sse tail, sse replay, sse record, sse check or sse bench; sse --help shows examples"),
    (["srve"], "unknown command srve", "did you mean serve?"),
    (["tial", "--help"], "unknown command tial", "did you mean tail?"),
    (["help", "replya"], "unknown command replya", "did you mean replay?"),
    (["hlep"], "unknown command hlep", "did you mean help?"),
    (["http://h/x"], "unknown command http://h/x", "use sse tail http://h/x to read this stream"),
    (["frobnicate"], "unknown command frobnicate", "use sse serve, sse tail, sse replay, sse record, sse check or sse bench; sse --help shows examples"),
    (["\x1b]0;x\x07"], "unknown command \\x1b]0;x\\x07", "use sse serve, sse tail, sse replay, sse record, sse check or sse bench; sse --help shows examples"),
    (["tail", "--recrod", "x", ":1"], "unknown option --recrod", "did you mean --record?"),
    (["tail", "--recrod=x", ":1"], "unknown option --recrod", "did you mean --record?"),
    (["tail", "--cout=3", ":1"], "unknown option --cout", "did you mean --count?"),
    (["tail", "--publish", ":1"], "unknown option --publish", "sse serve has this option"),
    (["tail", "-sSNL", ":1"], "unknown option -sSNL", "remove -sSNL: sse tail always behaves that way"),
    (["tail", "--quiet", ":1"], "unknown option --quiet", "sse tail --help lists the options"),
    (["--listen", ":0", "serve"], "unknown option --listen", "sse serve has this option"),
    (["--versoin"], "unknown option --versoin", "did you mean --version?"),
    (["replay"], "RECORDING is required", "for example sse replay run.jsonl"),
    (["serve", "--listen"], "--listen needs a value", "for example sse serve --listen 127.0.0.1:8080"),
    (["serve", "--follow=yes"], "--follow takes no value", "for example sse serve --follow"),
    (["tail", "--bearer=", ":1"], "--bearer: the value is empty", 'for example sse tail --bearer "$KEY"'),
    (["tail", "--bytes", ":1"], "--bytes needs --record", "for example --record run.jsonl --bytes"),
    (["tail", "-4", "-6", ":1"], "--ipv4 and --ipv6 cannot be used together", "use one of them"),
    (["replay", "--post", "http://h/", "--stdout", "x"], "--stdout and --post cannot be used together", "use one of them"),
    (["replay", "--times", "2", "x"], "--times needs --status", "for example --status 503 --times"),
    (["serve", "--"], "no command after --", "use the form sse serve -- COMMAND [ARGUMENT]"),
], ids=lambda v: ascii(" ".join(v)) if isinstance(v, list) else "")
def test_what_is_mistyped_is_told_with_what_was_meant(sse, args, error, hint):
    done = sse.run(*args)
    assert (done.status, done.out) == (2, b"")
    assert two_lines(done.err) == (error, hint)


@pytest.mark.parametrize("name", ["[a]", "[a,b]", "[]", "{}"])
def test_a_file_may_be_called_anything(sse, tmp_path, name):
    (tmp_path / name).write_text("this one\n")
    (tmp_path / "a").write_text("another\n")
    server = sse.serve(name, cwd=tmp_path)
    assert sse.run("tail", server.url).out == b"this one\n"
    missing = sse.run("replay", "--stdout", "[a,c]", cwd=tmp_path)
    assert "[a,c]" in missing.err and missing.status == 23


def test_brackets_are_no_lists(sse, origin):
    server = origin(lambda c: c.answer("204 No Content"))
    sse.run("tail", "-d", "[1,2]", "-d", "[3]", "--last-event-id", "[x]", server.url)
    request, = server.requests
    assert request.body == b"[1,2]&[3]" and request.header("last-event-id") == "[x]"
    refused = sse.run("tail", "[::1]:1", "--no-reconnect")
    assert refused.status == 7 and "[::1]:1" in refused.err


@pytest.mark.parametrize("value", ["[]", "[[]]", "[[11]]", "[[1,2],[3,4]]", "[[aabb]]"])
def test_brackets_are_taken_as_they_are(sse, origin, value):
    """Since 2.5, CLI11 has an escape: [[aabb]] is [ab]."""
    server = origin(lambda c: c.answer("204 No Content"))
    for args in (["-d", value], ["--data", value], [f"-d{value}"], [f"--data={value}"]):
        sse.run("tail", *args, server.url)
    assert [request.body.decode() for request in server.requests] == [value] * 4


def test_help_of_sse_fits_a_screen_and_leads_with_examples(sse):
    done = sse.run("--help")
    lines = done.out.decode().splitlines()
    assert (done.status, done.err) == (0, "")
    assert len(lines) < 24 and max(map(len, lines)) < 80
    assert [line.split()[:3] for line in lines[2:5]] == [["$", "make", "2>&1"], ["$", "sse", "tail"],
                                                         ["$", "sse", "replay"]]
    assert sse.run("help").out == sse.run("-h").out == done.out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_leads_with_examples_and_groups_its_options(sse, command):
    done = sse.run(command, "--help")
    lines = done.out.decode().splitlines()
    assert (done.status, done.err) == (0, "") and max(map(len, lines)) < 80
    assert lines[2].startswith("  $ ") and f"sse {command}" in lines[2]
    assert sum(line.startswith("  $ ") for line in lines) >= 5
    assert len([line for line in lines if re.fullmatch(r"[A-Z][\w ,']+:", line)]) >= 6
    for same in (["help", command], [command, "-h"]):
        assert sse.run(*same).out == done.out


def test_examples_of_help_name_only_options_that_there_are(sse):
    for command in ("", *COMMANDS):
        text = sse.run(*filter(None, [command]), "--help").out.decode()
        for example in re.findall(r"^  \$ (.*(?:\\\n.*)?)", text, re.MULTILINE):
            for name, flags in re.findall(r"sse (serve|tail|replay)((?: [^|&]*)?)", example):
                known = sse.run(name, "--help").out.decode()
                for flag in re.findall(r" (--?[a-z][\w-]*)", flags.split(" -- ")[0]):
                    assert re.search(rf"^  (-\w,)?{flag}[ ,\n]", known, re.MULTILINE), (command, flag)


def test_version_names_the_libraries_and_what_is_built_in(sse):
    done = sse.run("--version")
    first, *rest = done.out.decode().splitlines()
    assert (done.status, done.err) == (0, "") and re.fullmatch(r"sse \d+\.\d+\.\d+", first)
    text = " ".join(rest)
    for library in ("cpp-httplib", "Asio", "OpenSSL", "simdjson", "zlib", "Brotli", "fmt", "CLI11"):
        assert re.search(rf"\b{library} \d+\.\d+", text), text
    assert "features: TLS, gzip, deflate, br" in text
