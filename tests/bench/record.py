"""How much later the first byte of a response arrives through sse record than from the upstream server itself, in
milliseconds: over loopback, one request after the other, each on a connection that is open already. The proxy's way
includes its own connection to the upstream server and the recording of the exchange.

A stream goes on after its first event, and the client leaves; a short response ends with it. The two ways take turns,
each once the processes are done with the one before, and what is added is the difference of each two of them."""
import json
import socket
import tempfile
import time
from pathlib import Path

from bench.measure import SERVER, Row, on
from bench.peers import Piped


def first_byte(port, number):
    """Milliseconds from the request to the first byte of the body."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        start = time.perf_counter_ns()
        sock.sendall(b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % number)
        data = b""
        while not data.partition(b"\r\n\r\n")[2]:
            piece = sock.recv(65536)
            assert piece, "the response has no body"
            data += piece
        return (time.perf_counter_ns() - start) / 1e6


def shares(times):
    times.sort()
    return {"p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100]}


PAUSE = 0.003  # s
KINDS = {"stream": [{"t": 0, "data": "one"}, {"t": 600, "data": "two"}], "short response": [{"t": 0, "data": "one"}]}


def rows(setting):
    count = 50 if setting.short else 2000
    for kind, events in KINDS.items():
        with tempfile.TemporaryDirectory() as directory:
            played = Path(directory, "upstream.jsonl")
            played.write_text("".join(json.dumps(line) + "\n" for line in [{"sse": 1}, *events]), encoding="utf-8")
            upstream = Piped([setting.sse, "replay", "--listen", "127.0.0.1:0", str(played)])
            proxy = Piped(on(SERVER, setting.sse, "record", "--listen", "127.0.0.1:0",
                             f"http://127.0.0.1:{upstream.port}", str(Path(directory, "recordings"))))
            try:
                direct, through = [], []
                for number in range(count):
                    direct.append(first_byte(upstream.port, number))
                    time.sleep(PAUSE)
                    through.append(first_byte(proxy.port, number))
                    time.sleep(PAUSE)
            finally:
                proxy.close()
                upstream.close()
        added = shares([after - before for before, after in zip(direct, through)])
        direct, through = shares(direct), shares(through)
        for share in ("p50", "p99"):
            yield Row(f"record: first byte of a {kind} through the proxy, {share}", through[share], "ms", "without it",
                      direct[share])
        for share in ("p50", "p99"):
            row = Row(f"record: first byte of a {kind}, added latency, {share}", added[share], "ms")
            yield row.within(most=1) if share == "p99" else row
