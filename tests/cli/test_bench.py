"""sse bench against servers that do to known events of known subscribers what the report must then say."""
import csv
import io
import json
import os
import re
import signal
import threading
import time
from pathlib import Path

import jsonschema
import pytest
from support.certificates import Authority
from support.deadline import at_pace, poll

SCHEMA = json.loads((Path(__file__).parents[2] / "man/sse-bench.schema.json").read_text())
AT_ONCE = ["--warm-up", "0", "--connect-rate", "10000", "-t", "1h"]  # until the server ends the streams


class Stage:
    """A server whose subscribers are `/0`, `/1` ...: once all are there, `play(number, connection)` is called
    for each, on a thread of its own; then the stream ends."""

    def __init__(self, origin, count, play):
        self._there = threading.Barrier(count)
        self._play = play
        self.origin = origin(self._serve)
        self.url = self.origin.url + "{n}"

    def _serve(self, connection):
        connection.head()
        self._there.wait()
        self._play(int(connection.request.target[1:]), connection)
        connection.end()


def event(number):
    return f"data: event {number}\nid: id-{number}\n\n"


def report(sse, *args):
    done = sse.run("bench", "-o", "json", *args)
    assert done.status == 0, done.err
    return json.loads(done.out)


def counts(found):
    return {name: found[name] for name in ("lost", "duplicates", "disordered", "missed")}


PLAYS = [  # what is done to the events of single subscribers, and what comes of it
    ("nothing", {}, {}),
    ("two are dropped", {1: lambda ids: [i for i in ids if i not in (5, 6)]}, {"lost": 2}),
    ("one is doubled", {2: lambda ids: ids[:10] + ids[9:]}, {"duplicates": 1}),
    ("two are swapped", {3: lambda ids: [*ids[:7], ids[8], ids[7], *ids[9:]]}, {"disordered": 1}),
    ("one comes late, and much later again", {0: lambda ids: [i for i in ids if i != 4] + [4, 4]},
     {"disordered": 1, "duplicates": 1}),
    ("it comes later and leaves earlier", {4: lambda ids: ids[5:-3]}, {}),
    ("all of this", {1: lambda ids: [i for i in ids if i not in (5, 6)], 2: lambda ids: ids[:10] + ids[9:],
                     3: lambda ids: [*ids[:7], ids[8], ids[7], *ids[9:]], 4: lambda ids: ids[5:-3],
                     5: lambda ids: [i for i in ids if i not in (2, 19)]},
     {"lost": 4, "duplicates": 1, "disordered": 1}),
    ("an event that only one received", {n: (lambda ids: [i for i in ids if i != 8]) for n in range(5)}, {"lost": 5}),
]


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("what, done, expected", PLAYS, ids=[row[0] for row in PLAYS])
def test_what_a_server_did_to_known_events_is_counted_exactly(sse, origin, what, done, expected, processes):
    ids = list(range(1, 31))

    def play(number, connection):
        for each in done.get(number, list)(ids):
            connection.chunk(event(each))

    found = report(sse, "-c", "6", "--processes", processes, *AT_ONCE, Stage(origin, 6, play).url)
    assert counts(found) == {"lost": 0, "duplicates": 0, "disordered": 0, "missed": 0} | expected
    assert found["events"] == 30 and found["opened"] == found["ended"] == 6 and found["keyed_by"] == "id"
    assert found["silent"] == found["failed"] == 0


@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_streams_are_read_however_they_are_cut_and_framed(sse, origin, cut):
    """Chunks that end within lines; CR LF and CR as line ends; comments; a byte order mark."""
    text = "\ufeff" + "".join(f"id: {n}\r\ndata: a\rdata: b\n\r\n: still here\n\n" for n in range(20))
    data = text.encode()

    def play(number, connection):
        for at in range(0, len(data), cut):
            connection.chunk(data[at:at + cut])

    found = report(sse, "-c", "2", *AT_ONCE, Stage(origin, 2, play).url)
    assert (found["events"], found["deliveries"], found["lost"], found["duplicates"]) == (20, 40, 0, 0)


@pytest.mark.parametrize("processes", [1, 2])
def test_events_without_ids_are_told_apart_by_their_data_or_a_number_in_it(sse, origin, processes):
    def play(number, connection):
        connection.chunk(f"data: welcome {number}\n\n")  # of this subscriber only: nobody else lost it
        for n in range(10):
            if (number, n) != (1, 3):
                connection.chunk(f'data: {{"n":{n},"for":{number if n == 7 else 0}}}\n\n')

    load = ["-c", "3", "--processes", processes, *AT_ONCE]
    found = report(sse, *load, Stage(origin, 3, play).url)
    assert found["keyed_by"] == "data" and counts(found)["lost"] == 1
    found = report(sse, *load, "--seq", "/n", Stage(origin, 3, play).url)
    assert (found["events"], found["lost"]) == (10, 1)


def test_delays_of_a_server_are_told_apart(sse, origin):
    """The kernel has the arrival: a delivery is never reported earlier than it was made, and the medians keep
    the order of the delays."""
    medians = []
    for delay in (0, 0.01, 0.1):
        def play(number, connection, delay=delay):
            for n in range(5):
                stamp = time.time_ns()
                time.sleep(delay)
                connection.chunk(f'id: {number}-{n}\ndata: {{"at":{{"ns":{stamp}}}}}\n\n')

        found = report(sse, "-c", "3", *AT_ONCE, "--time-pointer", "/at/ns", Stage(origin, 3, play).url)
        assert found["delivery"]["count"] + found["untimed"] == 15 and found["delivery"]["p50"] >= delay
        medians.append(found["delivery"]["p50"])
    assert medians[1] >= 0.01 and medians[2] >= 0.1


@at_pace(0.02)
def test_a_delivery_takes_as_long_as_its_server_says(sse, origin):
    worst = []

    def play(number, connection):
        for n in range(20):
            begin = time.time()
            time.sleep(0.01)
            connection.chunk(f"id: {n}\ndata: at={begin:.6f}\n\n")
            worst.append(time.time() - begin)

    found = report(sse, "-c", "1", *AT_ONCE, "--time-regex", r"at=([\d.]+)", Stage(origin, 1, play).url)
    assert 0.01 <= found["delivery"]["p50"] and found["delivery"]["max"] <= max(worst) + 0.001


@pytest.mark.parametrize("processes", [1, 2])
def test_skew_is_from_the_first_receiver_to_the_last(sse, origin, processes):
    turn = threading.Barrier(2)

    def play(number, connection):
        for n in range(5):
            turn.wait()
            if number == 1:
                time.sleep(0.03)
            connection.chunk(event(n))
            turn.wait()

    found = report(sse, "-c", "2", "--processes", processes, *AT_ONCE, Stage(origin, 2, play).url)
    assert found["skew"]["count"] == 5 and found["skew"]["p50"] >= 0.025 and found["delivery"]["count"] == 0
    if processes == 1:
        assert found["fairness"]["slowest"] >= 0.025 > found["fairness"]["others"]


def test_a_client_that_was_stopped_says_so_and_blames_nobody(sse, origin):
    """Its own sleep is no delay of the server: what it found together with later events has no time."""
    @at_pace(0.1)
    def attempt():
        running, stopped, woken = threading.Event(), threading.Event(), threading.Event()

        def play(_, connection):
            for n in range(60):
                if n == 20:
                    running.set()
                    stopped.wait()
                if n == 40:
                    woken.wait()
                connection.chunk(f'id: {n}\ndata: {{"ts":{time.time_ns()}}}\n\n')
                time.sleep(0.01)

        bench = sse.start("bench", "-o", "json", "-c", "1", *AT_ONCE, "--time-pointer", "/ts",
                          Stage(origin, 1, play).url)
        running.wait()
        bench.signal(signal.SIGSTOP)
        slept = time.monotonic()
        stopped.set()
        time.sleep(0.4)
        slept = time.monotonic() - slept
        bench.signal(signal.SIGCONT)
        woken.set()
        assert bench.wait() == 0
        found = json.loads(bench.stdout.bytes)
        assert found["behind"]["max"] >= 0.3 and found["untimed"] >= 10 and slept >= 0.4
        assert re.search(r"^sse: warning: sse bench read data up to \S+ after it arrived; \d+ of 60 deliveries", bench.stderr.text(),
                         re.MULTILINE)
        assert found["delivery"]["count"] == 60 - found["untimed"] and found["lost"] == 0
        assert found["delivery"]["max"] < 0.2

    attempt()


def test_events_that_it_publishes_are_timed_from_when_they_were_due(sse):
    server = sse.serve("--publish", "--on-eof", "hold")
    found = report(sse, "-c", "3", "--connect-rate", "1000", "--warm-up", "0", "-n", "20", "--publish", server.url,
                   "--rate", "200", "--size", "300", server.url)
    assert found["delivery"]["count"] + found["untimed"] >= 60 and found["delivery"]["count"] > 0
    assert found["lost"] == 0 and found["publish"]["failed"] == 0
    assert found["publish"]["accepted"] >= 20 and found["publish_response"]["count"] >= 20
    assert found["bytes"] >= 300 * 60 and found["open"] == 3


def test_a_busy_server_is_asked_again_after_the_time_it_names(sse, origin):
    def handler(connection):
        if connection.number == 0:
            return connection.answer("503 Service Unavailable", b"", "Retry-After: 1")
        connection.head()
        connection.chunk(event(1))
        connection.end()

    server = origin(handler)
    begun = time.monotonic()
    found = report(sse, "-c", "1", *AT_ONCE, server.url)
    assert (found["busy"], found["opened"], found["failed"]) == (1, 1, 0) and time.monotonic() - begun >= 1


@pytest.mark.parametrize("answer, why", [
    (lambda c: c.answer("404 Not Found"), "HTTP status 404"),
    (lambda c: c.answer("200 OK", b"{}", content_type="application/json"), "content type application/json"),
    (lambda c: c.send(b"SSH-2.0-x\r\n"), 'it does not speak HTTP/1; it sent "SSH-2.0-x"'),
    (lambda c: None, "the server closed the connection without a response"),
])
def test_where_no_subscriber_receives_a_stream_the_reason_is_told(sse, origin, answer, why):
    done = sse.run("bench", "-c", "2", origin(answer).url)
    assert done.status == 7 and done.err == (
        f"sse: error: none of 2 subscribers received an event stream: {why}\nsse: hint: try the URL with sse tail -v\n")
    assert f"2 times: {why}" in done.out.decode()


@pytest.mark.parametrize("status, data, opened", [("201 Created", ["-d", "x"], 1), ("202 Accepted", ["-d", "x"], 1),
                                                  ("201 Created", [], 0), ("204 No Content", ["-d", "x"], 0)])
def test_a_post_may_be_answered_by_a_stream_with_another_status(sse, origin, status, data, opened):
    """As with tail."""
    def serve(connection):
        connection.head(status)
        if not status.startswith("204"):
            connection.chunk(event(1))
            connection.end()
    done = sse.run("bench", "-o", "json", "-c", "1", *AT_ONCE, *data, origin(serve).url)
    assert json.loads(done.out)["opened"] == opened, done.err


def test_a_port_where_nobody_listens(sse, origin):
    server = origin(lambda c: None)
    server.stop_listening()
    done = sse.run("bench", "-c", "2", server.url)
    assert done.status == 7 and done.err.startswith(
        "sse: error: none of 2 subscribers received an event stream: Connection refused\n")


def test_a_broken_stream_is_counted_with_its_reason(sse, origin):
    def handler(connection):
        connection.head()
        connection.chunk(event(1))

    found = report(sse, "-c", "2", *AT_ONCE, origin(handler).url)
    assert (found["broken"], found["ended"], found["opened"]) == (2, 0, 2)
    assert found["failures"] == {"the server closed the connection before the last chunk": 2}


BARS = [("lost=0", 0), ("lost>0", 1), ("events>=5", 0), ("deliveries = 10", 0), ("deliveries<10", 1),
        ("connect.p99 <= 1h", 0), ("p99<250ms", 1), ("skew.max<0s", 1), ("fairness.jain>0.1", 0)]


@pytest.mark.parametrize("bar, status", BARS, ids=[row[0] for row in BARS])
def test_bars_set_the_exit_status(sse, origin, bar, status):
    def play(number, connection):
        for n in range(5):
            connection.chunk(event(n))

    done = sse.run("bench", "-c", "2", *AT_ONCE, "--fail", bar, Stage(origin, 2, play).url)
    assert done.status == status and b"subscribers" in done.out
    if status:
        told = f"sse: error: {bar} does not hold: {re.split('[<>= ]', bar)[0]} is "
        assert done.err.splitlines()[-2].startswith(told)  # a busy machine is warned of before


@pytest.mark.parametrize("bar, why", [
    ("p99", 'has no comparison: <, <=, =, >= or >'),
    ("p98<1s", 'names an unknown figure: "p98"'),
    ("p99<250", "needs a limit with a unit, such as 250ms"),
    ("p99<xs", "cannot be used: "),
    ("lost=none", "needs a number as its limit"),
    ("lost=", "needs a number as its limit"),
])
def test_a_bar_that_means_nothing_is_refused(sse, bar, why):
    done = sse.run("bench", "--fail", bar, ":1")
    assert done.status == 2 and done.err.startswith(f'sse: error: --fail: "{bar}" {why}')
    assert done.err.endswith("sse: hint: for example sse bench --fail 'p99<250ms'\n")


def test_the_formats_of_the_report_agree(sse, origin):
    def play(number, connection):
        for n in range(3):
            connection.chunk(event(n))

    def run(form):
        return sse.run("bench", "-c", "2", *AT_ONCE, "-o", form, Stage(origin, 2, play).url).out.decode()

    found = json.loads(run("json"))
    rows = list(csv.DictReader(io.StringIO(run("csv"))))
    names = [f"{k}.{name}" if isinstance(v, dict) else k for k, v in found.items()
             for name in (v if isinstance(v, dict) else [k])]
    assert [row["figure"] for row in rows] == [n for n in names if n not in (
        "sse_bench", "tool", "started", "urls", "keyed_by", "series")]
    assert next(row for row in rows if row["figure"] == "deliveries")["value"] == "6"
    text = run("text")
    assert re.search(r"^  subscribers +2 of 2 opened, 0 open at the end, 2 ended by the server$", text, re.MULTILINE)
    assert re.search(r"^  lost +0; 0 duplicates, 0 out of order$", text, re.MULTILINE)


def test_the_report_is_as_its_schema_says(sse, origin):
    found = report(sse, "-c", "1", *AT_ONCE, Stage(origin, 1, lambda n, c: c.chunk(event(1))).url)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(found, SCHEMA)


def test_a_signal_ends_the_run_and_the_report_is_printed(sse, origin):
    def handler(connection):
        connection.head()
        connection.chunk(event(1))
        connection.wait_for_close()

    server = origin(handler)
    bench = sse.at_terminal("bench", "-c", "3", server.url, fds=(2,))
    bench.stderr.wait_for(r"warming up: 3 of 3 open, 1 events, 3 deliveries")
    bench.signal(signal.SIGINT)
    assert bench.wait() == 130 and "3 of 3 opened, 3 open at the end" in bench.stdout.text()
    bench = sse.start("bench", "-c", "3", server.url)
    server.wait_requests(6)
    bench.signal(signal.SIGTERM)
    assert bench.wait() == 143 and "subscribers " in bench.stdout.text()


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_several_processes_end_with_a_report_on_a_signal_and_with_an_error_if_one_is_killed(sse):
    server = sse.serve("--on-eof", "hold")
    load = ["bench", "-c", "5", "--processes", "2", "--warm-up", "1h", server.url]
    bench = sse.at_terminal(*load, fds=(2,))
    bench.stderr.wait_for(r"warming up: 5 of 5 open")
    workers = children(bench.pid)
    for pid in [*workers, bench.pid]:  # as a terminal does
        os.kill(pid, signal.SIGINT)
    assert bench.wait() == 130 and "5 of 5 opened, 5 open at the end" in bench.stdout.text()
    bench = sse.at_terminal(*load, fds=(2,))
    bench.stderr.wait_for(r"warming up: 5 of 5 open")
    first, second = children(bench.pid)
    os.kill(first, signal.SIGKILL)
    assert bench.wait() == 23 and not bench.stdout.text()
    error, hint = bench.stderr.text().splitlines()[-2:]
    assert error.endswith(f"sse: error: process {first} of the load was ended by signal 9")
    assert hint == "sse: hint: use fewer subscribers with -c if memory was short"
    bench = sse.at_terminal(*load, fds=(2,))
    bench.stderr.wait_for(r"warming up: 5 of 5 open")
    last = children(bench.pid)
    bench.signal(signal.SIGKILL)
    bench.wait()
    for pid in [*workers, first, second, *last]:
        poll("the processes to end", lambda pid=pid: not is_running(pid))


def is_running(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("behaviour, figure", [
    (["--storm", "200ms"], lambda found: 0 < found["storm"]["count"] <= found["storm"]["cut"]),
    (["--leave", "40"], lambda found: found["left"] >= 2),
    (["--stalled", "1", "--slow", "2"], lambda found: found["slow"]["subscribers"] == 3),
    (["--interval", "100ms"], lambda found: len(found["series"]) >= 1 and found["series"][-1]["open"] == 6)],
    ids=["storm", "leave", "slow", "interval"])
def test_all_that_subscribers_do_they_do_in_several_processes(sse, behaviour, figure):
    server = sse.serve("--publish", "--on-eof", "hold")
    found = report(sse, "-c", "6", "--processes", "3", "--connect-rate", "10000", "--warm-up", "100ms", "-t", "600ms",
                   "--publish", server.url, "--rate", "50", *behaviour, server.url)
    jsonschema.validate(found, SCHEMA)
    assert found["opened"] == found["subscribers"] == 6 and figure(found), found
    assert found["lost"] == found["duplicates"] == 0 and found["publish"]["accepted"] == found["publish"]["due"] > 0
    assert 0 < found["events"] <= found["publish"]["due"] and found["delivery"]["count"] > 0


def test_what_it_cannot_do_it_refuses_before_it_connects(sse):
    done = sse.run("bench", "-c", "1001", "http://192.0.2.1/")
    assert done.status == 2 and done.err == (
        "sse: error: 192.0.2.1 is not an address of this machine, and 1,001 subscribers may disturb its other clients\n"
        "sse: hint: use --yes if you may load that server\n")
    done = sse.run("bench", "-c", "1000000", ":1")
    assert done.status == 2 and "1,000,000 subscribers need one descriptor each, but the limit is " in done.err
    done = sse.run("bench")
    assert done.err == "sse: error: URL is required\nsse: hint: for example sse bench :8080\n"


def test_over_tls_and_a_unix_socket(sse, tmp_path):
    authority = Authority(tmp_path)
    cert, key = authority.issue("server")
    server = sse.serve("--tls-cert", cert, "--tls-key", key, "--on-eof", "hold", input=b"one\ntwo\n")
    few = ["-c", "3", "--warm-up", "10ms", "-t", "100ms", "--connect-rate", "10000"]
    found = report(sse, *few, "--cacert", authority.ca, server.url)
    assert (found["opened"], found["lost"], found["silent"]) == (3, 0, 0)
    done = sse.run("bench", *few, server.url)
    assert done.status == 7 and "certificate" in done.err
    sse.serve("--listen", f"unix:{tmp_path}/s", "--on-eof", "hold", input=b"one\ntwo\n")
    found = report(sse, *few, "--unix-socket", tmp_path / "s", "http://localhost/")
    assert (found["opened"], found["lost"], found["silent"], found["behind"]["count"]) == (3, 0, 0, 0)


def ticking():
    """Plays numbered events to whoever is there until the bench is gone."""
    def handler(connection):
        after = connection.request.header("last-event-id")
        handler.asked.append(after)
        connection.head()
        first = int(after) + 1 if after and after.isdigit() else max(handler.last, 1)
        for n in range(first, 1 << 30):
            connection.chunk(f"data: {n}\nid: {n}\n\n")
            handler.last = max(handler.last, n)
            time.sleep(0.005)

    handler.asked, handler.last = [], 0
    return handler


def slowly(measure, within):
    """What `measure` finds with 1, 4, 16 or 64 times the usual times: with the first for which the machine was quick
    enough, so that all responses began `within` so many seconds, multiplied as well."""
    for factor in (1, 4, 16, 64):
        found = measure(factor)
        heads = found["subscribers"] + found["storm"]["cut"]
        if found["head"]["count"] == heads and found["head"]["max"] < within * factor:
            break
    return found


@pytest.mark.parametrize("resume", ["yes", "no", "stale"])
def test_a_storm_cuts_all_streams_and_opens_them_again(sse, origin, resume):
    def measure(factor):
        nonlocal handler
        handler = ticking()
        return report(sse, "-c", "5", "--connect-rate", "10000", "--warm-up", f"{50 * factor}ms", "-t", f"{600 * factor}ms",
                      "--storm", f"{200 * factor}ms", "--resume", resume, origin(handler).url)

    handler = None
    found = slowly(measure, within=0.05)
    assert found["storm"]["cut"] == found["storm"]["count"] == 5 and found["open"] == 5
    assert found["storm"]["p50"] <= found["storm"]["max"] and found["connect"]["count"] == 10
    again = handler.asked[5:]
    assert len(again) == 5 and handler.asked[:5] == [None] * 5
    if resume == "yes":
        assert all(int(i) > 0 for i in again) and found["missed"] == found["repeated"] == 0
    else:
        assert again == [{"no": None, "stale": "sse-bench-stale"}[resume]] * 5 and found["lost"] == 0


def test_a_share_of_a_storm_and_subscribers_that_leave(sse, origin):
    found = slowly(
        lambda factor: report(sse, "-c", "40", "--connect-rate", "10000", "--warm-up", "0", "-t", f"{500 * factor}ms",
                              "--storm", f"{100 * factor}ms", "--storm-share", "0.5", origin(ticking()).url), within=0.08)
    assert 5 <= found["storm"]["cut"] <= 35
    handler = ticking()
    found = report(sse, "-c", "5", "--connect-rate", "10000", "--warm-up", "0", "-t", "500ms", "--leave", "20",
                   origin(handler).url)
    assert 1 <= found["left"] <= 10 and len(handler.asked) >= 5 + found["left"] - 1
    assert found["lost"] == found["duplicates"] == 0


def test_slow_and_stalled_subscribers_are_told_apart(sse):
    server = sse.serve("--on-eof", "hold", "--overflow", "drop", "--history", "100", stdin=None)
    bench = sse.start("bench", "-o", "json", "-c", "5", "--stalled", "1", "--slow", "2", "--slow-bytes", "4kb",
                      "--connect-rate", "10000", "--warm-up", "0", "-t", "3s", server.url)
    poll("the clients", lambda: server.descriptors() >= 12)
    server.write("".join(f"{n} {'x' * 1000}\n" for n in range(300)))
    assert bench.wait() == 0
    found = json.loads(bench.stdout.bytes)
    assert found["slow"]["subscribers"] == 3 and 0 < found["slow"]["bytes"] < 300_000 and found["opened"] == 5
    assert found["deliveries"] <= 600 and found["disordered"] == 0
    done = sse.run("bench", "-c", "3", "--slow", "2", "--stalled", "1", server.url)
    assert done.status == 2 and done.err.startswith("sse: error: all subscribers are slow or stalled\n")


def test_intervals_and_the_server_are_reported(sse):
    server = sse.serve("--publish", "--on-eof", "hold")
    done = sse.run("bench", "-o", "json", "-c", "3", "--connect-rate", "10000", "--warm-up", "0", "-t", "1100ms",
                   "--interval", "250ms", "--publish", server.url, "--rate", "100", "--pid", server.pid, server.url)
    found = json.loads(done.out)
    jsonschema.validate(found, SCHEMA)
    assert 1 <= len(found["series"]) <= 4 and found["series"][-1]["open"] == 3
    lines = re.findall(r"^ +\d+s 3 open, \S+ events/s, \S+ deliveries/s, p50 \S+, p99 \S+, max \S+$", done.err, re.MULTILINE)
    assert len(lines) >= 1
    assert found["server"]["memory"] > 1e6 and found["server"]["descriptors"] > 5 and found["server"]["cpu"] >= 0
    done = sse.run("bench", "--pid", "2147483647", server.url)
    assert done.status == 2 and done.err.startswith("sse: error: cannot read the resource usage of process 2147483647\n")


def test_a_file_that_cannot_be_written_ends_the_run_before_it_begins(sse, tmp_path):
    for option in ("--html", "--histogram"):
        done = sse.run("bench", option, tmp_path / "no/such", ":1")
        assert done.status == 23 and done.err.startswith("sse: error: cannot create ")


@pytest.mark.release
def test_a_subscriber_takes_less_than_half_a_kibibyte(sse):
    """What 3,000 take more than 200. Where the processor is busy, more of them connect at the same time, and what
    each needs for that stays with the process: so the best of three."""
    few, many = 200, 3000

    def memory(count):
        server = sse.serve("--publish", "--max-clients", "3100")
        found = report(sse, server.url, "-c", str(count), "--connect-rate", "10000", "--warm-up", "0", "--publish",
                       server.url, "--rate", "20", "-n", "10", "-t", "1h")
        assert found["opened"] == count and found["lost"] == 0
        return found["client"]["memory"]
    assert any((memory(many) - memory(few)) / (many - few) < 512 for _ in range(3))
