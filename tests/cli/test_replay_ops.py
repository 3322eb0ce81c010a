"""sse replay as a server that somebody runs: the same options as serve's, by the same code."""
import json
import os
import pty
import signal
import subprocess
import time

import pytest

from support.deadline import poll
from support.process import Pipe
from support.recording import recording
from support.wire import Cut, reset


@pytest.fixture
def seven(tmp_path):
    return recording(tmp_path / "r.jsonl", *({"t": 0, "id": str(i), "data": f"line {i}"} for i in range(1, 8)))


def logged(path, count=1):
    """The lines of the access log, once there are so many."""
    lines = poll("the log", lambda: path.exists() and (t := path.read_text()).count("\n") >= count and t.splitlines())
    return [json.loads(line) for line in lines]


def ask(wire, url, **more):
    answer = wire.get(url, **more)
    try:
        answer.read_all()
    except (Cut, ConnectionResetError):
        pass
    return answer


FAULTS = {
    "none": ((), None, 7, "7"),
    "drop-every": (("--drop-every", "3"), ["drop-every"], 3, "3"),
    "cut-after": (("--cut-after", "50"), ["cut-after"], 2, "2"),
    "reset": (("--drop-every", "3", "--reset"), ["drop-every", "reset"], 3, "3"),
    "constant ones": (("--split", "9", "--jitter", "1ms", "--coalesce", "1ms", "--no-comments", "--wrong-type"),
                      ["split", "coalesce", "jitter", "no-comments", "wrong-type"], 7, "7"),
    "corrupt": (("--corrupt", "0.01"), ["corrupt"], 7, "7"),
    "status": (("--status", "503"), ["status"], 0, None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_access_log_names_the_faults_and_counts_what_was_sent(sse, wire, seven, tmp_path, fault):
    flags, names, least, last = FAULTS[fault]
    log = tmp_path / "log"
    server = sse.replay(seven, "--access-log", log, *flags)
    ask(wire, server.url).close()
    line = logged(log)[0]
    assert line.get("faults") == names
    if fault != "cut-after":
        assert (line["events"], line["last_id"]) == (least, last)


def test_a_stalled_stream_is_named_when_its_client_goes(sse, wire, seven, tmp_path):
    log = tmp_path / "log"
    server = sse.replay(seven, "--access-log", log, "--stall-after", "2")
    answer = wire.get(server.url)
    answer.events(2)
    reset(answer.sock)
    assert logged(log)[0]["faults"] == ["stall-after"]


def test_events_in_recorded_reads_are_counted_too(sse, wire, tmp_path):
    path = recording(tmp_path / "r", *({"t": 0, "bytes": piece} for piece in ("data: x\nid: 5", "\n\nda", "ta: x\n\n")))
    server = sse.replay(path, "--access-log", tmp_path / "log")
    ask(wire, server.url).close()
    line = logged(tmp_path / "log")[0]
    assert (line["events"], line["last_id"]) == (2, "5")


def test_metrics_and_health_are_there(sse, wire, seven):
    server = sse.replay(seven, "--admin", "127.0.0.1:0")
    admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
    ask(wire, server.url)
    assert wire.get(admin + "healthz").read_all() == b"ok\n"
    metrics = wire.get(admin + "metrics").read_all().decode()
    assert "\nsse_deliveries_total 7\n" in metrics
    assert "\nsse_streams_total 1\n" in metrics


def test_what_was_served_is_said_at_the_end(sse, wire, seven):
    server = sse.replay(seven, "--once")
    ask(wire, server.url)
    assert server.wait() == 0
    assert server.stderr.wait_for(r"^sse: served 7 events to 1 connection: 7 deliveries, 0 missed, \d+ bytes sent")


def test_a_token_is_asked_for(sse, wire, seven, tmp_path):
    (tmp_path / "tokens").write_text("s3cret\n")
    server = sse.replay(seven, "--token-file", tmp_path / "tokens")
    assert wire.get(server.url).status == 401
    assert wire.get(server.url, headers={"Authorization": "Bearer s3cret"}).status == 200


def test_pages_of_another_origin_need_cors(sse, wire, seven):
    server = sse.replay(seven, "--cors", "https://app.example")
    assert wire.get(server.url, headers={"Origin": "https://evil.example"}).status == 403
    answer = wire.get(server.url, headers={"Origin": "https://app.example"})
    assert (answer.status, answer.header("access-control-allow-origin")) == (200, "https://app.example")


def test_headers_are_added_and_replace_recorded_ones(sse, wire, tmp_path):
    path = recording(tmp_path / "r", {"t": 0, "data": ""}, head={"response": {
        "status": 200, "headers": {"Content-Type": "text/event-stream", "X-A": "recorded", "X-B": "kept"}}})
    server = sse.replay(path, "--header", "x-a: mine: all", "--header", "X-C:", "--header", "Content-Type: text/x")
    answer = wire.get(server.url)
    assert answer.all("x-a") == ["mine: all"]
    assert (answer.header("x-b"), answer.header("x-c")) == ("kept", "")
    assert answer.all("content-type") == ["text/x"]


@pytest.mark.parametrize("field", ["nothing", ": x", "a b: c", "a: b\r\nc: d", "Content-Length: 5", "transfer-encoding: x"])
def test_a_header_that_cannot_be_is_a_usage_error(sse, seven, field):
    ran = sse.run("replay", seven, "--header", field)
    assert ran.status == 2
    assert ran.err.startswith("sse: error: --header: ")


def test_the_log_is_opened_anew_on_sighup(sse, wire, seven, tmp_path):
    log = tmp_path / "log"
    server = sse.replay(seven, "--access-log", log)
    ask(wire, server.url).close()
    logged(log)
    log.rename(tmp_path / "old")
    server.signal(signal.SIGHUP)
    poll("the new log", log.exists)
    ask(wire, server.url).close()
    assert logged(log)[0]["events"] == 7


def test_a_unix_socket_has_its_mode_and_goes(sse, wire, seven, tmp_path):
    path = tmp_path / "socket"
    server = sse.replay(seven, "--listen", f"unix:{path}", "--socket-mode", "0600")
    assert path.stat().st_mode & 0o777 == 0o600
    answer = wire.get(f"unix:{path}")
    assert answer.read_all()
    answer.close()
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert not path.exists()


@pytest.fixture
def terminal(sse):
    """Starts `sse ARGS` with a pseudo terminal as stderr; returns what it shows."""
    started = []

    def start(*args):
        master, slave = pty.openpty()
        started.append(subprocess.Popen([sse.binary, *map(str, args)], stdin=subprocess.DEVNULL, stderr=slave,
                                        stdout=subprocess.DEVNULL, env={**os.environ, "TERM": "xterm"}))
        os.close(slave)
        return Pipe(os.fdopen(master, "rb", buffering=0))
    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def long(tmp_path):
    return recording(tmp_path / "long.jsonl", {"t": 0, "data": "a"}, {"t": 12, "data": "b"}, {"t": 60, "data": "c"})


def test_a_terminal_is_told_where_the_playing_is(terminal, wire, long):
    shown = terminal("replay", long, "--listen", "127.0.0.1:0", "--speed", "60")
    url = shown.wait_for(r"sse: serving (\S+)\r\n")[1]
    shown.wait_for(r"\r\x1b\[Kwaiting, 0 clients, 0 events")
    answer = wire.get(url)
    shown.wait_for(r"\r\x1b\[K12s of 1m \(20%\), speed 60, 1 client, 2 events")
    answer.read_all()
    answer.close()
    shown.wait_for(r"\r\x1b\[K1m of 1m \(100%\), speed 60, 0 clients, 3 events")


@pytest.mark.parametrize("flags, text", [((), r"12s of 1m \(20%\), speed 30"), (("--loop", "2"), r"12s of 2m \(10%\), speed 30"),
                                         (("--from", "10"), r"2s of 50s \(4%\), speed 30")])
def test_so_it_is_while_it_prints(terminal, long, flags, text):
    shown = terminal("replay", long, "--stdout", "--speed", "30", *flags)
    shown.wait_for(r"\r\x1b\[K" + text)


def test_the_shared_clock_is_shown(terminal, wire, long):
    shown = terminal("replay", long, "--listen", "127.0.0.1:0", "--shared", "--speed", "30")
    wire.get(shown.wait_for(r"sse: serving (\S+)\r\n")[1])
    shown.wait_for(r"\r\x1b\[K12s of 1m \(20%\), speed 30, 1 client, 2 events")
