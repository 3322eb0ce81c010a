"""What each --overflow promises, among a thousand readers of which ten never read and one reads 1 KiB
a second: the others lose nothing and are not held up for good; what the server holds
stays what it was; and what the slow clients were told is what happened."""
import json
import resource
import time
from collections import Counter
from pathlib import Path

import pytest
from support import prometheus
from support.deadline import at_pace, poll

CLIENTS, STALLED, EVENTS, BURST = 1000, 10, 3000, 50
LEAVES = 6  # seconds after which the slow one leaves, where all wait for it

pytestmark = [pytest.mark.release, pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_NOFILE)[1] < CLIENTS + 200, reason="needs 1,200 descriptors")]


class Crowd:
    """A server, the thousand that read from it, and one more whose pace is the input's."""

    def __init__(self, sse, sse_bin, wire, tmp_path, overflow, *args):
        program = Path(sse_bin).parent / "tests" / "sse_readers"
        if not program.exists():
            pytest.skip("sse_readers is not built beside sse")
        self.log = tmp_path / "log"
        self.server = sse.serve("--overflow", overflow, "--history", "500", "--admin", "127.0.0.1:0",
                                "--access-log", self.log, *args)
        admin = self.server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
        self.steady = wire.get(self.server.url)
        port = self.server.url.rstrip("/").rsplit(":", 1)[1]
        leave = [f"leave={LEAVES}"] if overflow == "block" else []
        self.readers = sse.start_program(program, port, str(CLIENTS), f"last={EVENTS}",
                                         f"stalled={STALLED}", "slow=1", *leave)

        def streams():
            body = wire.get(admin + "metrics", headers={"Connection": "close"}).read_all()
            return prometheus.read(body.decode())["sse_streams"][()]

        poll("all to be connected", lambda: streams() == CLIENTS + 1)
        self.before = self.most = self.server.rss_kib()

    def feed(self):
        """Writes all events, each with the time, as fast as the steady reader gets them."""
        for first in range(1, EVENTS + 1, BURST):
            now = time.monotonic_ns() // 1000
            self.server.write(b"".join(b"%d %d %b\n" % (n, now, b"x" * 180)
                                       for n in range(first, first + BURST)))
            self.steady.events(first - BURST)
            self.most = max(self.most, self.server.rss_kib())
        self.server.close_stdin()
        assert [int(e.data.split()[0]) for e in self.steady.events()] == list(range(1, EVENTS + 1))
        self.steady.close()

    def result(self):
        """What the readers had to say, and the log of their connections."""
        status = self.readers.wait()
        figures = json.loads(self.readers.stdout.bytes)
        assert status == 0, figures
        assert (figures["wrong"], figures["cut"]) == (0, 0)
        assert figures["events"] == (CLIENTS - STALLED - 1) * EVENTS
        assert self.server.wait() == 0
        assert self.most - self.before < 8_000
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return figures, [line for line in lines if line["path"] == "/"]


@at_pace(0.5)
def test_block_waits_for_the_slow_and_cuts_those_who_take_nothing(sse, sse_bin, wire, tmp_path):
    crowd = Crowd(sse, sse_bin, wire, tmp_path, "block", "--stall-timeout", "3s")
    crowd.feed()
    figures, log = crowd.result()
    # for a stalled one until its timeout is noticed, for the slow one until it leaves
    assert figures["latest_seconds"] > 2
    stalled, slow = figures["slow_clients"][:STALLED], figures["slow_clients"][STALLED]
    for client in figures["slow_clients"]:
        assert client["in_order"] and client["missed"] == 0 and not client["ended"]
    assert all(client["events"] < EVENTS for client in stalled)
    assert 0 < slow["events"] < EVENTS
    ends = Counter(line["end"] for line in log)
    assert ends == {"stalled": STALLED, "client closed": 1, "end of stream": CLIENTS - STALLED}


@at_pace(0.3)
@pytest.mark.parametrize("io", ["auto", "send"])
def test_drop_moves_slow_clients_on_and_tells_each_what_it_missed(sse, sse_bin, wire, tmp_path, io):
    crowd = Crowd(sse, sse_bin, wire, tmp_path, "drop", "--stall-timeout", "1h", "--io", io)
    crowd.feed()
    figures, log = crowd.result()
    for client in figures["slow_clients"]:  # in order, with gaps as wide as it was told
        assert client["in_order"] and client["ended"] and client["missed"] > 0
        assert client["events"] + client["missed"] == client["last"] == EVENTS
    assert {line["end"] for line in log} == {"end of stream"}
    assert sorted(line["missed"] for line in log if line["missed"]) == \
        sorted(client["missed"] for client in figures["slow_clients"])


@at_pace(0.3)
def test_disconnect_cuts_slow_clients_and_nobody_else(sse, sse_bin, wire, tmp_path):
    crowd = Crowd(sse, sse_bin, wire, tmp_path, "disconnect", "--stall-timeout", "1h")
    crowd.feed()
    figures, log = crowd.result()
    for client in figures["slow_clients"]:
        assert client["in_order"] and not client["ended"]
        assert client["missed"] == 0 and client["events"] == client["last"] < EVENTS
    assert Counter(line["end"] for line in log) == {"overrun": STALLED + 1, "end of stream": CLIENTS - STALLED}
    assert all(line["missed"] > 0 for line in log if line["end"] == "overrun")
