"""What sse serve --store costs: CPU an event where writes are joined, events a second from standard input, the first
byte for clients that resume far back, and a restart with a large store.

The large store has 10 GB with --wide, or as many as SSE_BENCH_STORE_GB says; it is made below the directory for temporary
files, TMPDIR."""
import os
import socket
import tempfile
import time
from pathlib import Path

from bench.measure import SERVER, Row, least, run
from bench.peers import Piped

PAGE = 256 * 1024  # of events, that the store reads at once


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


def request(port, last_id):
    sock = socket.create_connection(("127.0.0.1", port))
    sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: %s\r\n\r\n" % last_id)
    return sock


def oldest_ids(port, places):
    """The IDs of so many events, a page or more from each other, from the first event on."""
    ids, data, next_at, at = [], b"", 0, 0
    with request(port, b"1-0") as sock:
        while len(ids) < places:
            data += sock.recv(1 << 20)
            begin = data.find(b"\nid: ", max(0, next_at - at))
            if begin >= 0 and (end := data.find(b"\n", begin + 1)) >= 0:
                ids.append(data[begin + 5:end])
                next_at = at + end + PAGE
            if len(data) > 2 * PAGE:
                at += len(data) - 4096  # no event is longer
                data = data[-4096:]
    return ids


def first_event(port, last_id):
    """Milliseconds from the request to the first byte of the first event after `last_id`."""
    start, data = time.perf_counter_ns(), b""
    with request(port, last_id) as sock:
        while b"data: 0" not in data:
            piece = sock.recv(65536)
            assert piece
            data += piece
    return (time.perf_counter_ns() - start) / 1e6


def leave_memory(store):
    """The kernel forgets the pages of its files, as after a restart of the machine."""
    for path in store.iterdir():
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def first_cold_event(port, last_id, store):
    leave_memory(store)
    return first_event(port, last_id)


def start_with(setting, store):
    """The server, and the seconds until it served."""
    leave_memory(store)
    began = time.perf_counter()
    server = Piped([setting.sse, "serve", "--listen", "127.0.0.1:0", "--publish", "--store", str(store)])
    return server, time.perf_counter() - began


def large_store(setting, directory):
    size = 0.02 if setting.short else float(os.environ.get("SSE_BENCH_STORE_GB", "10" if setting.wide else "1"))
    path, store = Path(directory, "lines"), Path(directory, "large")
    count = min(4_000_000, int(size * 4_000_000))
    lines(path, count)
    for _ in range(max(1, round(size * 1e9 / (count * 250)))):
        serve(setting, path, "--store", store, "--store-sync", "never")
    path.unlink()
    held = sum(p.stat().st_size for p in store.glob("*.events")) / 1e9
    server, started = start_with(setting, store)
    try:
        yield Row(f"store: start with {held:.1f} GB", started, "s").within(most=0.3)
        ids = oldest_ids(server.port, 3 if setting.short else 200)
    finally:
        server.close()
    server, _ = start_with(setting, store)
    try:
        # It waits for the rest of the start as well, in which the newest events are read.
        yield Row(f"store: first byte of a resume {held:.1f} GB back, at once after the start",
                  first_event(server.port, ids[0]), "ms").within(most=5)
        times = sorted(first_cold_event(server.port, last_id, store) for last_id in ids)
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
