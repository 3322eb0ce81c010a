"""sse tail with several URLs: each reconnects by itself; filters and counts are over all."""
import json
import threading

import pytest

from support.deadline import HANG
from support.steps import stream


def named(server, name):
    return ["--name", f"{name}={server.url}"]


def test_lines_are_marked_with_their_source(sse, origin):
    a, b = stream(origin, "data: 1\ndata: 2\n\n"), stream(origin, "data: 3\n\n")
    tail = sse.run("tail", a.url, b.url + "x", "--no-reconnect")
    assert tail.status == 0
    assert sorted(tail.out.decode().splitlines()) == sorted([
        f"127.0.0.1:{a.port}\t1", f"127.0.0.1:{a.port}\t2", f"127.0.0.1:{b.port}/x\t3"])


@pytest.mark.parametrize("args, expected", [
    ([], ["a\t1", "b\t2"]),
    (["-F", "{source}:{data}"], ["a:1", "b:2"]),
    (["--pointer", ""], ["a\t1", "b\t2"]),
    (["-o", "sse"], ["", "", "data: 1", "data: 2"]),
])
def test_names(sse, origin, args, expected):
    a, b = stream(origin, "data: 1\n\n"), stream(origin, "data: 2\n\n")
    tail = sse.run("tail", *named(a, "a"), *named(b, "b"), "--no-reconnect", *args)
    assert (tail.status, tail.err) == (0, "")
    assert sorted(tail.out.decode().splitlines()) == expected


def test_json_has_the_source(sse, origin):
    tail = sse.run("tail", *named(stream(origin, "data: 1\n\n"), "a"), "--no-reconnect", "-o", "json")
    assert json.loads(tail.out)["source"] == "a"


def test_a_count_is_over_all_and_ends_the_silent_ones(sse, origin):
    a, b = stream(origin, "data: 1\n\n", end=False), stream(origin, "data: 2\n\n", end=False)
    c = stream(origin, end=False)
    tail = sse.run("tail", a.url, b.url, c.url, "-n", "2")
    assert tail.status == 0
    assert len(tail.out.splitlines()) == 2


def test_each_reconnects_by_itself(sse, origin):
    done = threading.Event()

    def often(c):
        if c.number == 3:
            done.set()  # it has read the third stream to its end
        c.head()
        c.chunk(f"retry: 1\nid: {c.number}\ndata: {c.number}\n\n")
        c.end()

    def calm(c):
        c.head()
        done.wait(HANG)
        c.chunk("event: last\ndata: x\n\n")
        c.wait_for_close()
    a, b = origin(often), origin(calm)
    tail = sse.run("tail", *named(a, "a"), *named(b, "b"), "--until", "last")
    assert tail.status == 0
    lines = tail.out.decode().splitlines()
    assert lines[:3] == ["a\t0", "a\t1", "a\t2"] and lines[-1] == "b\tx"
    assert len(b.requests) == 1


def test_one_that_fails_does_not_end_the_others(sse, origin):
    bad = origin(lambda c: c.answer("404 Not Found", "nothing"))
    release = threading.Event()

    def handler(c):
        c.head()
        release.wait(HANG)
        c.chunk("data: x\n\n")
        c.end()
    good = origin(handler)
    tail = sse.start("tail", bad.url, good.url, "--no-reconnect")
    tail.stderr.wait_for(r"^sse: warning: \S+ returned 404 Not Found: nothing$")
    release.set()
    assert tail.wait() == 22  # and yet it is told in the end
    assert tail.stdout.text().endswith("\tx\n")


def test_a_signal_ends_all(sse, origin):
    servers = [stream(origin, "data: 1\n\n", end=False) for _ in range(4)]
    tail = sse.start("tail", *[s.url for s in servers])
    tail.stdout.wait("four lines", lambda out: out.count(b"\n") == 4)
    tail.signal(2)
    assert tail.wait() == 130


def test_a_full_disk_ends_all(sse, origin):
    servers = [stream(origin, "data: 1\n\n", end=False) for _ in range(3)]
    with open("/dev/full", "wb") as full:
        tail = sse.run("tail", *[s.url for s in servers], stdout=full)
    assert tail.status == 23
    assert "cannot write to standard output: No space left on device" in tail.err


def test_states_are_kept_for_each(sse, origin, tmp_path):
    a, b = stream(origin, "id: 1\ndata: x\n\n"), stream(origin, "id: 2\ndata: x\n\n")
    state = tmp_path / "state"
    for _ in range(2):
        assert sse.run("tail", a.url, b.url, "--no-reconnect", "--state", state).status == 0
    assert [r.header("Last-Event-ID") for s in (a, b) for r in s.requests] == [None, "1", None, "2"]



@pytest.mark.parametrize("args", [["-d", "@-"], ["-H", "@-", "-d", "x"]])
def test_what_comes_from_standard_input_goes_to_all(sse, origin, args):
    servers = [origin(lambda c: c.answer("204 No Content")) for _ in range(2)]
    assert sse.run("tail", *[s.url for s in servers], *args, input=b"A: b\n").status == 0
    first, second = [s.requests[0] for s in servers]
    assert first.body == second.body == (b"x" if "-H" in args else b"A: b")
    assert first.header("A") == second.header("A") == ("b" if "-H" in args else None)


def test_no_secret_of_a_url_is_its_name(sse, origin):
    servers = [stream(origin, "data: x\n\n"), stream(origin, "data: y\n\n")]
    tail = sse.run("tail", *[f"{s.url}?token=SECRET" for s in servers], "--no-reconnect", "-v", "-o", "pretty")
    assert tail.status == 0 and b"SECRET" not in tail.out and "SECRET" not in tail.err
    assert b"?token=***" in tail.out
