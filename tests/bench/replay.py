"""How late replayed events are, at two speeds, for one client and for many whose clocks differ; events
a second without waiting, and the memory that a recording of 1 GB takes.

The recording has 20 events a second at uneven times. What is told is the whole way: the server's
lateness, loopback, and the client's waking. How late this machine wakes a process that sleeps stands
beside it."""
import json
import random
import subprocess
import tempfile
import time
from pathlib import Path

from bench.measure import CLIENT, SERVER, Row, least, on, run
from bench.peers import Piped


def uneven(path, seconds):
    dice, t = random.Random(1), 0.0
    with open(path, "w", encoding="utf-8") as out:
        out.write('{"sse":1,"started":"2026-11-22T05:00:00.123Z","tool":"bench"}\n')
        while t < seconds:
            us = round(t * 1e6)
            out.write(f'{{"t":{us // 1000000}.{us % 1000000:06},"data":"{us}"}}\n')
            t += dice.uniform(0.01, 0.09)


def large(path, events):
    with open(path, "w", encoding="utf-8") as out:
        out.write('{"sse":1,"started":"2026-11-22T05:00:00.123Z","tool":"bench"}\n')
        for n in range(events):
            out.write('{"t":%d.%06d,"id":"%d","data":"%s"}\n' % (n // 1000, n % 1000 * 1000, n, "x" * 150))
    return path.stat().st_size


def waking(seconds):
    """Milliseconds that a process which sleeps is woken late here: p50, p99, the worst."""
    late, due = [], time.monotonic()
    end = due + seconds
    while due < end:
        due += 0.005
        time.sleep(max(0.0, due - time.monotonic()))
        late.append((time.monotonic() - due) * 1e3)
    late.sort()
    return {"p50": late[len(late) // 2], "p99": late[len(late) * 99 // 100], "max": late[-1]}


def lateness(setting, path, speed, clients):
    """In milliseconds."""
    server = Piped([setting.sse, "replay", "--listen", "127.0.0.1:0", "--speed", str(speed), str(path)])
    try:
        out = subprocess.run(on(CLIENT, setting.tool("sse_replay_timing"), str(server.port), str(clients), str(speed)),
                             capture_output=True, text=True, check=True).stdout
    finally:
        server.close()
    return {name: us / 1e3 for name, us in json.loads(out).items() if name != "events"}


def rows(setting):
    seconds = 1 if setting.short else 20
    with tempfile.TemporaryDirectory() as directory:
        woken = waking(0.2 if setting.short else 2)
        for speed in (1, 10):
            path = Path(directory, f"{speed}.jsonl")
            uneven(path, seconds * speed)
            for clients in (1, 100):
                late = lateness(setting, path, speed, clients)
                for share in ("p50", "p99", "max"):
                    what = f"replay: timing error at speed {speed}, {clients} client{'s' * (clients > 1)}, {share}"
                    yield Row(what, late[share], "ms", "a sleep here", woken[share])
                if speed == 1:
                    yield Row(f"replay: timing error at speed 1, {clients} client{'s' * (clients > 1)}, p99",
                              late["p99"], "ms").within(most=2)
        events = 5_000 if setting.short else 5_000_000
        path = Path(directory, "large.jsonl")
        size = large(path, events)
        with open("/dev/null", "wb") as sink:
            used = least(1 if setting.short else setting.rounds,
                         lambda: run([setting.sse, "replay", "--no-wait", "--stdout", str(path)],
                                     processor=SERVER, stdout=sink))
        yield Row("replay --no-wait --stdout: events a second", events / used.wall / 1e6, "M events/s").within(least=1)
        yield Row(f"replay --no-wait --stdout: memory, a recording of {size / 1e9:.2g} GB", used.rss_kib / 1024,
                  "MiB").within(most=32)
