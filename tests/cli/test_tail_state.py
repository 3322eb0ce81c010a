"""sse tail --state under kill -9: no event is lost, and few are repeated."""
import json
import os
import random
import socket
import subprocess
import time

import pytest

from support.deadline import poll
from support.steps import no_content, stream


def counting(pause, size=500):
    """A server of events that count on from the last event ID, each `pause` seconds after the other."""
    def handler(c):
        n = int(c.request.header("Last-Event-ID") or 0)
        c.head()
        while True:
            batch = range(n + 1, n + 2 if pause else n + 51)
            c.chunk("".join(f"id: {i}\ndata: {i} {'x' * size}\n\n" for i in batch))
            n = batch[-1]
            time.sleep(pause)
    return handler


def seen(file):
    return [int(line.split()[0]) for line in file.read_bytes().split(b"\n")[:-1]]


def counting_behind(state):
    """As counting(), but an event is sent only once the state holds the one before it."""
    def handler(c):
        n = int(c.request.header("Last-Event-ID") or 0)
        c.head()
        while not closed(c.sock):
            if n == 0 or f'"last_event_id":"{n}"' in (state.read_text() if state.exists() else ""):
                n += 1
                c.chunk(f"id: {n}\ndata: {n} {'x' * 500}\n\n")
            time.sleep(0.001)
    return handler


def closed(sock):
    try:
        return sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False


@pytest.mark.parametrize("calm", [True, False], ids=["calm", "burst"])
@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment(sse, origin, tmp_path, calm, seed):
    """Printed to a file, so that each write is whole. What comes twice is what the last flush held: one
    event where they come one by one."""
    dice, state, runs, most = random.Random(seed), tmp_path / "state", [], 1 if calm else 1000
    server = origin(counting_behind(state) if calm else counting(0))
    for n in range(8):
        file = tmp_path / f"out.{n}"
        with open(file, "wb") as out:
            tail = sse.start("tail", server.url, "--state", state, stdout=out)
            poll("lines", lambda: file.stat().st_size > 1000)
            time.sleep(dice.uniform(0, 0.04))  # a moment like any other
            tail.end_hard()
        runs.append(seen(file))
    for before, after in zip(runs, runs[1:]):
        assert before == list(range(before[0], before[-1] + 1))
        repeated = before[-1] + 1 - after[0]
        assert 0 <= repeated <= most, (before[-1], after[0])
    assert runs[-1][-1] > len(runs)


def test_secrets_of_a_url_are_not_kept_and_it_is_known_again(sse, origin, tmp_path):
    state = tmp_path / "state"
    server = stream(origin, "id: 7\ndata: x\n\n")
    for token in ("SECRET", "SECRET", "OTHER"):
        assert sse.run("tail", f"{server.url}?access_token={token}", "--state", state, "-n", "1").status == 0
    assert [r.header("Last-Event-ID") for r in server.requests] == [None, "7", None]
    assert "SECRET" not in state.read_text() and "OTHER" not in state.read_text()
    assert state.stat().st_mode & 0o777 == 0o600


def test_a_state_that_cannot_be_written_is_an_error(sse, origin, tmp_path):
    tail = sse.run("tail", stream(origin, "id: 1\ndata: x\n\n", end=False).url, "--state", tmp_path / "no" / "state")
    assert (tail.status, tail.out) == (23, b"x\n")
    assert f"cannot write {tmp_path}/no/state: No such file or directory" in tail.err


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_state_takes_the_place_of_a_file_only(sse, origin, tmp_path, kind):
    """What a link names is written, and the link stays; a device or a pipe would be gone."""
    state = tmp_path / "state"
    if kind == "pipe":
        os.mkfifo(state)
    else:
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "file").touch()
        state.symlink_to("folder/file")
    tail = sse.run("tail", stream(origin, "id: 1\ndata: x\n\n", end=False).url, "-n", "1", "--state", state)
    if kind == "pipe":
        assert tail.status == 3 and f"{state}: the state file is not a regular file" in tail.err and state.is_fifo()
    else:
        assert tail.status == 0 and state.is_symlink()
        assert '"last_event_id":"1"' in (tmp_path / "folder" / "file").read_text()


def whole_lines(bytes_):
    return bytes_.split(b"\n")[:-1]


def blocks(bytes_):
    """The data of each event of event-stream text, as a parser gives it."""
    return [line.removeprefix(b"data: ") for block in bytes_.split(b"\n\n")[:-1]
            for line in block.split(b"\n") if line.startswith(b"data: ")]


SINKS = {  # what is given to tail, and how its output is read
    "json": (["-o", "json"], lambda out: [json.loads(line)["data"].encode() for line in whole_lines(out)]),
    "data": (["-o", "data"], whole_lines),
    "sse": (["-o", "sse"], blocks),
    "format": (["-F", "{data}"], whole_lines),
    "exec": (["--exec", 'cut -c 1-50 | sed "s/$/ done/"'], whole_lines),
    "pipe": (["-o", "data"], whole_lines),
}


KILLS = int(os.environ.get("SSE_KILLS", "30"))  # of each row


@pytest.mark.linux
@pytest.mark.release
@pytest.mark.parametrize("sink", SINKS)
def test_kills_lose_no_event(sse, origin, tmp_path, sink):
    """A reader of whole lines finds every event whole, at least once; what a kill leaves of one is no event."""
    args, read = SINKS[sink]
    size = 20 if sink == "exec" else 30_000
    server, state, out = origin(counting(0.001, size)), tmp_path / "state", tmp_path / "out"
    out.touch()
    dice = random.Random(sink)
    for _ in range(KILLS):
        before = out.stat().st_size
        with open(out, "ab") as file:
            reader = None
            if sink == "pipe":
                reader = sse.start_program("cat", stdout=file, stdin=subprocess.PIPE)
            tail = sse.start("tail", server.url, "--state", state, *args, stdout=reader.popen.stdin if reader else file)
            poll("output", lambda: out.stat().st_size > before)
            time.sleep(dice.uniform(0, 0.02))  # a moment like any other
            tail.end_hard()
            if reader:
                reader.popen.stdin.close()
                reader.wait()
                with open(out, "rb") as end:
                    end.seek(-1, os.SEEK_END)
                    torn = end.read() != b"\n"
                if torn:
                    file.write(b"\n")  # what a pipe had got of an event is its reader's to know
    suffix = b" done" if sink == "exec" else b"x" * size
    numbers = [int(event.split()[0]) for event in read(out.read_bytes()) if event.endswith(suffix)]
    assert set(numbers) == set(range(1, max(numbers) + 1))
    if sink in ("json", "sse"):
        assert len(numbers) == len(read(out.read_bytes())), "half an event was left"


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_an_id_is_saved_once_its_command_has_ended(sse, origin, tmp_path, jobs):
    """While the stream goes on, and a later command still runs."""
    state = tmp_path / "state"
    command = f"[ $SSE_ID -lt 3 ] || exec sleep 1000; echo $SSE_ID >> {tmp_path}/log"
    events = "".join(f"id: {i}\ndata: x\n\n" for i in range(1, 10))
    tail = sse.start("tail", stream(origin, events, end=False).url, "--state", state, "--exec", command, "--jobs", jobs)
    poll("the state", lambda: state.exists() and '"last_event_id":"2"' in state.read_text())
    tail.end_hard()
    assert sorted((tmp_path / "log").read_text().split()) == ["1", "2"]


def test_a_slow_command_holds_back_the_ids_of_later_ones(sse, origin, tmp_path):
    state = tmp_path / "state"
    command = f"[ $SSE_ID = 2 ] && read x < {tmp_path}/go; echo $SSE_ID >> {tmp_path}/log"
    os.mkfifo(tmp_path / "go")
    events = "".join(f"id: {i}\ndata: x\n\n" for i in range(1, 6))
    tail = sse.start("tail", stream(origin, events, end=False).url, "--state", state, "--exec", command, "--jobs", "2")
    poll("the others", lambda: (tmp_path / "log").exists() and (tmp_path / "log").read_text() == "1\n3\n4\n5\n")
    assert '"last_event_id":"1"' in state.read_text()
    (tmp_path / "go").write_text("x\n")
    poll("the state", lambda: '"last_event_id":"5"' in state.read_text())
    tail.signal(15)
    assert tail.wait() == 143


@pytest.mark.linux
@pytest.mark.parametrize("left, args, resumed, anew", [
    ('{"time":"2026', ["-o", "json"], "", '{"time":"2026\n'),
    ('{"a":1}\n{"time":"2026-01-01T', ["-o", "json"], '{"a":1}\n', '{"a":1}\n{"time":"2026-01-01T\n'),
    ('{"a":1}\nnot ours', ["-o", "json"], '{"a":1}\nnot ours\n', '{"a":1}\nnot ours\n'),
    ("data: 1\n\nid: 2\ndata: ha", ["-o", "sse"], "data: 1\n\n", "data: 1\n\nid: 2\ndata: ha\n\n"),
    ("data: 1\n\nid: 2\ndata: half\n", ["-o", "sse"], "data: 1\n\n", "data: 1\n\nid: 2\ndata: half\n\n"),
    ("notes\n", ["-o", "sse"], "notes\n\n", "notes\n\n"),
    ("1\nha", ["-o", "data"], "1\nha\n", "1\nha\n"),
    ("1\n", ["-o", "data"], "1\n", "1\n"),
    ("x" * 200_000 + "\n" + "y" * 100_000, ["-F", "{data}"], *["x" * 200_000 + "\n" + "y" * 100_000 + "\n"] * 2),
    ("so far", ["-F", "{data}", "--join"], "so far", "so far"),
    ("so far", ["-o", "raw"], "so far", "so far"),
], ids=range(11))
def test_what_a_killed_run_left_is_repaired(sse, origin, tmp_path, left, args, resumed, anew):
    """Its event is removed only if --state has it sent again."""
    out, server = tmp_path / "out", origin(no_content)
    for state, expected in ((["--state", tmp_path / "state"], resumed), ([], anew)):
        out.write_text(left)
        with open(out, "ab") as file:
            assert sse.run("tail", server.url, *args, *state, stdout=file).status == 0
        assert out.read_text() == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link to another user")
def test_a_planted_link_is_not_followed(sse, origin, tmp_path):
    """As any other user may plant it in a directory that all may write to."""
    target, folder = tmp_path / "precious", tmp_path / "shared"
    target.write_text("mine")
    folder.mkdir()
    folder.chmod(0o1777)
    for name in ("state", "state.new", "record", "stats", "port", "port.part", "log"):
        (folder / name).symlink_to(target)
        os.lchown(folder / name, 1, 1)
    server = stream(origin, "id: 1\ndata: x\n\n", end=False)
    for args in (["--state", folder / "state"], ["--record", folder / "record"], ["--stats-file", folder / "stats"]):
        tail = sse.run("tail", "-n", "1", server.url, *args)
        assert tail.status == 23 and "is a symbolic link owned by another user" in tail.err, (args, tail.err)
    for args in (["--port-file", folder / "port"], ["--access-log", folder / "log"]):
        served = sse.run("serve", *args, "--listen", "127.0.0.1:0", "--wait-clients", "0")
        assert served.status == 23 and "is a symbolic link owned by another user" in served.err
    assert target.read_text() == "mine"
    for name in ("state", "port"):  # nothing but random names beside the file
        (folder / name).unlink()
    assert sse.run("tail", "-n", "1", server.url, "--state", folder / "state").status == 0
    assert sse.run("serve", "--port-file", folder / "port", "--listen", "127.0.0.1:0", "--wait-clients", "0").status == 0
    assert target.read_text() == "mine" and len(list(folder.iterdir())) == 7
