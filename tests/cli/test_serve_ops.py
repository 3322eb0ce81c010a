"""What an operator of `sse serve` sees: /healthz, /metrics, the access log, signals, the status line
and the totals."""
import json
import os
import pty
import re
import signal
import subprocess

import pytest
from support import prometheus
from support.deadline import HANG, poll
from support.process import Pipe
from support.wire import reset


def start(sse, *args, typed=b""):
    """With `typed` as its input so far, which stays open."""
    server = sse.serve(*args)
    server.write(typed)
    return server


def serve(sse, *args, typed=b""):
    server = start(sse, "--admin", "127.0.0.1:0", *args, typed=typed)
    server.admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
    return server


def read_to_end(stream):
    """And closes: the server waits a while for that."""
    events = stream.events()
    stream.close()
    return events


def metrics(wire, server):
    answer = wire.get(server.admin + "metrics", headers={"Connection": "close"})
    assert answer.status == 200
    assert answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8"
    return prometheus.read(answer.read_all().decode())


def value(families, name, **labels):
    return families[name][tuple(labels.items())]


def totals(process):
    return process.stderr.wait_for(r"^sse: served (.*)$")[1]


# -- admin

def test_healthz_is_ok_and_other_paths_are_not_there(sse, wire):
    server = serve(sse)
    answer = wire.get(server.admin + "healthz")
    assert (answer.status, answer.read_all()) == (200, b"ok\n")
    assert wire.get(server.admin).status == 404
    post = wire.request(server.admin + "metrics", "POST", body=b"")
    assert (post.status, post.header("allow")) == (405, "GET, HEAD")
    assert wire.request(server.admin + "healthz", "HEAD").status == 200


def test_the_admin_listener_has_no_stream_and_the_stream_no_metrics(sse, wire):
    server = serve(sse, typed=b"a\n")
    assert wire.get(server.url + "metrics").status == 404
    assert wire.get(server.admin).status == 404


def test_a_rebound_name_may_not_read_metrics(sse, wire):
    server = serve(sse)
    assert wire.get(server.admin + "metrics", headers={"Host": "evil.example"}).status == 403
    assert value(metrics(wire, server), "sse_refusals_total", reason="host") == 0  # not a client


def test_healthz_says_503_while_it_drains(sse, wire):
    server = serve(sse, "--grace", "60s", "--history", "1000", typed=b"x" * 1000 + b"\n")
    reader = wire.get(server.url)
    reader.events(1)
    probe = wire.connect(server.admin)
    server.write(b"".join(b"%d %b\n" % (i, b"y" * 10_000) for i in range(900)))
    server.signal(signal.SIGTERM)  # the reader does not read: it cannot end yet
    poll("the server to drain", lambda: wire.get(server.admin + "healthz").status == 503)
    probe.close()
    read_to_end(reader)  # now it reads all, to the end
    assert server.wait() == 0


def test_metrics_count_what_happened(sse, wire):
    server = serve(sse, "--max-clients", "2", typed=b"a\nb\n\nc\n")
    first, second = wire.get(server.url), wire.get(server.url)
    first.events(4)
    second.events(4)
    assert wire.get(server.url).status == 503
    assert wire.get(server.admin + "healthz").status == 200  # also when the house is full
    now = metrics(wire, server)
    assert value(now, "sse_clients") >= 2
    assert value(now, "sse_streams") == value(now, "sse_streams_total") == 2
    assert value(now, "sse_connections_total") == 3
    assert value(now, "sse_requests_total") == 3
    assert value(now, "sse_refusals_total", reason="clients") == 1
    assert value(now, "sse_events_total") == 4
    assert value(now, "sse_deliveries_total") == 8
    assert value(now, "sse_missed_events_total") == 0
    assert value(now, "sse_history_events") == 4
    assert value(now, "sse_history_bytes") == value(now, "sse_published_bytes_total") > 0
    assert value(now, "sse_channel_subscribers", channel="/") == 2
    assert value(now, "sse_channel_deliveries_total", channel="/") == 8
    assert value(now, "sse_build_info", version=sse.run("--version").out.split()[1].decode()) == 1
    assert value(now, "process_resident_memory_bytes") > 1e6
    sent = value(now, "sse_sent_bytes_total")
    heads = len(first.head) + len(second.head) + 8
    assert sent > heads + 2 * len("data: a\n\n") * 4
    first.close()
    poll("the end to be counted",
         lambda: value(metrics(wire, server), "sse_connection_ends_total", how="client closed") == 1)
    assert value(metrics(wire, server), "sse_streams") == 1


def test_missed_events_are_counted(sse, wire):
    server = serve(sse, "--overflow", "drop", "--history", "10")
    lines = [b"x" * 10_000 + b"\n"] * 100
    server.write(b"".join(lines))
    stalled = wire.get(server.url)
    for _ in range(60):
        server.write(b"".join(lines))
    poll("the slow client to miss some", lambda: value(metrics(wire, server), "sse_missed_events_total"))
    now = metrics(wire, server)
    assert value(now, "sse_slow_client_skips_total") >= 1
    assert value(now, "sse_history_events") == 10
    poll("the survey", lambda: value(metrics(wire, server), "sse_slowest_lag_events") == 10)
    assert value(metrics(wire, server), "sse_subscribers_behind") == 1
    stalled.close()


def test_channels_are_told_apart_whatever_their_names(sse, wire):
    server = serve(sse, "--channels", "--publish")
    names = ["/a", '/quo"te', "/back\\slash", "/line\nfeed", "/ü", "/{a=\"b\"}"]
    for name in names:
        target = "".join(f"%{b:02X}" if b != 0x2F else "/" for b in name.encode())
        assert wire.request(server.url, "POST", target=target, body=b"x",
                            headers={"Content-Type": "text/plain"}).status == 201
    assert wire.request(server.url, "POST", target="/%FF", body=b"x").status in (201, 400, 415)
    now = metrics(wire, server)
    for name in names:
        assert value(now, "sse_channel_events_total", channel=name) == 1
    assert len(now["sse_channel_events_total"]) == len(names)
    assert value(now, "sse_events_total") >= len(names)


def test_many_channels_have_no_series_each(sse, wire):
    server = serve(sse, "--channels", "--publish")
    for i in range(101):
        assert wire.get(server.url + f"c{i}").status == 200
    now = metrics(wire, server)
    assert value(now, "sse_channels") == 101 and "sse_channel_events_total" not in now


def test_an_admin_address_in_use_is_told_with_the_way_out(sse, origin):
    taken = origin(lambda c: None)
    result = sse.run("serve", "--listen", "127.0.0.1:0", "--admin", f"127.0.0.1:{taken.port}")
    assert result.status == 7
    assert result.err == (
        f"sse: error: cannot listen on 127.0.0.1:{taken.port}: Address already in use\n"
        "sse: hint: choose another address with --admin\n")


# -- the access log

def log_of(path, count):
    poll(f"{count} lines of the log", lambda: path.exists() and path.read_bytes().count(b"\n") >= count)
    return [json.loads(line) for line in path.read_text().splitlines()]


def client_closes(server, wire):
    stream = wire.get(server.url + "?access_token=sesame&last_event_id=6",
                      headers={"Last-Event-ID": "5"})
    stream.events(1)
    stream.close()


def client_resets(server, wire):
    stream = wire.get(server.url)
    stream.events(2)
    reset(stream.sock)


def garbage(server, wire):
    wire.send(server.url, b"\0\1\2 /\r\n\r\n").recv(1000)


def foreign_host(server, wire):
    wire.get(server.url, headers={"Host": "evil.example", "Connection": "close"}).read_all()


def two_requests(server, wire):
    sock = wire.send(server.url, b"GET /no HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                 b"HEAD /yes?token=sesame HTTP/1.1\r\nHost: localhost\r\n"
                                 b"Connection: close\r\n\r\n")
    while sock.recv(1000):
        pass


def slow_head(server, wire):
    sock = wire.send(server.url, b"GET / HT")
    while sock.recv(1000):
        pass


ENDS = [
    (client_closes, dict(method="GET", path="/?access_token=***&last_event_id=6", status=200, events=2,
                         requests=1, last_event_id="5", end="client closed", refusal=None)),
    (client_resets, dict(path="/", status=200, events=2, end="client closed", last_event_id=None)),
    (garbage, dict(method=None, path=None, status=400, end="refused", refusal="request")),
    (foreign_host, dict(status=403, end="refused", refusal="host", events=0, last_id=None)),
    (two_requests, dict(method="HEAD", path="/yes?token=***", status=404, requests=2, end="answered")),
    (slow_head, dict(status=408, end="refused", refusal="timeout", method=None)),
]


@pytest.mark.parametrize("client,expected", ENDS, ids=[c.__name__ for c, _ in ENDS])
def test_a_connection_is_a_line_that_says_how_it_ended(sse, wire, tmp_path, client, expected):
    log = tmp_path / "log"
    server = start(sse, "--access-log", log, "--head-timeout", "500ms", typed=b"a\nb\n")
    client(server, wire)
    line, = log_of(log, 1)
    assert {k: line[k] for k in expected} == expected
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert line["address"] == "127.0.0.1" and 0 <= line["seconds"] and line["bytes"] > 0
    assert "sesame" not in log.read_text()


def test_streams_that_end_well_and_those_that_are_drained_are_told_apart(sse, wire, tmp_path):
    log = tmp_path / "log"
    server = start(sse, "--access-log", log, "--input", "json", typed=b'{"id":"a1","data":"x"}\n')
    stream = wire.get(server.url)
    stream.events(1)
    server.signal(signal.SIGTERM)
    read_to_end(stream)
    assert server.wait() == 0
    drained, = log_of(log, 1)
    assert (drained["end"], drained["last_id"], drained["events"]) == ("drained", "a1", 1)

    result = start(sse, "--access-log", log)
    result.write(b"1\n2\n")
    result.close_stdin()
    read_to_end(wire.get(result.url))
    assert result.wait() == 0
    ended = log_of(log, 2)[1]
    assert (ended["end"], ended["events"]) == ("end of stream", 2)
    assert totals(result).startswith("2 events to 1 connection: 2 deliveries, 0 missed, ")


def test_a_stalled_client_and_one_overrun_are_told(sse, wire, tmp_path):
    big = b"x" * 60_000 + b"\n"
    for args, end in ((("--stall-timeout", "1s"), "stalled"),
                      (("--overflow", "disconnect", "--history", "5"), "overrun")):
        log = tmp_path / end
        server = start(sse, "--access-log", log, *args, typed=b"a\n")
        wire.get(server.url).events(1)
        for _ in range(400):
            server.write(big)
        assert log_of(log, 1)[0]["end"] == end


def test_any_bytes_of_a_client_are_valid_json(sse, wire, tmp_path):
    log = tmp_path / "log"
    server = start(sse, "--access-log", log, typed=b"a\n")
    odd = bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))
    sock = wire.send(server.url, b"GET /?last_event_id=%0d%0a%00%ff HTTP/1.1\r\nHost: localhost\r\n"
                                 b"Connection: close\r\n\r\n")
    sock.recv(1000)
    sock.close()
    sock = wire.send(server.url, b"GET / HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: " + odd * 20 +
                     b"\r\n\r\n")
    sock.recv(1000)
    sock.close()
    first, second = log_of(log, 2)
    assert first["last_event_id"] == "\r\n\0\ufffd"
    assert second["last_event_id"].startswith('!"#') and len(second["last_event_id"]) <= 259


def test_sighup_opens_the_log_anew(sse, wire, tmp_path):
    log, old = tmp_path / "log", tmp_path / "log.1"
    server = start(sse, "--access-log", log, typed=b"a\n")
    wire.get(server.url + "one").read_all()
    wire.close_all()
    log_of(log, 1)
    log.rename(old)
    server.signal(signal.SIGHUP)
    poll("the new log", log.exists)
    wire.get(server.url + "two", headers={"Connection": "close"}).read_all()
    assert [v["path"] for v in log_of(log, 1)] == ["/two"]
    assert [v["path"] for v in log_of(old, 1)] == ["/one"]


def test_a_full_disk_under_the_log_is_told_once_and_serving_goes_on(sse, wire):
    server = start(sse, "--access-log", "/dev/full", typed=b"a\n")
    for _ in range(20):
        stream = wire.get(server.url)
        assert [e.data for e in stream.events(1)] == ["a"]
        stream.close()
    warning = "sse: warning: cannot write the access log /dev/full: No space left on device\n"
    server.stderr.wait_for(re.escape(warning))
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert server.stderr.text().count("cannot write") == 1


def test_a_log_that_cannot_be_made_ends_it_before_it_listens(sse):
    result = sse.run("serve", "--access-log", "/no/such/log")
    assert result.status == 23
    assert result.err == (
        "sse: error: cannot create /no/such/log: No such file or directory\n"
        "sse: hint: give --access-log a file that can be created\n")


def test_the_log_may_be_stderr(sse, wire):
    server = start(sse, "--access-log", "-", typed=b"a\n")
    wire.get(server.url + "x", headers={"Connection": "close"}).read_all()
    line = json.loads(server.stderr.wait_for(r"^\{.*\}$")[0])
    assert (line["path"], line["status"]) == ("/x", 404)


# -- signals, totals, the terminal

def test_sigusr1_prints_the_state(sse, wire):
    server = start(sse, "--history", "2", typed=b"a\nb\nc\n")
    wire.get(server.url).events(3)
    wire.get(server.url, headers={"Host": "evil.example"}).read_all()
    server.signal(signal.SIGUSR1)
    server.stderr.wait_for(r"^sse: note: up \d+ s: 2 clients now, 1 stream, 2 connections in total\n"
                           r"sse: note: 3 events published, \d deliveries, 0 missed, \d+ bytes sent\n"
                           r"sse: note: history of 2 events in \d+ bytes; "
                           r"\d subscribers? behind, the slowest by \d events?\n"
                           r"sse: note: refused: host 1\n")
    assert server.running


def test_no_signal_of_its_own_can_end_it_once_it_announces_itself(sse, tmp_path):
    """It is held in the middle of its announcement, by a pipe that takes no more."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while os.write(writing, b"x" * 4096):
            pass
    except BlockingIOError:
        os.set_blocking(writing, True)
    port = tmp_path / "port"
    server = subprocess.Popen([sse.binary, "serve", "--listen", "127.0.0.1:0", "--port-file", port,
                               "--access-log", tmp_path / "log", "--max-clients", "100"],
                              stdin=subprocess.PIPE, stderr=writing)
    try:
        poll("the port", port.exists)
        with open(f"/proc/{server.pid}/status") as status:
            caught = int(re.search(r"^SigCgt:\s+(\w+)$", status.read(), re.MULTILINE)[1], 16)
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
            assert caught >> (number - 1) & 1, number
    finally:
        server.kill()
        server.wait()
        server.stdin.close()
        os.close(reading)
        os.close(writing)


def test_the_totals_are_the_last_line(sse, wire):
    server = start(sse)
    server.write(b"a\nb\n")
    server.close_stdin()
    stream = wire.get(server.url)
    read_to_end(stream)
    assert server.wait() == 0
    received = len(stream.head) + 4  # and the body, in chunks
    last = server.stderr.text().splitlines()[-1]
    match = re.fullmatch(r"sse: served 2 events to 1 connection: 2 deliveries, 0 missed, "
                         r"(\d+) bytes sent, \d+\.\d s", last)
    assert match and int(match[1]) > received


class Terminal:
    """A pseudo terminal as the stderr of a program."""

    def __init__(self, sse, *args, term="xterm"):
        master, slave = pty.openpty()
        self.master = os.fdopen(master, "rb", buffering=0)
        self.popen = subprocess.Popen([sse.binary, *args], stdin=subprocess.PIPE,
                                      stdout=subprocess.DEVNULL, stderr=slave,
                                      env={**os.environ, "TERM": term})
        os.close(slave)
        self.out = Pipe(self.master)

    def screen(self):
        """What stands on its lines in the end: a line is erased by CR, ESC [ K."""
        lines = [""]
        for part in re.split(r"(\r\n|\r|\033\[K)", self.out.text()):
            if part == "\r\n":
                lines.append("")
                column = 0
            elif part == "\r":
                column = 0
            elif part == "\033[K":
                lines[-1] = lines[-1][:column]
            elif part:
                lines[-1] = part if not lines[-1] or column == 0 else lines[-1] + part
                column = len(lines[-1])
        return lines

    def end(self):
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()


def test_a_terminal_has_a_status_line_that_vanishes(sse, wire):
    terminal = Terminal(sse, "serve", "--listen", "127.0.0.1:0")
    try:
        url = terminal.out.wait_for(r"sse: serving (\S+)\r\n")[1]
        terminal.out.wait_for(r"\r\x1b\[K0 clients, 0 events, 0/s, slowest 0 behind")
        terminal.popen.stdin.write(b"a\nb\n")
        terminal.popen.stdin.flush()
        stream = wire.get(url)
        stream.events(2)
        terminal.out.wait_for(r"\r\x1b\[K1 client, 2 events, \d+/s")
        terminal.popen.send_signal(signal.SIGUSR1)  # a line comes above it, and it stands again
        terminal.out.wait_for(r"\r\x1b\[Ksse: note: history of 2 events[^\r]*\r\n1 client, 2 events")  # the last one
        assert terminal.screen()[-1].startswith("1 client, 2 events")
        terminal.popen.stdin.close()
        read_to_end(stream)
        assert terminal.popen.wait(HANG) == 0
        terminal.out.wait_for_end()
        screen = terminal.screen()
        assert screen[-1] == "" and screen[-2].startswith("sse: served 2 events to 1 connection")
        assert not any("slowest 0 behind" in line for line in screen)
    finally:
        terminal.end()


@pytest.mark.parametrize("args,term", [((), "dumb"), (("--access-log", "-"), "xterm")])
def test_no_status_line_where_it_would_be_in_the_way(sse, wire, args, term):
    terminal = Terminal(sse, "serve", "--listen", "127.0.0.1:0", *args, term=term)
    try:
        url = terminal.out.wait_for(r"sse: serving (\S+)\r\n")[1]
        terminal.popen.stdin.write(b"a\n")
        terminal.popen.stdin.close()
        read_to_end(wire.get(url))
        assert terminal.popen.wait(HANG) == 0
        terminal.out.wait_for_end()
        assert "\x1b" not in terminal.out.text()
    finally:
        terminal.end()


def test_a_pipe_has_no_status_line(sse, wire):
    server = start(sse)
    server.write(b"a\n")
    server.close_stdin()
    read_to_end(wire.get(server.url))
    assert server.wait() == 0
    assert "\x1b" not in server.stderr.text() and "\r" not in server.stderr.text()
