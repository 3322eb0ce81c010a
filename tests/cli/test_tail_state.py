"""sse tail --state under kill -9: what was printed and kept is not lost, and little comes twice."""
import os
import random
import time

import pytest

from support.deadline import at_pace, poll
from support.steps import stream


def counting(pause):
    """A server of events that count on from the last event ID; each `pause` seconds behind the other."""
    def handler(c):
        n = int(c.request.header("Last-Event-ID") or 0)
        c.head()
        while True:
            batch = range(n + 1, n + 2 if pause else n + 51)
            c.chunk("".join(f"id: {i}\ndata: {i} {'x' * 500}\n\n" for i in batch))
            n = batch[-1]
            time.sleep(pause)
    return handler


def seen(file):
    return [int(line.split()[0]) for line in file.read_bytes().split(b"\n")[:-1]]


@pytest.mark.parametrize("pause, most", [(0.001, 3), (0, 1000)], ids=["calm", "burst"])
@pytest.mark.parametrize("seed", range(3))
@at_pace(0.05)
def test_killed_at_any_moment(sse, origin, tmp_path, pause, most, seed):
    """Printed to a file, so that each write is whole. What comes twice is what the last flush held."""
    dice = random.Random(seed)
    server, state, runs = origin(counting(pause)), tmp_path / "state", []
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
    assert f"cannot write the state {tmp_path}/no/state: No such file or directory" in tail.err


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
        assert tail.status == 3 and f"{state}: the state is no file" in tail.err and state.is_fifo()
    else:
        assert tail.status == 0 and state.is_symlink()
        assert '"last_event_id":"1"' in (tmp_path / "folder" / "file").read_text()
