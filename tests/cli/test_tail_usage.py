"""sse tail: what cannot be meant, and how it says so: two lines, the flag by name, status 2."""
import re

import pytest

from support.steps import stream


@pytest.mark.parametrize("args, said", [
    ([], "URL is required"),
    ([""], '"" is not a URL of a stream: it is empty'),
    (["http://"], '"http://" is not a URL of a stream: it has no host'),
    (["http:///x"], "it has no host"),
    (["/x"], "it has no host"),
    (["ftp://h/"], "its scheme is ftp, and only http and https can be followed"),
    (["file:///etc/passwd"], "its scheme is file"),
    (["http://h:65536/"], "its port is over 65535"),
    (["http://h:x/"], "its port is not a number"),
    (["http://h/a b"], "it holds a space"),
    (["http://h/\r\nX: y"], '"http://h/\\x0d\\x0aX: y" is not a URL of a stream: it holds a control character'),
    (["http://b\u00fccher.example/"], "its host is not ASCII; give the name's xn-- form"),
    (["http://[::1"], "its [ has no ]"),
    ([":1", "-n", "0"], '--count: "0" is not a whole number '),
    ([":1", "-n", "x"], '--count: "x" is not a whole number '),
    ([":1", "-n", "-1"], "--count"),
    ([":1", "--retries", "many"], '--retries: "many" is not a whole number '),
    ([":1", "-m", "5x"], '--max-time: "5x" is not a duration such as 5s, 250ms, 1m30s or 2h'),
    ([":1", "--idle-timeout", "soon"], '--idle-timeout: "soon" is not a duration such as'),
    ([":1", "--connect-timeout", "-1s"], "--connect-timeout"),
    ([":1", "-o", "xml"], '"xml" is not one of data|json|pretty|raw|sse'),
    ([":1", "--color", "red"], '"red" is not one of always|auto|never'),
    ([":1", "-H", "nonsense"], '-H "nonsense" is not a header'),
    ([":1", "-H", ": x"], '-H ": x" is not a header'),
    ([":1", "-H", "X y: z"], '"X y" is not a header name'),
    ([":1", "-H", "X: a\r\nY: b"], "the value of header X contains a control character"),
    ([":1", "-H", "X\r\nY: b"], "is not a header name"),
    ([":1", "--bearer", "a\nb"], "the value of header Authorization holds a control character"),
    ([":1", "-b", "a=\rb"], "the value of header Cookie holds a control character"),
    ([":1", "-X", "GET /x HTTP/1.1\r\nA: b"], "is not a method such as GET or POST"),
    ([":1", "-d", "@/no/such/file"], "cannot read /no/such/file for -d: No such file or directory"),
    ([":1", "--json", "@/tmp"], "cannot read /tmp for --json: Is a directory"),
    ([":1", "-H", "@/no/such/file"], "cannot read /no/such/file for -H: No such file or directory"),
    ([":1", "-d", "x", "--json", "{}"], "-d and --json cannot be used together"),
    ([":1", "--reconnect", "--no-reconnect"], "--reconnect and --no-reconnect cannot be used together"),
    ([":1", "--resume-get", "--reconnect"], "--resume-get cannot be used with --reconnect or --no-reconnect"),
    ([":1", "-o", "raw", "-e", "x"], "-e and --grep cannot be used with -o raw"),
    ([":1", "-4", "-6"], "cannot be used together"),
    ([":1", "--max-event-bytes", "lots"], '--max-event-bytes: "lots" is not a size from 1 to 512mb, such as 16mb'),
    ([":1", "--max-event-bytes", "513mb"], '--max-event-bytes: "513mb" is not a size from 1 to 512mb'),
    ([":1", "--max-event-bytes", "0"], '--max-event-bytes: "0" is not a size'),
    ([":1", "--max-event-bytes", "-1"], "--max-event-bytes"),
    ([":1", "--max-event-bytes", "99999999999999999999"], '--max-event-bytes: "99999999999999999999" is not a size'),
    ([":1", "--nonsense"], "--nonsense"),
    *[([":1", flag, ""], f"{flag}: the value is empty") for flag in (
        "--bearer", "--user", "--request", "--exec", "--state", "--record", "--stats-file", "--cacert", "--cert",
        "--unix-socket", "--netrc-file", "--event", "--until", "--header", "--resolve", "--cookie")],
    ([":1", "-u", "a:b", "--bearer", "c"], "-u and --bearer cannot be used together"),
    ([":1", "--key", "x"], "--key needs --cert"),
    ([":1", "-b", "cookies.txt"], '-b "cookies.txt" is not NAME=VALUE'),
    ([":1", "--last-event-id", "a\nb"], "--last-event-id holds a control character"),
    ([":1", "-H", "Last-Event-ID: a\tb"], "--last-event-id holds a control character"),
    ([":1", "--last-event-id", "x" * 5000], "--last-event-id has 5000 bytes; the limit is 4096"),
], ids=lambda v: ascii(" ".join(v))[:40] if isinstance(v, list) else "")
def test_what_cannot_be_meant(sse, args, said):
    tail = sse.run("tail", *args)
    assert (tail.status, tail.out) == (2, b"")
    lines = tail.err.split("\n")
    assert len(lines) == 3 and lines[2] == "", tail.err
    assert lines[0].startswith("sse: error: ") and said in lines[0], tail.err
    assert lines[1].startswith("sse: hint: ") and len(lines[1]) > 15, tail.err
    assert not lines[0].endswith(".") and not lines[1].endswith(".")


def test_help_names_every_option_with_its_default(sse):
    tail = sse.run("tail", "--help")
    assert (tail.status, tail.err) == (0, "")
    text = " ".join(tail.out.decode().split())
    for option, default in (("--connect-timeout", "30s"), ("--retry", "2s"), ("--retry-max", "1m")):
        assert re.search(rf" {option} DURATION (?:(?! --).)*\(default {default}\)", text), option
    assert "-o,--output" in text


def test_of_a_value_given_again_the_last_counts(sse, origin):
    """As curl has it: what an alias says can be said anew."""
    tail = sse.run("tail", stream(origin, "data: 1\n\ndata: 2\n\n").url, "-n", "1", "-n", "2", "-o", "json", "-o", "data",
                   "--bearer", "a", "--bearer", "b")
    assert (tail.status, tail.out, tail.err) == (0, b"1\n2\n", "")


def test_a_name_of_a_file_tells_a_terminal_nothing(sse):
    evil = "/no/\x1b[2J\x07\n\u202e"
    for args in (["-d", f"@{evil}"], ["--cacert", evil],
                 ["--stats-file", evil], ["--netrc-file", evil], ["--unix-socket", evil], ["-H", f"@{evil}"]):
        tail = sse.run("tail", "https://127.0.0.1:1", *args)
        assert tail.status != 0 and tail.err.count("\n") == 2, (args, tail.err)
        assert "/no/\\x1b[2J\\x07\\x0a\\u202e" in tail.err and not set("\x1b\x07\u202e") & set(tail.err), (args, tail.err)
