"""Lines on stdin to one subscriber that drains them, and what a start costs."""
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from bench.measure import CLIENT, SERVER, Row, on, run
from bench.peers import Piped


def lines_a_second(setting, bytes_, count, reader_of):
    """Wall time from the first line written to the last one read; in a file beforehand, so that cat is
    all that writes it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "lines")
        with open(path, "wb") as out:
            for first in range(0, count, 10_000):
                out.write(b"".join(b"%0*d\n" % (bytes_, n) for n in range(first, min(first + 10_000, count))))
        with open(path, "rb") as lines:
            while lines.read(1 << 24):
                pass
        server = Piped([setting.sse, "serve", "--listen", "127.0.0.1:0"])
        reader = subprocess.Popen(on(CLIENT, *reader_of(server.port)), stdout=subprocess.DEVNULL)
        server.publish([b"0"])
        while not connected(server.port):
            time.sleep(0.01)
        start = time.monotonic()
        with open(path, "rb") as lines:
            subprocess.run(on(CLIENT, "cat"), stdin=lines, stdout=server.process.stdin, check=True)
        server.end()
        reader.wait()
        took = time.monotonic() - start
        server.process.wait()
        assert reader.returncode == 0
    return count / took


def connected(port):
    table = Path("/proc/net/tcp").read_text("ascii")
    return any(f":{port:04X} " in line and line.split()[3] == "01" for line in table.splitlines()[1:])


def start_seconds(command, count):
    took = []
    for _ in range(count):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        took.append(time.perf_counter() - began)
    return sorted(took)[len(took) // 2]


def rows(setting):
    for bytes_, count in ((20, 5_000_000), (200, 4_000_000), (20_000, 50_000)):
        if setting.short:
            count //= 1000
        def best(reader_of, bytes_=bytes_, count=count):
            rounds = 1 if setting.short else setting.rounds
            return max(lines_a_second(setting, bytes_, count, reader_of) for _ in range(rounds)) / 1e6

        row = Row(f"ingest: lines of {bytes_:,} bytes on stdin to one reader",
                  best(lambda port: [setting.tool("sse_bare_read"), str(port)]), "M lines/s", "read by curl",
                  best(lambda port: ["curl", "-sN", f"http://127.0.0.1:{port}/"]), more_is_better=True)
        yield row
        if bytes_ == 200:
            yield Row("ingest: lines of 200 bytes", row.ours, "M lines/s").within(least=2)
    count = 3 if setting.short else 100
    ours = start_seconds(on(CLIENT, setting.sse, "--version"), count)
    yield Row("start: sse --version", ours * 1e3, "ms", "curl --version",
              start_seconds(on(CLIENT, "curl", "--version"), count) * 1e3)
    yield Row("start: sse --version", ours * 1e3, "ms").within(most=10)
    with tempfile.TemporaryDirectory() as directory:
        stripped = Path(directory, "sse")
        subprocess.run(["strip", "-o", str(stripped), setting.sse], check=True)
        yield Row("size of the stripped binary", stripped.stat().st_size / 1024, "KiB")
