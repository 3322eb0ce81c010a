"""sse tail against hostile servers, beside the framing, the redirects and the compression
that have files of their own; and against the command line."""
import re
import socket
from pathlib import Path

import pytest

from support.deadline import poll
from support.steps import FAST, closes, events, no_content, script, silent
from support.wire import reset


@pytest.mark.parametrize("bad", ["a" * (1 << 20), "\x01x", "a\x00b", "\u0085\u2028", "\x7f", "   "],
                         ids=["1 MiB", "control", "NUL", "line separators", "DEL", "blanks"])
def test_after_a_poisoned_id_the_next_good_one_recovers(sse, origin, bad):
    server = script(origin, events(f"{FAST}id: {bad}\ndata: x\n\n"), events("id: good\ndata: y\n\n"), no_content)
    tail = sse.run("tail", server.url)
    assert (tail.status, tail.out) == (0, b"x\ny\n"), tail.err
    first, second, third = [r.header("Last-Event-ID") for r in server.requests]
    assert first is None and third == "good"
    assert second is None or second.encode("latin-1").decode() == "\u0085\u2028"


@pytest.mark.parametrize("bad", ["x" * 5000, "\x01x"])
def test_an_id_that_cannot_be_sent_is_told_once(sse, origin, bad):
    server = script(origin, events(f"{FAST}id: {bad}\ndata: x\n\n"), closes, closes, events("data: y\n\n"), no_content)
    tail = sse.run("tail", server.url, "--retry-max", "1ms")
    assert (tail.status, tail.out) == (0, b"x\ny\n")
    shown = "x" * 100 + "..." if bad[0] == "x" else "\\x01x"
    assert tail.err == (f'sse: warning: the last event ID "{shown}" cannot be sent in a header: '
                        "events may be missing or repeated\n")


def test_a_header_of_10_mb_is_bounded(sse, origin):
    def handler(c):
        c.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX: ")
        for _ in range(100):
            c.send(b"x" * 100_000)
        c.send(b"\r\n\r\n")
    tail = sse.start("tail", origin(handler).url)
    assert tail.wait() == 3
    assert "the response head is larger than 65536 bytes" in tail.stderr.text()


@pytest.mark.parametrize("wire", ["retry: -1", "retry: 1e3", "retry: 0x10", "retry: 1 000", "retry: \u0661"])
def test_a_retry_that_is_no_number_changes_nothing(sse, origin, wire):
    server = script(origin, events(f"{wire}\ndata: x\n\n"), no_content)
    tail = sse.run("tail", server.url, "--retry", "100ms", "-v")
    assert tail.status == 0
    assert "reconnecting in 100ms" in tail.err and "retry is not all digits" in tail.err


@pytest.mark.parametrize("digits", [31, 63, 64, 133])
def test_a_retry_of_many_bits_is_bounded_and_can_be_left(sse, origin, digits):
    server = script(origin, events(f"retry: {1 << digits}\ndata: x\n\n"))
    tail = sse.start("tail", server.url, "-v")
    tail.stderr.wait_for("reconnecting in 1h")
    tail.signal(15)
    assert tail.wait() == 143 and len(server.requests) == 1


@pytest.mark.parametrize("leave", [lambda c: None, lambda c: reset(c.sock), lambda c: c.send("HTTP/1.1 200 OK\r\n")],
                         ids=["closes", "resets", "half a head"])
def test_a_server_that_leaves_at_once_is_no_storm(sse, origin, leave):
    """Each wait is longer than the one before it may be: a second holds few attempts."""
    server = script(origin, events(f"{FAST}data: x\n\n"), leave)
    tail = sse.run("tail", server.url, "--retries", "3", "-v")
    assert tail.status in (7, 56), tail.err
    assert len(server.requests) == 5
    waits = re.findall(r"reconnecting in ([\d.]+)(ms|s)", tail.err)
    assert len(waits) == 4 and all(unit == "s" or float(value) >= 100 for value, unit in waits)


@pytest.mark.release  # a sanitizer keeps what is freed for a while
def test_no_descriptor_and_no_memory_stays_of_many_connections(sse, origin):
    """Forty of them: ended well, cut, refused by a status."""
    def handler(c):
        if c.number % 4 == 3:
            return c.answer("503 Busy", "x" * 10_000)
        c.head()
        c.chunk(f"{FAST}id: {c.number}\ndata: {'x' * 10_000}\n\n")
        if c.number % 2:
            c.end()
    server = origin(handler)
    tail = sse.start("tail", server.url, "--retry-max", "1ms")
    server.wait_requests(12)
    descriptors, memory = tail.descriptors(), tail.rss_kib()
    server.wait_requests(40)
    assert tail.descriptors() <= descriptors + 4  # those of one connection; a leak would be 28
    assert tail.rss_kib() < memory + 4096
    tail.signal(2)
    assert tail.wait() == 130


def test_a_signal_while_it_connects(sse):
    """A listener whose queue is full answers no SYN."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        held = []
        for _ in range(3):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
            held.append(sock)
        port = listener.getsockname()[1]

        def unanswered():
            return Path("/proc/net/tcp").read_text().count(f":{port:04X} 02 ")  # SYN_SENT
        before = unanswered()
        tail = sse.start("tail", f"http://127.0.0.1:{port}/", "-v")
        poll("one more", lambda: unanswered() > before)
        tail.signal(2)
        assert tail.wait() == 130
        for sock in held:
            sock.close()


@pytest.mark.parametrize("number, status", [(2, 130), (15, 143), (1, 129)])
def test_the_last_id_is_kept_when_a_signal_ends_it(sse, origin, tmp_path, number, status):
    state = tmp_path / "state"
    tail = sse.start("tail", script(origin, silent("id: 1\ndata: x\n\n", "id: 2\ndata: y\n\n")).url, "--state", state)
    tail.stdout.wait_for("y")
    tail.signal(number)
    assert tail.wait() == status
    assert '"last_event_id":"2"' in state.read_text()


def test_a_full_disk_under_the_recording_is_an_error(sse, origin):
    tail = sse.run("tail", script(origin, silent("data: x\n\n")).url, "--record", "/dev/full")
    assert tail.status == 23
    assert "No space left on device" in tail.err


@pytest.mark.parametrize("args", [["--pointer", ""], ["-F", "{event} {id} {data}"], ["-F", "{/a}"], ["-v"]])
def test_no_control_character_reaches_a_terminal_by_a_side_door(sse, origin, args):
    evil = "\\u001b]0;x\\u0007\\u009b2J"
    raw = "\x1b]0;x\x07\x1b[2J\u009b2J\u202e"
    server = script(origin, events(f": {raw}\nevent: {raw}\nid: {raw}\nodd {raw}: x\ndata: {{\"a\":\"{evil}\"}}\n\n"))
    tail = sse.at_terminal("tail", server.url, "--no-reconnect", "--color", "never", *args)
    assert tail.wait() == 0
    text = tail.stdout.text()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e]", text), ascii(text)


def options(sse):
    """The options of --help: the long name, and the type of its value; None for a flag."""
    for line in sse.run("tail", "--help").out.decode().splitlines():
        match = re.match(r"  (-\S+)(?: (\S+))?", line)
        if match and match[1].startswith("-"):
            long = match[1].split(",")[-1]
            kind = re.sub("=.*", "", match[2] or "")
            yield long, None if not kind or kind.endswith(":") else kind  # "Needs: ...", "Excludes: ..."


def test_every_option_names_itself_where_its_value_is_none(sse):
    checked = []
    for name, kind in options(sse):
        bad = {"DURATION": "soon", "N": "many", "BYTES": "lots"}.get(kind, "no such choice" if kind and "|" in kind else None)
        if bad is None:
            continue
        tail = sse.run("tail", ":1", name, bad)
        error, hint, rest = tail.err.split("\n")
        assert tail.status == 2 and rest == "" and hint.startswith("sse: hint: "), (name, tail.err)
        assert name in error and bad in error, (name, tail.err)
        checked.append(name)
    assert {"--count", "--max-time", "--retry", "--jobs", "--output", "--max-event-bytes"} <= set(checked)


@pytest.mark.release
def test_every_option_that_takes_a_value_says_so(sse):
    for name, kind in options(sse):
        if kind is None:
            continue
        tail = sse.run("tail", ":1", name)
        assert tail.status == 2 and name in tail.err and "needs a value" in tail.err, (name, tail.err)
