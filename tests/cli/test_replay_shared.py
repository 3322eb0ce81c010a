"""sse replay --shared: one clock for all clients."""
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.deadline import TooSlow, at_pace
from support.recording import recorded, recording
from support.wire import Cut


def lines(count, every=0.0):
    return [{"t": i * every, "id": str(i), "data": f"line {i}"} for i in range(1, count + 1)]


@at_pace(0.5)
def test_all_clients_have_one_clock(sse, wire, tmp_path):
    path = recording(tmp_path / "r", {"t": 0, "id": "a", "data": "first"}, {"t": 1, "id": "b", "data": "second"},
                     {"t": 10_000, "data": "last"})
    server = sse.replay(path, "--shared")
    begun = time.monotonic()
    first = wire.get(server.url)
    assert [event.id for event in first.events(1)] == ["a"]
    late = wire.get(server.url)
    back = wire.get(server.url, headers={"Last-Event-ID": "a"})
    if time.monotonic() - begun > 0.9:
        raise TooSlow
    assert [event.id for event in late.events(1)] == ["b"]  # it joined where the clock was
    assert [event.id for event in back.events(1)] == ["b"]
    assert [event.id for event in first.events(2)] == ["a", "b"]
    assert time.monotonic() - begun >= 1
    again = wire.get(server.url, headers={"Last-Event-ID": "a"})
    assert [event.id for event in again.events(1)] == ["b"]  # from the history
    gap = wire.get(server.url, headers={"Last-Event-ID": "nope"})
    assert gap.header("sse-gap") == "true"


def test_the_clock_begins_with_the_first_client(sse, wire, tmp_path):
    server = sse.replay(recording(tmp_path / "r", *lines(3)), "--shared")
    assert len(wire.get(server.url).events()) == 3


def test_head_and_ids_are_as_recorded_and_no_id_is_given(sse, wire, tmp_path):
    path = recording(tmp_path / "r", {"t": 0, "comment": " hi"}, {"t": 0, "retry": 5}, {"t": 0, "data": "no id"},
                     {"t": 0, "id": "7"}, {"t": 0, "event": "x", "id": "8", "data": "y"},
                     head=recorded("GET", "http://x/y", status=201, **{"X-A": "b"}))
    answer = wire.get(sse.replay(path, "--shared").url)
    assert (answer.status, answer.header("x-a")) == (201, "b")
    assert answer.read_all() == b": hi\n\nretry: 5\n\ndata: no id\n\nid: 7\n\nevent: x\ndata: y\nid: 8\n\n"


def test_recorded_reads_keep_their_chunks(sse, wire, tmp_path):
    pieces = ["data: a", "\n", "\ndata: \u00e9\n\n"]
    path = recording(tmp_path / "r", *({"t": 0, "bytes": piece} for piece in pieces))
    answer = wire.get(sse.replay(path, "--shared").url)
    assert [answer.more().decode() for _ in pieces] == pieces
    assert answer.more() == b"" and answer.ended


def test_after_the_end_one_who_had_all_is_told_to_stop_and_once_exits(sse, wire, tmp_path):
    path = recording(tmp_path / "r", *lines(3))
    server = sse.replay(path, "--shared")
    wire.get(server.url).read_all()
    assert wire.get(server.url, headers={"Last-Event-ID": "3"}).status == 204
    assert [e.id for e in wire.get(server.url, headers={"Last-Event-ID": "1"}).events()] == ["2", "3"]
    once = sse.replay(path, "--shared", "--once")
    wire.get(once.url).read_all()
    assert once.wait() == 0


def test_each_of_several_recordings_has_its_channel(sse, wire, tmp_path):
    for name in "ab":
        recording(tmp_path / f"{name}.jsonl", {"t": 0, "data": name}, head=recorded("GET", f"http://x/{name}"))
    server = sse.replay(tmp_path, "--shared")
    for name in "ab":
        assert [event.data for event in wire.get(server.url + name).events()] == [name]
    assert wire.get(server.url + "c").status == 404


@pytest.mark.parametrize("flags", [(), ("--no-wait",), ("--threads", "3")])
def test_many_events_reach_all_who_were_there(sse, wire, tmp_path, flags):
    path = recording(tmp_path / "r", {"t": 0, "data": "go"}, *lines(20_000, 0.00002))
    server = sse.replay(path, "--shared", *flags)
    answers = [wire.get(server.url) for _ in range(3)]
    with ThreadPoolExecutor() as pool:  # at once: without a clock, they wait for each other
        read = list(pool.map(lambda answer: answer.events(), answers))
    assert len(read[0]) == 20_001
    for events in read[1:]:
        assert [int(e.id) for e in events[-10:]] == list(range(19_991, 20_001))


def test_loops_and_parts_are_of_the_shared_playing_too(sse, wire, tmp_path):
    server = sse.replay(recording(tmp_path / "r", *lines(4)), "--shared", "--loop", "2", "--from", "id:1", "-n", "5")
    assert [e.id for e in wire.get(server.url).events()] == ["2", "3", "4", "2@2", "3@2"]


def test_a_bad_line_ends_it_with_a_warning(sse, wire, tmp_path):
    path = recording(tmp_path / "r", {"t": 0, "data": "a"}, "x\n")
    server = sse.replay(path, "--shared")
    answer = wire.get(server.url)
    try:
        answer.read_all()
    except Cut:
        pass
    assert answer.body == b"data: a\n\n"
    server.stderr.wait_for(f"^sse: warning: {path}:3: not a JSON object$")


@pytest.mark.parametrize("flags", [("--split", "3"), ("--drop-every", "3"), ("--reset",), ("--corrupt", "0.1")])
def test_faults_of_a_connection_need_clocks_of_their_own(sse, tmp_path, flags):
    ran = sse.run("replay", recording(tmp_path / "r"), "--shared", *flags)
    assert (ran.status, ran.err.splitlines()[0]) == (
        2, "sse: error: --shared cannot be combined with faults of single connections")


def test_it_stops_at_once_when_told_to(sse, wire, tmp_path):
    server = sse.replay(recording(tmp_path / "r", {"t": 0, "data": "a"}, {"t": 600, "data": "b"}), "--shared")
    answer = wire.get(server.url)
    answer.events(1)
    server.signal(15)
    answer.closed()
    answer.close()
    assert server.wait() in (0, 143)
