"""sse tail --stats: what it says of a stream, at the end and when it is asked."""
import json
import os
import re
import signal
import threading

import pytest

from support.deadline import at_pace, poll
from support.steps import FAST, events, no_content, script, stream


WIRE = "id: 7\ndata: one\n\nevent: add\ndata: three\n\nevent: add\ndata\n\n: comment\n\n"


def test_at_the_end_on_stderr(sse, origin):
    server = stream(origin, WIRE)
    tail = sse.run("tail", server.url, "--no-reconnect", "--stats", "-e", "add")
    assert (tail.status, tail.out) == (0, b"three\n\n")
    time = r"[\d.]+(us|ms|s)"
    assert re.fullmatch("".join(rf"sse: stats: {line}\n" for line in [
        rf"{re.escape(server.url)}: resolve {time}, connect {time}, first byte {time}, first event {time}, reconnects 0",
        rf"events 3, printed 2, {len(WIRE)} B in {time}: [\d.]+ events/s, [\d.]+ k?M?B/s",
        r"types: add 2, message 1",
        rf"gaps: p50 {time}, p90 {time}, p99 {time}, max {time}",
        r"largest: 5 bytes of data, add"]), tail.err), tail.err


def test_as_json_in_a_file(sse, origin, tmp_path):
    file = tmp_path / "stats.json"
    file.write_text("what was there before, and is longer than what comes: " + "x" * 10_000)
    server = stream(origin, WIRE)
    assert sse.run("tail", server.url, "--no-reconnect", "--stats-file", file).err == ""
    stats = json.loads(file.read_text())
    assert stats["streams"][0].pop("url") == server.url
    assert stats["streams"][0].pop("tls") is None and stats["streams"][0].pop("reconnects") == 0
    times = [stats["streams"][0][name] for name in ("connect", "first_byte", "first_event")]
    assert times == sorted(times) and stats["seconds"] >= times[-1] > 0
    assert (stats["events"], stats["printed"], stats["bytes"]) == (3, 3, len(WIRE))
    assert stats["types"] == {"message": 1, "add": 2}
    assert stats["gaps"]["count"] == 2 and stats["gaps"]["p50"] <= stats["gaps"]["max"]
    assert stats["largest"] == {"bytes": 5, "event": "add", "id": ""}


@at_pace(0.1)
def test_gaps_are_those_of_the_stream(sse, origin, tmp_path):
    file, seen = tmp_path / "stats.json", threading.Event()

    def handler(c):
        c.head()
        c.chunk("data: 1\n\ndata: 2\n\n")
        seen.wait(0.3)  # what is measured is time
        c.chunk("data: 3\n\n")
        c.end()
    sse.run("tail", origin(handler).url, "--no-reconnect", "--stats-file", file)
    gaps = json.loads(file.read_text())["gaps"]
    assert gaps["p50"] < 0.2 and gaps["max"] > 0.25 and gaps["p99"] == gaps["max"]


def test_of_several_each_has_its_times(sse, origin, tmp_path):
    file = tmp_path / "stats.json"
    good, bad = stream(origin, WIRE), origin(lambda c: c.answer("404 Not Found"))
    assert sse.run("tail", good.url, bad.url, "http://127.0.0.1:1/", "--no-reconnect", "--stats-file", file).status
    first, second, third = json.loads(file.read_text())["streams"]
    assert first["first_event"] > 0
    assert second["first_byte"] > 0 and second["first_event"] is None
    assert third["first_byte"] is None


def test_reconnections_are_counted(sse, origin, tmp_path):
    file, step = tmp_path / "stats.json", events(FAST + "data: x\n\n")
    assert sse.run("tail", script(origin, step, step, no_content).url, "--stats-file", file).status == 0
    assert json.loads(file.read_text())["streams"][0]["reconnects"] == 2


@pytest.mark.parametrize("number", [signal.SIGUSR1])
def test_whenever_it_is_asked(sse, origin, number, tmp_path):
    file = tmp_path / "stats.json"
    tail = sse.start("tail", stream(origin, WIRE, end=False).url, "--stats", "--stats-file", file)
    tail.stdout.wait_for("three\n\n")
    for asked in (1, 2):
        tail.signal(number)
        tail.stderr.wait("the stats", lambda b: b.count(b"sse: stats: largest") == asked)
        poll("the file", lambda: file.read_text().endswith("}\n"))
        assert json.loads(file.read_text())["events"] == 3
    assert tail.running
    tail.signal(15)
    assert tail.wait() == 143
    assert tail.stderr.text().count("sse: stats: largest") == 3  # and at the end


def test_it_answers_also_while_its_reader_is_stuck(sse, origin):
    read, write = os.pipe()
    tail = sse.start("tail", stream(origin, *["data: " + "x" * 10_000 + "\n\n"] * 100, end=False).url, "--stats",
                     stdout=write)
    os.close(write)
    assert os.read(read, 1) == b"x"
    tail.signal(signal.SIGUSR1)
    tail.stderr.wait_for("sse: stats: largest: 10000 bytes of data, message")
    tail.signal(15)
    assert tail.wait() == 143
    os.close(read)


def test_an_error_comes_behind_them(sse, origin):
    tail = sse.run("tail", origin(lambda c: c.answer("404 Not Found")).url, "--stats")
    assert tail.status == 22
    assert [line.split(":")[1] for line in tail.err.splitlines()] == [" stats", " stats", " error", " hint"]


def test_a_file_that_cannot_be_made(sse, origin, tmp_path):
    tail = sse.run("tail", ":1", "--stats-file", tmp_path / "no" / "file")
    assert tail.status == 23
    assert f"cannot create {tmp_path}/no/file: No such file or directory" in tail.err


def test_memory_is_bounded_whatever_the_types(sse, origin, tmp_path):
    def handler(c):
        c.head()
        for i in range(0, 200_000, 1000):
            c.chunk("".join(f"event: {n}\ndata\n\n" for n in range(i, i + 1000)))
        c.end()
    file = tmp_path / "stats.json"
    assert sse.run("tail", origin(handler).url, "--no-reconnect", "-e", "none", "--stats-file", file).status == 0
    stats = json.loads(file.read_text())
    assert (len(stats["types"]), stats["other_types"]) == (1000, 199_000)


def test_a_live_line_where_only_the_output_is_redirected(sse, origin, tmp_path):
    """On the terminal of stderr, if stdout is a file; it is gone in the end."""
    with open(tmp_path / "out", "wb") as out:
        tail = sse.at_terminal("tail", stream(origin, WIRE, end=False).url, fds=[2], stdout=out)
    tail.stderr.wait_for(r"3 events, \d+/s, [\d.]+(us|ms|s) since the last one")
    tail.signal(15)
    assert tail.wait() == 143
    assert tail.stderr.text().endswith("\r\x1b[K")
    assert (tmp_path / "out").read_bytes() == b"one\nthree\n\n"
