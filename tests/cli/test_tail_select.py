"""sse tail: picking events, values out of them, and how they are written."""
import json
import re

import pytest

from support.deadline import poll
from support.steps import stream


MIXED = "".join(f"event: {t}\ndata: {d}\n\n" for t, d in [
    ("add", "one"), ("add.more", "two"), ("del", "three"), ("", "four")])


@pytest.mark.parametrize("args, expected", [
    (["-e", "add*"], "one two"),
    (["-e", "add?more"], "two"),
    (["-e", "!add*"], "three four"),
    (["-e", "a*", "-e", "!*more"], "one"),
    (["-e", "*"], "one two three four"),
    (["-e", "ad[a-d]", "-e", "a[!d]*"], "one"),
    (["--grep", "^t"], "two three"),
    (["--grep", "^one$", "--grep", "four"], "one four"),
    (["--grep", "t", "--invert"], "one four"),
    (["-e", "add*", "--grep", "w"], "two"),
    (["--grep", "t", "-n", "1"], "two"),
])
def test_selecting(sse, origin, args, expected):
    tail = sse.run("tail", stream(origin, MIXED).url, "--no-reconnect", *args)
    assert (tail.status, tail.out.decode().split()) == (0, expected.split()), tail.err


OPENAI = "".join(f"data: {json.dumps({'choices': [{'delta': d}]})}\n\n" for d in [
    {"role": "assistant", "content": ""}, {"content": "Hel"}, {"content": "lo\n"}, {"content": "\u00e9"}, {}]) + \
    'data: {"choices":[],"usage":{"total":1.10}}\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize("args, expected", [
    (["--pointer", "/choices/0/delta/content", "--join"], "Hello\n\u00e9"),
    (["--pointer", "/choices/0/delta/content"], "\nHel\nlo\n\n\u00e9\n"),
    (["--pointer", "/usage/total"], "1.10\n"),
    (["--pointer", "/usage"], '{"total":1.10}\n'),
    (["--pointer", "/usage/total", "--pointer-default", "-"], "-\n" * 5 + "1.10\n-\n"),
    (["--pointer", "/choices/0/delta/role", "--pointer", "/choices/0/delta/content"],
     "assistant\t\nHel\nlo\n\n\u00e9\n"),
    (["--pointer", "/usage/total", "-n", "1"], "1.10\n"),
    (["-F", "{/usage/total}|", "--join"], "||||||"[:5] + "1.10||"),
])
def test_pointers(sse, origin, args, expected):
    tail = sse.run("tail", stream(origin, OPENAI).url, "-d", "{}", "--until-data", "[DONE]", *args)
    assert (tail.status, tail.out.decode(), tail.err) == (0, expected, "")


SPLIT = 'data: {"t":"you \\ud83d"}\n\ndata: {"t":"\\ude00!"}\n\ndata: {"t":"\\ud83d"}\n\n'


@pytest.mark.parametrize("args, expected", [
    (["--pointer", "/t", "--join"], "you \U0001F600!\uFFFD"),
    (["-F", "{/t}", "--join"], "you \U0001F600!\uFFFD"),
    (["-F", "{/t}.", "--join"], "you \uFFFD.\uFFFD!.\uFFFD."),
    (["--pointer", "/t"], "you \uFFFD\n\uFFFD!\n\uFFFD\n"),
])
def test_halves_of_a_character_are_joined_over_events(sse, origin, args, expected):
    tail = sse.run("tail", stream(origin, SPLIT).url, "--no-reconnect", *args)
    assert (tail.status, tail.out.decode()) == (0, expected)


def test_pointers_that_find_nothing_are_told_of(sse, origin):
    tail = sse.run("tail", stream(origin, OPENAI).url, "-d", "{}", "--until-data", "[DONE]",
                   "--pointer", "/choices/0/delta/contents", "--join")
    assert (tail.status, tail.out) == (0, b"")
    assert tail.err == "sse: note: --pointer found no value in any of 7 events; use -o data to see them\n"


@pytest.mark.parametrize("format, expected", [
    ("{event}:{id}:{data}", "add:7:{\"a\": [1, \"x\"]}\nmessage:7:two\n"),
    ("{id}\\t{data}\\\\", "7\t{\"a\": [1, \"x\"]}\\\n7\ttwo\\\n"),
    ("{{{id}}}", "{7}\n{7}\n"),
    ("{/a/1} {/a/0}", "x 1\n \n"),
    ("plain", "plain\nplain\n"),
    ("", "\n\n"),
])
def test_formats(sse, origin, format, expected):
    text = 'id: 7\nevent: add\ndata: {"a": [1, "x"]}\n\ndata: two\n\n'
    tail = sse.run("tail", stream(origin, text).url, "--no-reconnect", "-F", format)
    assert (tail.status, tail.out.decode()) == (0, expected), tail.err


def test_formats_of_times(sse, origin):
    tail = sse.run("tail", stream(origin, "data: 1\n\n").url, "--no-reconnect", "-F", "{time} {t} {gap}")
    assert re.fullmatch(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \d+\.\d{6} 0\.000000\n", tail.out)


@pytest.mark.parametrize("args, pattern", [
    ([], r"\d\d:\d\d:\d\d\.\d{3} +\+\d+ms  message  1\n"),
    (["--time", "rel"], r" +\d+\.\d{3} +\+\d+ms  message  1\n"),
    (["--time", "delta"], r" +\+\d+ms  message  1\n"),
    (["--time", "none"], r"message  1\n"),
    (["--time", "delta", "--gap-warn", "0"], r" +\+\d+ms!  message  1\n"),
])
def test_times_of_pretty(sse, origin, args, pattern):
    tail = sse.run("tail", stream(origin, "data: 1\n\n").url, "--no-reconnect", "-o", "pretty", *args)
    assert re.fullmatch(pattern, tail.out.decode()), tail.out



# -- JSON lines

@pytest.mark.parametrize("content_type, args", [
    ("application/x-ndjson", []), ("application/jsonl; charset=utf-8", []), ("application/stream+json", []),
    ("text/plain", ["--ndjson"])])
def test_json_lines_are_events(sse, origin, content_type, args):
    text = '{"response":"Hel","done":false}\n{"response":"lo","done":true}\r\n'
    server = stream(origin, text, content_type=content_type)
    tail = sse.run("tail", server.url, *args, "--pointer", "/response", "--join")
    assert (tail.status, tail.out) == (0, b"Hello"), tail.err
    assert len(server.requests) == 1


@pytest.mark.parametrize("content_type", ["application/json-seq", "application/geo+json-seq"])
def test_json_text_sequences_are_events(sse, origin, content_type):
    """RFC 7464: a text may have several lines."""
    text = '\x1e{"response":\n"Hel"}\n\x1e{"response":"lo"}\n'
    tail = sse.run("tail", stream(origin, text, content_type=content_type).url, "--pointer", "/response", "--join")
    assert (tail.status, tail.out) == (0, b"Hello"), tail.err


# -- the state of a stream

def test_a_state_survives_the_process(sse, origin, tmp_path):
    state = tmp_path / "state"

    def handler(c):
        after = int(c.request.header("Last-Event-ID") or 0)
        c.head()
        c.chunk("".join(f"id: {n}\ndata: {n}\n\n" for n in range(after + 1, after + 4)))
        c.wait_for_close()
    server = origin(handler)
    assert sse.run("tail", server.url, "--state", state, "-n", "2").out == b"1\n2\n"
    assert json.loads(state.read_text()) == {"url": server.url, "last_event_id": "2"}
    tail = sse.start("tail", server.url, "--state", state)
    tail.stdout.wait_for("^5$")
    poll("the state", lambda: '"5"' in state.read_text())  # written behind the flush, without being asked
    tail.signal(9)
    tail.wait()
    assert sse.run("tail", server.url, "--state", state, "-n", "1").out == b"6\n"
    assert sse.run("tail", server.url, "--state", state, "-n", "1", "--last-event-id", "41").out == b"42\n"
    assert [r.header("Last-Event-ID") for r in server.requests] == [None, "2", "5", "41"]


def test_an_id_that_the_stream_takes_back_leaves_the_state(sse, origin, tmp_path):
    state = tmp_path / "state"
    server = stream(origin, "id: 1\ndata: 1\n\nid\ndata: 2\n\n")
    for count, known in ((1, "1"), (2, None), (1, "1")):
        assert sse.run("tail", server.url, "--state", state, "-n", count).status == 0
        ids = [json.loads(line)["last_event_id"] for line in state.read_text().splitlines()]
        assert ids == ([known] if known else [])
    assert [r.header("Last-Event-ID") for r in server.requests] == [None, "1", None]


def test_states_of_several_urls_live_in_one_file(sse, origin, tmp_path):
    state = tmp_path / "state"
    server = stream(origin, "id: a\ndata: x\n\n")
    for path in ("one", "two"):
        assert sse.run("tail", server.url + path, "--state", state, "--no-reconnect").status == 0
    assert [json.loads(line)["url"] for line in state.read_text().splitlines()] == [server.url + p for p in ("one", "two")]


def test_a_state_that_is_none(sse, tmp_path):
    state = tmp_path / "state"
    state.write_text("hello\n")
    tail = sse.run("tail", ":1", "--state", state)
    assert tail.status == 3
    assert f"sse: error: {state}:1: this is not a state file of sse tail\n" in tail.err
    tail = sse.run("tail", ":1", "--state", tmp_path)
    assert tail.status == 23 and "cannot read the state" in tail.err


# -- where it connects to

def test_a_unix_socket(sse, tmp_path):
    server = sse.serve("--listen", f"unix:{tmp_path}/s", input=b"1\n2\n")
    tail = sse.run("tail", "http://localhost/", "--unix-socket", f"{tmp_path}/s", "-n", "2")
    assert (tail.status, tail.out) == (0, b"1\n2\n"), tail.err
    tail = sse.run("tail", "http://localhost/", "--unix-socket", f"{tmp_path}/none")
    assert tail.status == 7
    assert f"cannot connect to unix:{tmp_path}/none: No such file or directory" in tail.err


def test_resolve(sse, origin):
    server = stream(origin, "data: x\n\n")
    url = f"http://example.invalid:{server.port}/"
    tail = sse.run("tail", url, "--no-reconnect", "--resolve", f"example.invalid:{server.port}:127.0.0.1")
    assert (tail.status, tail.out) == (0, b"x\n"), tail.err
    assert server.requests[0].header("Host") == f"example.invalid:{server.port}"
    assert sse.run("tail", url, "--resolve", "example.invalid:1:127.0.0.1").status == 6


# -- what -v says

def test_verbose_says_what_happens_and_no_secrets(sse, origin):
    def handler(c):
        if c.number == 2:
            return c.head("204 No Content", "Content-Length: 0", content_type=None)
        if c.request.target == "/":
            return c.answer("302 Found", "", "Location: /there")
        c.head("200 OK", "X-Evil: \u00e9\u009b")
        c.chunk("retry: 100\n: hi\nfoo: bar\nretry: x\nid: \x01\ndata: x\n\n")
        c.end()
    server = origin(handler)
    tail = sse.run("tail", server.url, "-v", "--bearer", "secret")
    assert (tail.status, tail.out) == (0, b"x\n")
    for said in (f"connected to 127.0.0.1:{server.port}\n", f"requesting {server.url}\n", "> GET / HTTP/1.1\n", "> Authorization: ***\n", "< HTTP/1.1 302 Found\n",
                 "< Location: /there\n", f"redirected (302) to {server.url}there with GET\n",
                 f"requesting {server.url}there\n", "204 No Content: the server asks clients not to reconnect\n", f"stream open: {server.url}there\n",
                 "reconnection time: 100ms\n", "comment: hi\n", 'unknown field, ignored (HTML 9.2.6): "foo: bar"\n',
                 'retry is not all digits, ignored (HTML 9.2.6): "retry: x"\n', "reconnecting in 100ms: the stream ended\n"):
        assert f"sse: note: {said}" in tail.err, (said, tail.err)
    assert 'sse: warning: the last event ID "\\x01" cannot be sent in a header: ' in tail.err
    assert "secret" not in tail.err and "\x9b" not in tail.err
    assert all(line.startswith(("sse: note: ", "sse: warning: ")) for line in tail.err.splitlines())


def test_grep_takes_linear_time(sse, origin):
    """A backtracking engine takes minutes for it, deaf to every signal."""
    server = stream(origin, "data: " + "error " * 100_000 + "\n\n", "data: error: timeout\n\n")
    tail = sse.run("tail", server.url, "-n", "1", "--grep", "error.*timeout", "--grep", "(x+x+)+y")
    assert (tail.status, tail.out) == (0, b"error: timeout\n")


def test_an_error_that_no_pointer_finds_is_a_note(sse, origin):
    error = '{"error":{"message":"quota exceeded","type":"insufficient_quota"}}'
    server = stream(origin, f"data: {error}\n\ndata: {error}\n\n", 'event: error\ndata: oops\n\ndata: {"error":null}\n\n')
    tail = sse.run("tail", server.url, "--no-reconnect", "--pointer", "/choices/0/delta/content", "--join")
    note = "sse: note: an event without a value for --pointer reports an error: "
    assert (tail.status, tail.out) == (0, b"")
    assert tail.err.splitlines()[:2] == [note + "quota exceeded", note + "oops"]
    tail = sse.run("tail", server.url, "--no-reconnect", "--pointer", "/error/message")
    assert (tail.out, tail.err) == (b"quota exceeded\nquota exceeded\n", note + "oops\n")


@pytest.mark.parametrize("wire, noted", [("data: 1\n\ndata: 2\n", True), ("data: 1\n\ndata: 2", True), ("data: 1\n\n", False)])
def test_an_unfinished_event_at_the_end_is_a_note(sse, origin, wire, noted):
    tail = sse.run("tail", stream(origin, wire).url, "--no-reconnect")
    assert (tail.status, tail.out) == (0, b"1\n")
    note = "sse: note: the stream ended without a blank line after its last event, which was discarded\n"
    assert tail.err == (note if noted else "")
