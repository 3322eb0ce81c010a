"""What each --overflow promises, among a thousand readers of which ten never read and one reads 1 KiB
a second: the others lose nothing and are not held up for good; what the server holds
stays what it was; and what the slow clients were told is what happened."""
import json
import resource
import socket
import threading
import time
from collections import Counter

import pytest
from support import prometheus
from support.deadline import at_pace, poll

CLIENTS, STALLED, EVENTS, BURST = 1000, 10, 3000, 50

pytestmark = [pytest.mark.release, pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_NOFILE)[1] < CLIENTS + 200, reason="needs 1,200 descriptors")]


class SlowClient:
    """One that reads nothing on its own, with buffers so small that the kernel takes little for it."""

    def __init__(self, port):
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self._bytes = b""

    def read(self, size):
        """False at the end of the stream, or if it was cut."""
        try:
            piece = self._socket.recv(size)
        except OSError:
            return False
        self._bytes += piece
        return bool(piece)

    def sip(self, stop):
        """Reads 1 KiB a second until `stop` is set, or the stream is cut."""
        while not stop.wait(1) and self.read(1024):
            pass

    def result(self):
        """Reads what there still is: the numbers of events, whether none is missing that it was not told of, how many
        it was told of, and whether the stream came to its end."""
        while self.read(1 << 16):
            pass
        self._socket.close()
        last, events, missed, in_order = 0, 0, 0, True
        lines = self._bytes.decode().split("\n")[:-1]
        for line in lines:
            if line.startswith("data: "):
                events, last = events + 1, last + 1
                in_order &= int(line.split()[1]) == last
            elif line.startswith(": missed "):
                missed += (told := int(line.split()[2]))
                last += told
        return {"events": events, "missed": missed, "last": last, "in_order": in_order, "ended": "0\r" in lines}


class Crowd:
    """A server, the thousand that read from it, and one more whose pace is the input's."""

    def __init__(self, sse, wire, tmp_path, overflow, *args):
        self.log = tmp_path / "log"
        self.server = sse.serve("--overflow", overflow, "--history", "500", "--admin", "127.0.0.1:0",
                                "--access-log", self.log, *args)
        admin = self.server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
        self.steady = wire.get(self.server.url)
        port = int(self.server.url.rstrip("/").rsplit(":", 1)[1])
        self.slow = [SlowClient(port) for _ in range(STALLED + 1)]
        self.end_of_sips = threading.Event()
        self.sips = threading.Thread(target=self.slow[-1].sip, daemon=True, args=(self.end_of_sips,))
        self.sips.start()
        self.readers = sse.start("bench", "-o", "json", "-c", CLIENTS - STALLED - 1, "--connect-rate", "10000", "--warm-up",
                                 "0", "-t", "1h", "--time-regex", "^[0-9]+ ([0-9]+) ", self.server.url)

        def streams():
            body = wire.get(admin + "metrics", headers={"Connection": "close"}).read_all()
            return prometheus.read(body.decode())["sse_streams"][()]

        poll("all to be connected", lambda: streams() == CLIENTS + 1)
        self.before = self.most = self.server.rss_kib()

    def feed(self):
        """Writes all events, each with the time, as fast as the steady reader gets them."""
        for first in range(1, EVENTS + 1, BURST):
            now = time.time_ns() // 1000
            self.server.write(b"".join(b"%d %d %b\n" % (n, now, b"x" * 180)
                                       for n in range(first, first + BURST)))
            self.steady.events(first - BURST)
            self.most = max(self.most, self.server.rss_kib())
        self.server.close_stdin()
        assert [int(e.data.split()[0]) for e in self.steady.events()] == list(range(1, EVENTS + 1))
        self.steady.close()

    def result(self):
        """The report of the thousand, what became of the slow, and the log of their connections."""
        assert self.readers.wait() == 0, self.readers.stderr.text()
        figures = json.loads(self.readers.stdout.bytes)
        assert figures["deliveries"] == (CLIENTS - STALLED - 1) * EVENTS
        assert figures["ended"] == figures["opened"] == CLIENTS - STALLED - 1
        assert [figures[name] for name in ("lost", "duplicates", "disordered", "broken")] == [0, 0, 0, 0]
        self.end_of_sips.set()
        self.sips.join()
        slow = [client.result() for client in self.slow]
        assert self.server.wait() == 0
        assert self.most - self.before < 8_000
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return figures, slow, [line for line in lines if line["path"] == "/"]


@at_pace(0.5)
def test_block_waits_for_the_slow_and_cuts_those_who_take_nothing_or_too_little(sse, wire, tmp_path):
    crowd = Crowd(sse, wire, tmp_path, "block", "--stall-timeout", "3s")
    crowd.feed()
    figures, slow_clients, log = crowd.result()
    # for a stalled one until its timeout is noticed, for the slow one until it has held up the others for as long
    assert figures["delivery"]["max"] > 2
    stalled, slow = slow_clients[:STALLED], slow_clients[STALLED]
    for client in slow_clients:
        assert client["in_order"] and client["missed"] == 0 and not client["ended"]
    assert all(client["events"] < EVENTS for client in stalled)
    assert 0 < slow["events"] < EVENTS
    ends = Counter(line["end"] for line in log)
    assert ends == {"stalled": STALLED, "cut": 1, "end of stream": CLIENTS - STALLED}


@at_pace(0.3)
@pytest.mark.parametrize("io", ["auto", "send"])
def test_drop_moves_slow_clients_on_and_tells_each_what_it_missed(sse, wire, tmp_path, io):
    crowd = Crowd(sse, wire, tmp_path, "drop", "--stall-timeout", "1h", "--io", io)
    crowd.feed()
    figures, slow_clients, log = crowd.result()
    for client in slow_clients:  # in order, with gaps as wide as it was told
        assert client["in_order"] and client["ended"] and client["missed"] > 0
        assert client["events"] + client["missed"] == client["last"] == EVENTS
    assert {line["end"] for line in log} == {"end of stream"}
    assert sorted(line["missed"] for line in log if line["missed"]) == \
        sorted(client["missed"] for client in slow_clients)


@at_pace(0.3)
def test_disconnect_cuts_slow_clients_and_nobody_else(sse, wire, tmp_path):
    crowd = Crowd(sse, wire, tmp_path, "disconnect", "--stall-timeout", "1h")
    crowd.feed()
    figures, slow_clients, log = crowd.result()
    for client in slow_clients:
        assert client["in_order"] and not client["ended"]
        assert client["missed"] == 0 and client["events"] == client["last"] < EVENTS
    assert Counter(line["end"] for line in log) == {"overrun": STALLED + 1, "end of stream": CLIENTS - STALLED}
    assert all(line["missed"] > 0 for line in log if line["end"] == "overrun")
