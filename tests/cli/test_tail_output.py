"""sse tail: what it prints, and when."""
import fcntl
import json
import os
import re
import select
import struct
import termios
import threading
from datetime import datetime

import pytest

from support.clock import set_clock
from support.deadline import HANG, poll
from support.steps import stream


WIRE = "id: 7\nevent: add\ndata: a\ndata: b\n\n: note\nretry: 3000\n\ndata: c\n\n"


@pytest.mark.parametrize("output, expected", [
    ("data", "a\nb\nc\n"),
    ("sse", "event: add\nid: 7\ndata: a\ndata: b\n\nretry: 3000\n\ndata: c\n\n"),
    ("raw", WIRE),
])
def test_each_output_prints_the_stream_its_way(sse, origin, output, expected):
    tail = sse.run("tail", stream(origin, WIRE).url, "--no-reconnect", "-o", output)
    assert (tail.status, tail.err) == (0, "")
    # The order of the fields of one block is the encoder's own.
    lines = lambda text: sorted(text.split("\n")) if output == "sse" else text
    assert lines(tail.out.decode()) == lines(expected)


def test_json_is_an_object_a_line_with_the_last_event_id(sse, origin):
    tail = sse.run("tail", stream(origin, WIRE).url, "--no-reconnect", "-o", "json")
    events = [json.loads(line) for line in tail.out.decode().splitlines()]
    assert [list(e) for e in events] == [["time", "t", "event", "id", "data"]] * 2
    assert [(e["event"], e["id"], e["data"]) for e in events] == [("add", "7", "a\nb"), ("message", "7", "c")]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", e["time"]) for e in events)
    assert 0 <= events[0]["t"] <= events[1]["t"] < 60


def test_json_is_one_valid_line_for_any_bytes(sse, origin):
    data = bytes(range(256)).replace(b"\n", b"").replace(b"\r", b"") + "\u2028\u2029\u0085".encode()
    tail = sse.run("tail", stream(origin, b"data: " + data + b"\n\n").url, "--no-reconnect", "-o", "json")
    assert tail.out.count(b"\n") == 1
    assert "\u2028".encode() not in tail.out
    assert json.loads(tail.out)["data"] == data.decode("utf-8", "replace")


@pytest.mark.release  # a sanitizer wants to be the first library that is loaded
def test_json_has_the_time_of_the_calendar_also_when_that_was_set(sse, origin, tmp_path):
    """Or when the machine was suspended."""
    clock, moved = tmp_path / "clock", threading.Event()

    def handler(c):
        c.head()
        c.chunk("data: 1\n\n")
        assert moved.wait(HANG)
        c.chunk("data: 2\n\n")
        c.end()
    tail = sse.start("tail", origin(handler).url, "--no-reconnect", "-o", "json", env=set_clock(clock, "+0"))
    tail.stdout.wait_for("1")
    clock.write_text("+36000")
    moved.set()
    assert tail.wait() == 0
    first, second = map(json.loads, tail.stdout.text().splitlines())
    times = [datetime.fromisoformat(e["time"].replace("Z", "+00:00")) for e in (first, second)]
    assert (times[1] - times[0]).total_seconds() >= 36000 and 0 <= second["t"] - first["t"] < 3600


@pytest.mark.parametrize("name", ["error", "open", "__proto__", "", "message"])
def test_no_type_of_event_means_anything_to_it(sse, origin, name):
    tail = sse.run("tail", stream(origin, f"event: {name}\ndata: x\n\n").url, "--no-reconnect", "-o", "json")
    assert json.loads(tail.out)["event"] == (name or "message")


@pytest.mark.parametrize("args, expected", [
    (["-e", "a"], "1\n3\n"),
    (["-e", "a", "-e", "b"], "1\n2\n3\n"),
    (["-e", "message"], "4\n"),
    (["-n", "2"], "1\n2\n"),
    (["-e", "a", "-n", "2"], "1\n3\n"),
    (["--until", "b"], "1\n2\n"),
    (["--until", "x", "--until", "message"], "1\n2\n3\n4\n"),
    (["--until-data", "3"], "1\n2\n3\n"),
    (["-e", "a", "--until", "b"], "1\n"),
])
def test_selecting_and_stopping(sse, origin, args, expected):
    server = stream(origin, "".join(f"event: {t}\ndata: {n}\n\n" for n, t in [(1, "a"), (2, "b"), (3, "a"), (4, "")]))
    tail = sse.run("tail", server.url, "--no-reconnect", *args)
    assert (tail.status, tail.out.decode(), tail.err) == (0, expected, "")


@pytest.mark.parametrize("args", [["-n", "9"], ["--until", "z"], ["--until-data", "z"]])
def test_a_stream_that_ends_before_what_was_waited_for_is_1(sse, origin, args):
    tail = sse.run("tail", stream(origin, "data: 1\n\n").url, "--no-reconnect", *args)
    assert (tail.status, tail.out) == (1, b"1\n")
    assert tail.err == ("sse: error: the stream ended after 1 event, before the stop condition was met\n"
                        "sse: hint: check -n, --until and --until-data, which set the condition\n")


def test_raw_stops_right_behind_the_event(sse, origin):
    wire = ": hi\ndata: 1\r\n\r\ndata: 2\n\ndata: 3\n\n"
    tail = sse.run("tail", stream(origin, wire).url, "-o", "raw", "-n", "2")
    assert (tail.status, tail.out.decode()) == (0, ": hi\ndata: 1\r\n\r\ndata: 2\n\n")


def test_raw_keeps_every_byte(sse, origin):
    wire = b"\xef\xbb\xbfdata: \xff\xfe\r\ndata\rnot a field\n: \x00\n\n"
    tail = sse.run("tail", stream(origin, wire).url, "-o", "raw", "--no-reconnect")
    assert (tail.status, tail.out) == (0, wire)


def test_an_event_is_out_before_the_next_one_comes(sse, origin):
    """No buffering: the server waits until the first has been seen before it sends the second."""
    seen = threading.Event()

    def handler(c):
        c.head()
        c.chunk("data: 1\n\n")
        assert seen.wait(HANG)
        c.chunk("data: 2\n\n")
        c.end()
    tail = sse.start("tail", origin(handler).url, "--no-reconnect")
    tail.stdout.wait_for("^1$")
    seen.set()
    assert tail.wait() == 0
    assert tail.stdout.bytes == b"1\n2\n"


def test_it_ends_at_once_and_quietly_when_its_reader_has_gone(sse, origin):
    """Also while the stream is silent."""
    read, write = os.pipe()
    tail = sse.start("tail", stream(origin, "data: 1\n\n", end=False).url, stdout=write)
    os.close(write)
    assert os.read(read, 100) == b"1\n"
    os.close(read)
    assert tail.wait() == 0
    assert tail.stderr.text() == ""


def test_it_ends_quietly_when_its_reader_goes_under_load(sse, origin):
    def handler(c):
        c.head()
        try:
            while True:
                c.chunk("data: x\n\n" * 1000)
        except OSError:
            pass
    read, write = os.pipe()
    tail = sse.start("tail", origin(handler).url, stdout=write)
    os.close(write)
    assert os.read(read, 2) == b"x\n"
    os.close(read)
    assert tail.wait() == 0
    assert tail.stderr.text() == ""


def test_a_full_disk_is_an_error(sse, origin):
    with open("/dev/full", "wb") as full:
        tail = sse.run("tail", stream(origin, "data: 1\n\n", end=False).url, stdout=full)
    assert tail.status == 23
    assert tail.err == ("sse: error: cannot write to standard output: No space left on device\n"
                        "sse: hint: free space on the disk, or redirect the output to another one\n")


def test_a_reader_that_reads_nothing_costs_no_memory_and_no_signal(sse, origin):
    def handler(c):
        c.head()
        try:
            for _ in range(10_000):
                c.chunk("data: " + "x" * 10_000 + "\n\n")
        except OSError:
            pass
    read, write = os.pipe()
    tail = sse.start("tail", origin(handler).url, stdout=write)
    os.close(write)
    poll("a full pipe", lambda: len(select.select([read], [], [], 0)[0]) and os.path.exists(f"/proc/{tail.pid}/wchan"))
    assert tail.rss_kib() < 64 * 1024
    tail.signal(15)
    assert tail.wait() == 143
    os.close(read)


def on_terminal(sse, *args, env=None):
    """What a terminal gets of `sse ARGS` as its stdout."""
    tail = sse.at_terminal(*args, fds=[1], env=env)
    assert tail.wait() == 0, tail.stderr.text()
    return tail.stdout.text().replace("\r\n", "\n")


EVENT = 'event: add\nid: 7\ndata: {"a":1.10,"b":[1e400,12345678901234567890],"c":"x"}\n\ndata: one\ndata: two\n\n'


def test_pretty_is_what_a_terminal_gets(sse, origin):
    out = on_terminal(sse, "tail", stream(origin, EVENT).url, "--no-reconnect", "--color", "never")
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3} +\+\d+ms  add  #7\n"
        r'  \{"a": 1\.10, "b": \[1e400, 12345678901234567890\], "c": "x"\}\n'
        r"\d\d:\d\d:\d\d\.\d{3} +\+\d+ms  message\n"
        r"  one\n"
        r"  two\n", out), out


def test_long_data_is_folded_to_the_width_of_a_terminal(sse, origin):
    words, text = "word " * 50, "x" * 200
    server = stream(origin, f'data: {words}\n\ndata: {{"a":"{text}"}}\n\n')
    args = ["tail", server.url, "--no-reconnect", "--color", "never", "--time", "none"]
    out = on_terminal(sse, *args)
    assert max(map(len, out.splitlines())) <= 80
    assert out.splitlines()[:2] == ["message  " + " ".join(["word"] * 14), "  " + " ".join(["word"] * 15)]
    assert out.replace("\n", "").replace(" ", "").count("x") == 200 and out.split().count("word") == 50
    whole = on_terminal(sse, *args, "--no-fold")
    assert whole.splitlines()[0] == "message  " + words and f'"{text}"' in whole


def test_wide_characters_are_folded_where_they_end(sse, origin):
    args = ["tail", stream(origin, "data: " + "\u4f60" * 100 + "\n\n").url, "--no-reconnect", "--color", "never", "--time", "none"]
    first, *rest = on_terminal(sse, *args).splitlines()
    assert first == "message  " + "\u4f60" * 35  # 79 of 80 columns
    assert [len(line.strip()) for line in rest] == [39, 26]


def test_a_terminal_that_is_made_narrower_is_folded_to_that(sse, origin):
    narrower = threading.Event()

    def handler(c):
        c.head()
        c.chunk("data: " + "x" * 100 + "\n\n")
        assert narrower.wait(HANG)
        c.chunk("data: " + "y" * 100 + "\n\n")
        c.end()
    tail = sse.at_terminal("tail", origin(handler).url, "--no-reconnect", "--color", "never", "--time", "none", fds=[1])
    tail.stdout.wait_for("x{20}\r\n")
    fcntl.ioctl(tail.keys, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    narrower.set()
    assert tail.wait() == 0
    widths = {letter: max(len(line) for line in tail.stdout.text().splitlines() if letter * 5 in line) for letter in "xy"}
    assert widths == {"x": 80, "y": 40}


@pytest.mark.parametrize("args, env, coloured", [
    ([], {}, True),
    ([], {"NO_COLOR": "1"}, False),
    ([], {"TERM": "dumb"}, False),
    (["--color", "never"], {}, False),
    (["--color", "always"], {"NO_COLOR": "1"}, True),
])
def test_colours(sse, origin, args, env, coloured):
    out = on_terminal(sse, "tail", stream(origin, EVENT).url, "--no-reconnect", *args, env=env)
    assert ("\x1b[" in out) == coloured
    assert ("\x1b[36m\"a\"\x1b[0m" in out) == coloured


@pytest.mark.parametrize("output", ["pretty", "data", "raw", "sse", "json"])
def test_no_control_character_of_the_stream_reaches_a_terminal(sse, origin, output):
    evil = "\x1b]0;pwned\x07\x1b[2J\x9b31m\u202e\x7f"
    server = stream(origin, f"event: {evil}\nid: {evil}\ndata: {evil}\n\ndata: [\"{evil}\"]\n\n")
    out = on_terminal(sse, "tail", server.url, "--no-reconnect", "-o", output, "--color", "never")
    assert not set(evil) & set("\x1b\x07\x9b\u202e\x7f") & set(out), out
    assert ("\\x1b]0;pwned\\x07" in out) == (output != "json")
    if output == "json":
        assert json.loads(out.splitlines()[0])["data"] == "\x1b]0;pwned\x07\x1b[2J\x9b31m\u202e\x7f"


def test_a_pipe_gets_the_data_as_it_is(sse, origin):
    tail = sse.run("tail", stream(origin, "data: \x1b[2J\n\n").url, "--no-reconnect")
    assert tail.out == b"\x1b[2J\n"


def test_a_recording_plays_back_what_was_heard(sse, origin, tmp_path):
    path = tmp_path / "run.jsonl"
    server = stream(origin, "id: 7\nevent: add\ndata: a\n\n", ": ping\n\n", "retry: 500\n\n", "data: b\n\n")
    tail = sse.run("tail", server.url, "--no-reconnect", "-H", "X-Api-Key: secret", "--record", path)
    assert (tail.status, tail.out) == (0, b"a\nb\n")
    head, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert head["sse"] == 1 and head["url"] == server.url
    assert head["request"]["method"] == "GET" and head["response"]["status"] == 200
    assert "secret" not in path.read_text()
    for line in lines:
        assert line.pop("t") >= 0
    assert lines == [{"event": "add", "id": "7", "data": "a"}, {"comment": " ping"}, {"retry": 500},
                     {"data": "b"}, {"close": "eof"}]


def test_a_state_is_never_ahead_of_the_recording(sse, origin, tmp_path):
    """A file may grow to 4 KiB here; stdout is written before the recording would be."""
    state, path = tmp_path / "state", tmp_path / "run.jsonl"
    server = stream(origin, "".join(f"id: {n}\ndata: {'x' * 100}\n\n" for n in range(2000)))
    shell = "trap '' XFSZ; ulimit -f 8; exec \"$@\" >/dev/null"
    tail = sse.start_program("sh", "-c", shell, "sh", sse.binary, "tail", server.url, "-o", "json",
                             "--record", path, "--state", state)
    assert tail.wait() == 23
    assert f"cannot write {path}: File too large" in tail.stderr.text()
    recorded = [json.loads(line).get("id") for line in path.read_text().splitlines()]
    assert not state.exists() or json.loads(state.read_text())["last_event_id"] in recorded


def test_a_recording_that_cannot_be_made_is_an_error(sse, origin, tmp_path):
    tail = sse.run("tail", stream(origin, "data: 1\n\n").url, "--record", tmp_path / "no" / "file")
    assert tail.status == 23
    assert "No such file or directory" in tail.err
