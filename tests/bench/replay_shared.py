"""CPU of a delivery by replay --shared beside that by serve, at the same load.

Server and load client have a processor each. 200-byte events, four a second, go to all clients once
they are connected; connecting is not counted. The two take turns for some rounds, and the least
disturbed counts."""
import json
import re
import subprocess
import tempfile
import time
from pathlib import Path

from bench.load import Load
from bench.measure import SERVER, Row, cpu_seconds, on

PACE = 0.25  # seconds between events


def line(number):
    return f"{number} {'x' * 180}"


def measure(setting, command, publish, clients, events, connecting):
    """CPU of one delivery, in us."""
    load = None
    server = subprocess.Popen(
        on(SERVER, setting.sse, *command, "--listen", "127.0.0.1:0", "--max-clients", str(clients + 10)),
        stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        while not (found := re.search(rb"serving http://127.0.0.1:(\d+)/", server.stderr.readline())):
            assert server.poll() is None  # notes may come before
        begun = time.monotonic()
        load = Load(setting, int(found[1]), clients)

        def until(seconds):
            time.sleep(max(0.0, begun + seconds - time.monotonic()))

        until(connecting * 0.9)
        before = cpu_seconds([server.pid])
        for number in range(events if publish else 0):
            until(connecting + number * PACE)
            server.stdin.write(line(number + 1).encode() + b"\n")
            server.stdin.flush()
        until(connecting + events * PACE + 1)
        used = cpu_seconds([server.pid]) - before
        server.stdin.close()  # the end of what is served
        load.report(events * clients)
        return used / (events * clients) * 1e6
    finally:
        if load:
            load.kill()
        server.terminate()
        server.wait()


def rows(setting):
    clients, events, connecting = (100, 3, 1.0) if setting.short else (10_000, 30, 8.0)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "shared.jsonl")
        lines = [{"sse": 1}, *({"t": connecting + n * PACE, "id": str(n + 1), "data": line(n + 1)}
                               for n in range(events))]
        path.write_text("".join(json.dumps(it) + "\n" for it in lines), "utf-8")
        rounds = [[measure(setting, command, command == ["serve"], clients, events, connecting)
                   for command in (["serve"], ["replay", "--shared", str(path)])]
                  for _ in range(1 if setting.short else setting.rounds)]
    pairs = [(replay, serve) for serve, replay in rounds]
    row = Row.of_rounds(f"replay --shared, {clients:,} clients: CPU a delivery", pairs, "us", "serve")
    yield row if setting.short else row.within(most=1.15)
    yield Row(f"serve, {clients:,} clients, four events a second: CPU a delivery", row.theirs, "us")
