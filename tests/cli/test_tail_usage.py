"""sse tail: what cannot be meant, and how it says so: two lines, the flag by name, status 2."""
import re

import pytest

from support.steps import stream


# what each refusal says is tested without processes, in tests/unit/tail_usage_test.cpp
@pytest.mark.parametrize("args, said", [
    ([], "URL is required"),
    (["http://h/a b"], "it contains a space"),
    ([":1", "-n", "0"], '--count: "0" is not a whole number '),
    ([":1", "-H", "X: a\r\nY: b"], "the value of header X contains a control character"),
    ([":1", "--json", "@/tmp"], "cannot read /tmp for --json: Is a directory"),
    ([":1", "--reconnect", "--no-reconnect"], "--reconnect and --no-reconnect cannot be used together"),
    ([":1", "--grep", "("], '--grep "(" is not a regular expression: '),
    ([":1", "--nonsense"], "unknown option --nonsense"),
])
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
