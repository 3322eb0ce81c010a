"""What sse serve --store costs: CPU an event where writes are joined, events a second from standard input, the first
byte for a client that resumes far back, and a restart with a large store.

SSE_BENCH_STORE_GB gives the size of the large store, which is made below the directory for temporary files."""
import os
import socket
import tempfile
import time
from pathlib import Path

from bench.measure import SERVER, Row, least, run
from bench.peers import Piped


def lines(path, count):
    with open(path, "wb") as out:
        for first in range(0, count, 10_000):
            out.write(b"".join(b"%0200d\n" % n for n in range(first, min(first + 10_000, count))))
    with open(path, "rb") as made:
        while made.read(1 << 24):
            pass


def serve(setting, path, *flags):
    """Serves a file to nobody."""
    with open(path, "rb") as stdin:
        return run([setting.sse, "serve", "--listen", "127.0.0.1:0", "--start", "new", "--wait-clients", "0", *flags],
                   processor=SERVER, stdin=stdin)


def stored(setting, path, directory, sync):
    with tempfile.TemporaryDirectory(dir=directory) as store:
        return serve(setting, path, "--store", store, "--store-sync", sync)


def oldest_id(store, port):
    """The ID of the first event."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 1-0\r\n\r\n")
        data = b""
        while b"\nid: " not in data or not data.rpartition(b"\nid: ")[2].count(b"\n"):
            data += sock.recv(65536)
        return data.partition(b"\nid: ")[2].partition(b"\n")[0]


def first_event(port, last_id):
    """Milliseconds from the request to the first byte of the first event after `last_id`."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        start = time.perf_counter_ns()
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: %s\r\n\r\n" % last_id)
        data = b""
        while b"data: 0" not in data:
            piece = sock.recv(65536)
            assert piece
            data += piece
        return (time.perf_counter_ns() - start) / 1e6


def large_store(setting, directory):
    size = 0.02 if setting.short else float(os.environ.get("SSE_BENCH_STORE_GB", "1"))
    path, store = Path(directory, "lines"), Path(directory, "large")
    count = min(4_000_000, int(size * 4_000_000))
    lines(path, count)
    for _ in range(max(1, round(size * 1e9 / (count * 250)))):
        serve(setting, path, "--store", store, "--store-sync", "never")
    path.unlink()
    held = sum(p.stat().st_size for p in store.glob("*.events")) / 1e9
    began = time.perf_counter()
    server = Piped([setting.sse, "serve", "--listen", "127.0.0.1:0", "--publish", "--store", str(store)])
    yield Row(f"store: start with {held:.1f} GB", time.perf_counter() - began, "s").within(most=0.3)
    try:
        first = oldest_id(store, server.port)
        times = sorted(first_event(server.port, first) for _ in range(3 if setting.short else 200))
        yield Row(f"store: first byte of a resume {held:.1f} GB back, p50", times[len(times) // 2], "ms")
        yield Row(f"store: first byte of a resume {held:.1f} GB back, p99", times[len(times) * 99 // 100],
                  "ms").within(most=5)
    finally:
        server.close()


def rows(setting):
    count, rounds = (4_000, 1) if setting.short else (4_000_000, setting.rounds)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "lines")
        lines(path, count)
        memory = least(rounds, lambda: serve(setting, path))
        for sync, least_rate in (("never", 2e6), ("50ms", 1e6)):
            used = least(rounds, lambda sync=sync: stored(setting, path, directory, sync))
            yield Row(f"store: lines of 200 bytes on stdin, --store-sync {sync}", count / used.wall / 1e6,
                      "M events/s", "without a store", count / memory.wall / 1e6)
            yield Row(f"store: events a second, --store-sync {sync}", count / used.wall / 1e6,
                      "M events/s").within(least=least_rate / 1e6)
            yield Row(f"store: CPU added to an event, --store-sync {sync}", (used.cpu - memory.cpu) / count * 1e6,
                      "us").within(most=0.4)
        yield from large_store(setting, directory)
