"""sse tail and whoever reads its stdout slowly: what was printed before the end is delivered."""
import array
import fcntl
import json
import os
import signal
import subprocess
import termios
import threading

import pytest

from support.deadline import HANG, TooSlow, at_pace, poll

FIRST, SECOND = b"a" * 60_000, b"b" * 60_000  # the first fills a pipe of 64 KiB, the second waits


def waiting_in(pipe):
    """Bytes that nobody has read yet."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def read_all(pipe):
    pieces = []
    while piece := os.read(pipe, 65536):
        pieces.append(piece)
    os.close(pipe)
    return b"".join(pieces)


class Slow:
    """A tail that has heard two events, of which its pipe holds only the first."""

    def __init__(self, sse, origin, *args, several=False):
        self._second, self.closed = threading.Event(), threading.Event()

        def handler(c):
            c.head()
            c.chunk(b"id: 1\ndata: " + FIRST + b"\n\n")
            assert self._second.wait(HANG)
            c.chunk(b"id: 2\ndata: " + SECOND + b"\n\nevent: end\ndata\n\n")
            c.wait_for_close()
            self.closed.set()
        self.pipe, write = os.pipe()
        silent = [origin(lambda c: c.wait_for_close()).url] if several else []
        self.tail = sse.start("tail", origin(handler).url, *silent, *args, stdout=write)
        os.close(write)
        poll("the first event in the pipe", lambda: waiting_in(self.pipe) >= len(FIRST) or not self.tail.running)
        if not self.tail.running:
            raise TooSlow  # --max-time ended it before
        self._second.set()

    def still_there(self):
        with pytest.raises(subprocess.TimeoutExpired):
            self.tail.popen.wait(0.7)

    def out(self):
        return read_all(self.pipe)


def lines(*texts):
    return b"".join(text + b"\n" for text in texts)


@pytest.mark.parametrize("args, status, expected", [
    (["-n", "2"], 0, lines(FIRST, SECOND)),
    (["--until", "end"], 0, lines(FIRST, SECOND, b"")),
    (["-n", "3", "-m", "300ms"], None, lines(FIRST, SECOND, b"")),
    (["-m", "300ms"], 28, lines(FIRST, SECOND, b"")),
    (["--idle-timeout", "300ms"], 28, lines(FIRST, SECOND, b"")),
], ids=["count", "until", "count and time", "time", "idle"])
@pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
@at_pace(0.1)
def test_what_was_printed_before_the_end_is_delivered(sse, origin, args, status, expected, several):
    slow = Slow(sse, origin, *args, several=several)
    slow.still_there()
    out = [line.rpartition(b"\t")[2] for line in slow.out().splitlines(keepends=True)]
    assert b"".join(out) == expected
    ended = slow.tail.wait()
    assert ended == status if status is not None else ended in (0, 28)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_also_the_delivery(sse, origin, number):
    slow = Slow(sse, origin, "-n", "2")
    assert slow.closed.wait(HANG)
    slow.tail.signal(number)
    assert slow.tail.wait() == 128 + number
    assert slow.out().startswith(FIRST)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_also_the_delivery_of_a_recording(sse, origin, number, tmp_path):
    state = tmp_path / "state"
    slow = Slow(sse, origin, "--record", "-", "--state", state, "-n", "2")
    assert slow.closed.wait(HANG)
    slow.tail.signal(number)
    assert slow.tail.wait() == 128 + number
    assert FIRST in slow.out() and slow.tail.stderr.text() == ""
    assert json.loads(state.read_text())["last_event_id"] == "1"


@at_pace(0.1)
def test_a_recording_is_delivered_whole(sse, origin):
    slow = Slow(sse, origin, "--record", "-", "-m", "300ms")
    slow.still_there()
    _, *lines = map(json.loads, slow.out().splitlines())
    assert [line["data"].encode() for line in lines if "data" in line] == [FIRST, SECOND, b""]
    assert slow.tail.wait() == 28


def test_a_reader_that_goes_ends_also_the_delivery(sse, origin):
    slow = Slow(sse, origin, "-n", "2")
    assert slow.closed.wait(HANG)
    os.close(slow.pipe)
    assert (slow.tail.wait(), slow.tail.stderr.text()) == (0, "")


def test_a_state_does_not_name_what_was_thrown_away(sse, origin, tmp_path):
    state = tmp_path / "state"
    slow = Slow(sse, origin, "--state", state)
    poll("a part of the second event", lambda: waiting_in(slow.pipe) > len(FIRST) + 1)
    os.close(slow.pipe)
    assert (slow.tail.wait(), slow.tail.stderr.text()) == (0, "")
    assert json.loads(state.read_text())["last_event_id"] == "1"


def test_many_lines_to_a_reader_that_starts_late(sse):
    """The whole of it: 10 MB through `sse serve` and a pipe that is read only at the end."""
    wanted = b"".join(b"%04d" % i + b"x" * 5000 + b"\n" for i in range(2000))
    server = sse.serve(input=wanted)
    read, write = os.pipe()
    tail = sse.start("tail", server.url, "-n", "2000", stdout=write)
    os.close(write)
    poll("a full pipe", lambda: waiting_in(read) >= 60_000)
    assert read_all(read) == wanted
    assert tail.wait() == 0


def test_a_stop_ends_the_output_at_an_event(sse, origin, tmp_path):
    """A pipe that is full when SIGTERM comes: the event in it is completed for a reader that reads on."""
    state = tmp_path / "state"
    slow = Slow(sse, origin, "--state", state)
    poll("a part of the second event", lambda: waiting_in(slow.pipe) > len(FIRST) + 1)
    assert slow.closed.is_set() is False
    slow.tail.signal(signal.SIGTERM)
    assert slow.out() == lines(FIRST, SECOND)
    assert slow.tail.wait() == 128 + signal.SIGTERM
    assert json.loads(state.read_text())["last_event_id"] == "2"


def test_small_events_are_never_cut(sse, origin, tmp_path):
    """Not even for a reader that reads nothing: an event of up to PIPE_BUF bytes is written as a whole."""
    state, read, write = tmp_path / "state", *os.pipe()
    events = "".join(f"id: {i}\ndata: {i} {'x' * 1000}\n\n" for i in range(200))

    def handler(c):
        c.head()
        c.chunk(events)
        c.wait_for_close()
    tail = sse.start("tail", origin(handler).url, "--state", state, stdout=write)
    os.close(write)
    poll("a full pipe", lambda: waiting_in(read) > 60_000)
    tail.signal(signal.SIGTERM)
    assert tail.wait() == 128 + signal.SIGTERM
    out = read_all(read)
    assert out.endswith(b"x\n")
    last = out.splitlines()[-1].split()[0].decode()
    assert json.loads(state.read_text())["last_event_id"] == last
