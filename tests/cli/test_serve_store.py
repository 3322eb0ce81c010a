"""sse serve --store: what outlives the process, and what clients that resume get of it."""
import contextlib
import os
import random
import re
import signal
import threading

import pytest

from cli.test_serve_publish import post as post_body
from support.deadline import poll
from support.wire import Cut

KILLS = int(os.environ.get("SSE_STORE_KILLS", "3"))  # 1000 is for a night


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


def post(wire, server, text, path=""):
    answer = post_body(wire, server.url + path, text.encode())
    answer.read_all()
    return answer


def published(answer):
    """The IDs of the events that were stored."""
    assert answer.status == 201, answer.body
    return answer.body.decode().split()


def data(events):
    return [e.data for e in events]


def test_events_outlive_the_process(sse, wire, store):
    """A client goes on, IDs go on, and one that is new gets the history that there was."""
    server = sse.serve("--publish", "--store", store)
    ids = [published(post(wire, server, str(i)))[0] for i in range(5)]
    server.end()
    server = sse.serve("--publish", "--store", store)
    resumed = wire.get(server.url, headers={"Last-Event-ID": ids[2]})
    fresh = wire.get(server.url)
    assert resumed.header("sse-gap") is None
    ids += published(post(wire, server, "5"))
    assert data(resumed.events(3)) == ["3", "4", "5"]
    assert data(fresh.events(6)) == [str(i) for i in range(6)]
    assert ids == sorted(ids, key=lambda i: tuple(map(int, i.split("-"))))


def test_a_client_resumes_far_beyond_the_history(sse, wire, store):
    """Many clients, at many places, each gets everything once; the server's memory stays small."""
    count = 3_000
    lines = "".join(f"{i:08}{'x' * 500}\n" for i in range(count)).encode()
    server = sse.serve("--store", store, "--history", "10", "--on-eof", "hold", "--start", "all", input=lines)
    first = wire.get(server.url)
    events = first.events(count)
    assert [e.data[:8] for e in events] == [f"{i:08}" for i in range(count)]
    clients = [(at, wire.get(server.url, headers={"Last-Event-ID": events[at].id})) for at in range(0, count, 299)]
    for at, client in clients:
        assert [e.data[:8] for e in client.events(count - 1 - at)] == [f"{i:08}" for i in range(at + 1, count)]
        assert client.header("sse-gap") is None and not any("gap" in c for c in client.stream.comments)


def test_a_slow_client_stops_nobody_and_loses_nothing(sse, wire, store):
    count = 1_500
    lines = "".join(f"{i:08}{'x' * 2_000}\n" for i in range(count)).encode()
    server = sse.serve("-", "--publish", "--store", store, "--history", "10", "--on-eof", "hold", "--start", "all",
                       "--stall-timeout", "1h", input=lines)
    slow = wire.get(server.url)
    slow.events(1)  # and then it reads nothing, until another has everything
    assert len(wire.get(server.url).events(count)) == count
    assert [e.data[:8] for e in slow.events(count)] == [f"{i:08}" for i in range(count)]


@pytest.mark.parametrize("last, gap, first", [
    ("1-0", True, "0"), ("99999999999999-0", True, "new"), ("unknown", True, "0")],
    ids=["older than the oldest", "lost by the store", "unknown"])
def test_an_id_that_the_store_does_not_hold_is_a_gap(sse, wire, store, last, gap, first):
    server = sse.serve("--publish", "--store", store)
    for i in range(3):
        post(wire, server, str(i))
    client = wire.get(server.url, headers={"Last-Event-ID": last})
    client.comment()
    post(wire, server, "new")
    assert client.events(1)[0].data == first
    assert any("gap" in c for c in client.stream.comments) == gap


def test_channels_are_kept_apart(sse, wire, store):
    server = sse.serve("--publish", "--channels", "--store", store)
    ids = {name: published(post(wire, server, name, path=name))[0] for name in ("a", "b")}
    post(wire, server, "a2", path="a")
    server.end()
    server = sse.serve("--publish", "--channels", "--store", store)
    assert data(wire.get(server.url + "a", headers={"Last-Event-ID": ids["a"]}).events(1)) == ["a2"]
    assert data(wire.get(server.url + "b").events(1)) == ["b"]


def test_the_store_is_used_by_one_server(sse, store):
    sse.serve("--publish", "--store", store)
    done = sse.run("serve", "--publish", "--store", store)
    assert done.status == 23 and "another process uses the store" in done.err


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system of its own needs root")
def test_a_full_disk_answers_503_and_recovers(sse, wire, tmp_path):
    mount = tmp_path / "small"
    mount.mkdir()
    if os.system(f"mount -t tmpfs -o size=1m none '{mount}' 2>/dev/null") != 0:
        pytest.skip("no tmpfs can be mounted")
    try:
        ballast = mount / "ballast"
        ballast.write_bytes(b"x" * 600_000)
        server = sse.serve("--publish", "--store", mount / "store", "--start", "new", "--admin", "127.0.0.1:0")
        admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]

        def ready():
            answer = wire.get(admin + "readyz")
            text = wire.get(admin + "metrics").read_all().decode()
            return answer.status, answer.read_all().decode(), float(re.search(r"^sse_store_up (\S+)$", text, re.MULTILINE)[1])

        assert ready() == (200, "ready\n", 1)
        reader = wire.get(server.url)
        stored = []
        while True:
            answer = post(wire, server, f"{len(stored)} " + "x" * 10_000)
            if answer.status != 201:
                break
            stored.append(published(answer)[0])
        assert answer.status == 503 and answer.header("retry-after") and stored
        assert [e.id for e in reader.events(len(stored))] == stored
        resumed = wire.get(server.url, headers={"Last-Event-ID": stored[0]})
        assert [e.id for e in resumed.events(len(stored) - 1)] == stored[1:]
        with open(ballast, "ab", buffering=0) as rest, contextlib.suppress(OSError):
            while True:
                rest.write(b"x" * 4096)
        assert post(wire, server, "x" * 10_000).status == 503
        status, why, up = ready()
        assert (status, up) == (503, 0) and "No space left" in why
        assert wire.get(admin + "healthz").status == 200
        ballast.unlink()
        server.stderr.wait_for("the store can be written again")
        poll("the store", lambda: ready() == (200, "ready\n", 1))
        stored += published(post(wire, server, "again"))
        server.end()
        server = sse.serve("--publish", "--store", mount / "store")
        assert [e.id for e in wire.get(server.url).events(len(stored))] == stored
        server.end()
    finally:
        os.system(f"umount -l '{mount}'")


def test_a_killed_server_loses_and_doubles_nothing(sse, wire, store):
    """Publishers go on while it is killed; a client that resumes has each stored event once, in order."""
    seen, answered, last = [], [], None
    dice = random.Random(14)
    for _ in range(KILLS):
        server = sse.serve("--publish", "--store", store)

        def publish():
            try:
                while True:
                    answer = post(wire, server, "x" * dice.randrange(2_000))
                    assert answer.status == 201
                    answered.extend(published(answer))
            except (OSError, Cut):
                return

        publishers = [threading.Thread(target=publish) for _ in range(2)]
        client = wire.get(server.url, headers={"Last-Event-ID": last} if last else {})
        for thread in publishers:
            thread.start()
        # The clients are in the middle of something when it is killed: after so many events.
        events = client.events(dice.randrange(5, 60))
        server.signal(signal.SIGKILL)
        for thread in publishers:
            thread.join()
        try:
            client.events()
        except (OSError, Cut):
            pass
        seen += [e.id for e in client.stream.events]
        last = seen[-1]
        server.end_hard()
        assert events
    server = sse.serve("--publish", "--store", store, "--start", "all", "--history", "10")
    stored = [e.id for e in wire.get(server.url).events(len(set(seen) | set(answered)))]
    assert len(stored) == len(set(stored))
    assert len(seen) == len(set(seen)) and seen == stored[:len(seen)]
    assert set(answered) <= set(stored)
