"""sse serve --store: what outlives the process, and what clients that resume get of it."""
import contextlib
import json
import os
import random
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from cli.test_serve_publish import post as post_body
from support.deadline import HANG, poll
from support.wire import Cut

KILLS = int(os.environ.get("SSE_STORE_KILLS", "3"))  # 1000 is for a night


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


def post(wire, server, text, path="", key=None):
    answer = post_body(wire, server.url + path, text.encode(), headers=[("Idempotency-Key", key)] if key else [])
    answer.read_all()
    answer.close()
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
    """Many clients, at many places, each gets everything once."""
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


@pytest.mark.release
def test_clients_that_resume_at_many_places_share_bounded_memory(sse, wire, store):
    """Each needs a page of its own, and together these have 50 MiB; at most 16 MiB are held."""
    count = 1_000
    lines = "".join(f"{i:08}{'x' * 65_000}\n" for i in range(count)).encode()
    server = sse.serve("--store", store, "--on-eof", "hold", "--start", "all", "--store-sync", "never", input=lines)
    ids = [e.id for e in wire.get(server.url).events(count)]
    server.end()
    server = sse.serve("--publish", "--store", store, "--history", "10", "--threads", "1")

    def most_kib():
        return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{server.pid}/status").read_text("ascii"))[1])
    before = most_kib()
    clients = [(at, wire.get(server.url, headers={"Last-Event-ID": ids[at]})) for at in range(0, count - 100, 5)]
    for at, client in clients:
        assert client.events(1)[0].data[:8] == f"{at + 1:08}"
    assert most_kib() - before < 40 * 1024


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


def test_the_totals_include_what_is_written_last(sse, store):
    """The server ends at the end of the input, while the store still writes."""
    done = sse.run("serve", "--listen", "127.0.0.1:0", "--store", store, "--wait-clients", "0",
                   input="".join(f"{i}\n" for i in range(20_000)).encode())
    assert done.status == 0 and "sse: served 20000 events to 0 connections" in done.err


@contextlib.contextmanager
def small_disk(tmp_path, size):
    """A file system of `size`, as mount(8) reads it."""
    mount = tmp_path / "small"
    mount.mkdir()
    if os.system(f"mount -t tmpfs -o size={size} none '{mount}' 2>/dev/null") != 0:
        pytest.skip("no tmpfs can be mounted")
    try:
        yield mount
    finally:
        os.system(f"umount -l '{mount}'")


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system of its own needs root")
def test_a_full_disk_answers_503_and_recovers(sse, wire, tmp_path):
    with small_disk(tmp_path, "1m") as mount:
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


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system of its own needs root")
def test_the_input_waits_while_the_disk_is_full(sse, wire, tmp_path):
    with small_disk(tmp_path, "4m") as mount:
        (mount / "ballast").write_bytes(b"x" * 3_400_000)
        lines = [f"{i} {'x' * 10_000}" for i in range(200)]
        server = sse.serve("-", "--publish", "--on-eof", "hold", "--store", mount / "store", "--start", "all", "--admin",
                           "127.0.0.1:0", input="".join(line + "\n" for line in lines).encode())
        admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
        server.stderr.wait_for("No space left.*publishing waits until the store can be written")
        reader = wire.get(server.url)
        events = float(re.search(r"^sse_events_total (\S+)$", wire.get(admin + "metrics").read_all().decode(), re.MULTILINE)[1])
        assert events < len(lines)
        (mount / "ballast").unlink()
        assert data(reader.events(len(lines))) == lines
        server.end()


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system of its own needs root")
def test_expired_events_make_room_on_a_full_disk(sse, wire, tmp_path):
    with small_disk(tmp_path, "1m") as mount:
        server = sse.serve("--publish", "--store", mount / "store", "--retain", "1s")
        while post(wire, server, "x" * 50_000).status == 201:
            pass
        poll("room", lambda: post(wire, server, "x" * 50_000).status == 201)
        server.stderr.wait_for("the store can be written again")
        server.end()


SLOW_DISK = """
#include <sys/types.h>
#include <unistd.h>
static void wait_for_disk(void) { while (access(SLOW, F_OK) == 0) usleep(1000); }
int fdatasync(int fd) { (void)fd; wait_for_disk(); return 0; }
int fsync(int fd) { (void)fd; wait_for_disk(); return 0; }
"""


@pytest.mark.release
def test_a_slow_disk_answers_503_and_readers_do_not_wait(sse, wire, store, tmp_path):
    """The disk does not finish a sync for as long as a file exists."""
    slow, library = tmp_path / "slow", tmp_path / "slow.so"
    built = subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-o", library, "-", f'-DSLOW="{slow}"'], input=SLOW_DISK,
                           capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    server = sse.serve("--publish", "--store", store, "--store-timeout", "300ms", "--history", "2", "--store-sync", "always",
                       env={"LD_PRELOAD": str(library)})
    ids = [published(post(wire, server, str(i)))[0] for i in range(5)]
    reader = wire.get(server.url, headers={"Last-Event-ID": ids[3]})
    slow.write_text("")
    answer = post(wire, server, "late")
    assert (answer.status, answer.header("retry-after")) == (503, "1")
    assert b"was not stored in time; it may still be published" in answer.body
    assert data(reader.events(2)) == ["4", "late"]
    assert data(wire.get(server.url, headers={"Last-Event-ID": ids[0]}).events(5)) == ["1", "2", "3", "4", "late"]
    slow.unlink()
    assert post(wire, server, "again").status == 201
    assert data(reader.events(3))[-1] == "again"


def test_a_killed_server_loses_and_doubles_nothing(sse, wire, store):
    """Publishers go on while it is killed; a client that resumes has each stored event once, in order."""
    seen, answered, refused, last = [], [], [], None
    dice = random.Random(14)
    for _ in range(KILLS):
        server = sse.serve("--publish", "--store", store)

        def publish():
            try:
                while True:
                    answer = post(wire, server, "x" * dice.randrange(2_000))
                    if answer.status != 201:
                        return refused.append((answer.status, answer.body))
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
        client.close()
        server.end_hard()
        assert events and not refused
    server = sse.serve("--publish", "--store", store, "--start", "all", "--history", "10")
    end, reader, stored = published(post(wire, server, "end"))[0], wire.get(server.url), []
    while end not in stored[-1:]:
        stored += [e.id for e in reader.events(len(stored) + 1)[len(stored):]]
    assert len(stored) == len(set(stored))
    assert set(answered) - set(stored) == set(), "lost"
    assert len(seen) == len(set(seen)) and seen == stored[:len(seen)]


# -- Idempotency-Key

def test_a_key_makes_a_second_try_safe_even_after_a_kill(sse, wire, store):
    server = sse.serve("--publish", "--channels", "--store", store)
    first = post(wire, server, "a", path="x", key="k-1")
    again = post(wire, server, "another body", path="x", key="k-1")
    assert published(again) == published(first)
    assert (first.header("sse-duplicate"), again.header("sse-duplicate")) == (None, "true")
    others = [post(wire, server, "b", path="x", key="k-2"), post(wire, server, "c", path="y", key="k-1"),
              post(wire, server, "d", path="x")]
    assert [o.header("sse-duplicate") for o in others] == [None] * 3
    several = post_body(wire, server.url + "x", b"data: e\n\n: note\n\nid: 7\ndata: f\n\n", "text/event-stream",
                        headers=[("Idempotency-Key", "k-3")])
    assert len(several.read_all().split()) == 2
    server.end_hard()
    server = sse.serve("--publish", "--channels", "--store", store, "--admin", "127.0.0.1:0")
    admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
    again = post(wire, server, "a", path="x", key="k-1")
    assert (published(again), again.header("sse-duplicate")) == (published(first), "true")
    again = post(wire, server, "e", path="x", key="k-3")
    assert (again.body, again.header("sse-duplicate")) == (several.body, "true")
    post(wire, server, "end", path="x")
    assert data(wire.get(server.url + "x").events(6)) == ["a", "b", "d", "e", "f", "end"]
    assert data(wire.get(server.url + "y").events(1)) == ["c"]
    assert "sse_store_duplicates_total 2\n" in wire.get(admin + "metrics").read_all().decode()


def test_of_many_tries_at_once_with_one_key_one_is_stored(sse, wire, store):
    server = sse.serve("--publish", "--store", store, "--threads", "2")
    answers, go = [], threading.Barrier(16)

    def publish(number):
        go.wait(HANG)
        answers.append(post(wire, server, str(number), key=f"key {number % 2}"))
    threads = [threading.Thread(target=publish, args=[i]) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({tuple(published(a)) for a in answers}) == 2
    assert sorted(a.header("sse-duplicate") or "" for a in answers) == [""] * 2 + ["true"] * 14
    post(wire, server, "end")
    events = data(wire.get(server.url).events(3))
    assert sorted(int(e) % 2 for e in events[:2]) == [0, 1] and events[2] == "end"


@pytest.mark.parametrize("keys", [[""], ["a", "a"], ["x" * 256]], ids=["empty", "two", "too long"])
def test_keys_that_are_refused(sse, wire, store, keys):
    server = sse.serve("--publish", "--store", store)
    answer = post_body(wire, server.url, b"x", headers=[("Idempotency-Key", key) for key in keys])
    assert answer.status == 400 and b"one Idempotency-Key of at most 255 bytes" in answer.read_all()
    assert post(wire, server, "x", key="x" * 255).status == 201


# -- followed files

def numbered(begin, end):
    return "".join(f"{i}\n" for i in range(begin, end))


def all_data(wire, server, count):
    """The data of all events in the store, once the last of them is there."""
    return data(wire.get(server.url, headers={"Last-Event-ID": "1-0"}).events(count))


def follow(sse, path, store, *flags):
    return sse.serve("-f", path, "--store", store, "--start", "all", *flags)


@pytest.mark.parametrize("end", ["end", "end_hard"])
def test_a_followed_file_goes_on_at_its_place(sse, wire, store, tmp_path, end):
    log = tmp_path / "app.log"
    log.write_text(numbered(0, 5000) + "50")  # the last line is not complete
    server = follow(sse, log, store)
    assert data(wire.get(server.url).events(5000))[-1] == "4999"
    getattr(server, end)()
    with log.open("a") as file:
        file.write("00\n" + numbered(5001, 5010))
    server = follow(sse, log, store)
    assert all_data(wire, server, 5010) == [str(i) for i in range(5010)]
    with log.open("a") as file:
        file.write("last\n")
    assert all_data(wire, server, 5011)[-1] == "last"


@pytest.mark.parametrize("flags, first, second, expected", [
    (["--input", "json"], '{"data":"a"}\n{"da', 'ta":"b"}\n', ["a", "b"]),
    (["--input", "sse"], "data: a\n\ndata: b\n", "data: c\n\n", ["a", "b\nc"]),
    (["--input", "sse"], "event: x\r\ndata: a\r\n\r\nda", "ta: b\r\n\r\n", ["a", "b"]),
    (["--input", "blocks"], "a\nb\n\n\nc\n", "d\n\n", ["a\nb", "c\nd"]),
    (["--input", "nul"], "a\0b", "c\0", ["a", "bc"]),
    (["--split-cr"], "1%\r2%\rdone\r\nx", "y\r\n", ["1%", "2%", "done", "xy"])],
    ids=["json", "sse", "sse crlf", "blocks", "nul", "split cr"])
def test_the_place_is_behind_a_whole_event_in_each_format(sse, wire, store, tmp_path, flags, first, second, expected):
    log = tmp_path / "app.log"
    log.write_bytes(first.encode())
    server = follow(sse, log, store, *flags)
    before = expected[:-1]
    assert data(wire.get(server.url).events(len(before))) == before
    server.end_hard()
    with log.open("ab") as file:
        file.write(second.encode())
    server = follow(sse, log, store, *flags)
    assert all_data(wire, server, len(expected)) == expected


def test_a_file_that_is_rotated_while_nobody_follows_it_is_read_to_its_end(sse, wire, store, tmp_path):
    log = tmp_path / "app.log"
    log.write_text(numbered(0, 10))
    server = follow(sse, log, store)
    assert len(wire.get(server.url).events(10)) == 10
    server.end_hard()
    with log.open("a") as file:
        file.write(numbered(10, 12) + "not ended")
    log.rename(tmp_path / "app.log.1")
    log.write_text(numbered(12, 15))
    server = follow(sse, log, store)
    expected = [*map(str, range(12)), "not ended", *map(str, range(12, 15))]
    assert all_data(wire, server, len(expected)) == expected
    server.end()
    (tmp_path / "app.log.1").unlink()
    log.unlink()
    log.write_text("new\n")
    server = follow(sse, log, store)
    assert all_data(wire, server, len(expected) + 1) == [*expected, "new"]


def test_a_file_that_was_written_anew_is_read_from_its_start(sse, wire, store, tmp_path):
    """It has the inode of the one before, and more bytes than were read."""
    log = tmp_path / "app.log"
    log.write_text(numbered(0, 10))
    server = follow(sse, log, store)
    assert len(wire.get(server.url).events(10)) == 10
    server.end_hard()
    log.write_text(numbered(100, 120))  # keeps the inode
    server = follow(sse, log, store)
    server.stderr.wait_for("app.log is not the file that was read before; reading from its start")
    assert all_data(wire, server, 30) == [*map(str, range(10)), *map(str, range(100, 120))]


def test_a_place_is_kept_however_old_and_each_file_has_its_own(sse, wire, store, tmp_path):
    """The files that it was stored in are removed while others are written to."""
    quiet, busy = tmp_path / "quiet.log", tmp_path / "busy.log"
    quiet.write_text("quiet\n")
    busy.write_text("")
    flags = [quiet, "--retain", "600kb"]
    server = follow(sse, busy, store, *flags)
    first = wire.get(server.url)
    assert data(first.events(1)) == ["quiet"]  # it is stored before anything of the other file
    first.close()
    with busy.open("a") as file:
        file.write("".join(f"{i} {'x' * 1000}\n" for i in range(3000)))
    poll("the first segment to go", lambda: not (store / f"{1:020}.events").exists())
    server.end_hard()
    server = follow(sse, busy, store, *flags)
    with quiet.open("a") as file:
        file.write("again\n")
    got = wire.get(server.url)
    while got.events(len(got.stream.events) + 1)[-1].data != "again":
        pass
    assert "quiet" not in data(got.stream.events)


def test_a_server_that_is_killed_while_it_follows_neither_repeats_nor_skips(sse, wire, store, tmp_path):
    """The file is rotated at any time, but not again before that was read."""
    log = tmp_path / "app.log"
    log.write_text("")
    written, stop, lock = [0], threading.Event(), threading.Lock()

    def write():
        while not stop.is_set():
            with lock, log.open("a") as file:
                file.write(numbered(written[0], written[0] + 10))
                written[0] += 10
            stop.wait(0.005)
    writer = threading.Thread(target=write)
    writer.start()
    dice, read = random.Random(16), 0
    try:
        for number in range(KILLS):
            server = follow(sse, log, store)
            read += dice.randrange(10, 200)
            all_data(wire, server, read)
            with lock:
                log.rename(tmp_path / f"app.log.{number}")
                log.write_text("")
                read = written[0] + 1
            if dice.randrange(2):
                all_data(wire, server, read)
            server.end_hard()
    finally:
        stop.set()
        writer.join()
    server = follow(sse, log, store)
    assert all_data(wire, server, written[0]) == [str(i) for i in range(written[0])]


# -- sse replay

def test_a_store_is_played_and_taken_out(sse, wire, store, tmp_path):
    server = sse.serve("--publish", "--channels", "--store", store)
    ids = published(post(wire, server, "one", path="a")) + published(post(wire, server, "two\nlines", path="a"))
    post_body(wire, server.url + "b/c", b"event: x\nid: 7\ndata: three\n\n: note\n\n", "text/event-stream").read_all()
    played = sse.replay(store, "--no-wait")  # while the server uses it
    events = wire.get(played.url + "a").events()
    assert [(e.id, e.data) for e in events] == [(ids[0], "one"), (ids[1], "two\nlines")]
    assert [(e.id, e.event, e.data) for e in wire.get(played.url + "b/c").events()] == [("7", "x", "three")]
    assert wire.get(played.url + "other").status == 404
    ran = sse.run("replay", store, "--to", "jsonl")
    assert ran.status == 2 and "--output-dir" in ran.err
    ran = sse.run("replay", store, "--to", "jsonl", "--output-dir", tmp_path / "made")
    assert (ran.status, ran.err) == (0, "")
    assert sorted(p.name for p in (tmp_path / "made").iterdir()) == ["GET-a-0001.jsonl", "GET-b-c-0001.jsonl"]
    again = sse.replay(tmp_path / "made", "--no-wait")
    assert [e.data for e in wire.get(again.url + "a").events()] == ["one", "two\nlines"]
    assert post(wire, server, "four", path="a").status == 201


def test_one_channel_of_a_store_is_one_recording(sse, wire, store):
    server = sse.serve("--store", store, "--on-eof", "hold", input=b"a\nb\n")
    assert data(wire.get(server.url).events(2)) == ["a", "b"]
    server.end_hard()
    lines = [json.loads(line) for line in sse.run("replay", store, "--to", "jsonl").out.splitlines()]
    assert lines[0]["sse"] == 1 and [line["data"] for line in lines[1:]] == ["a", "b"]
    assert lines[1]["t"] == 0 and re.fullmatch(r"\d+-\d+", lines[1]["id"])
    assert data(wire.get(sse.replay(store, "--no-wait").url).events()) == ["a", "b"]
    with open(next(store.glob("*.events")), "r+b") as file:
        file.seek(-10, os.SEEK_END)
        file.truncate()
    assert [json.loads(line)["data"] for line in sse.run("replay", store, "--to", "jsonl").out.splitlines()[1:]] in (["a"], [])
