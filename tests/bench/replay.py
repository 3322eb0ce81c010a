"""Replaying without waiting: events a second, and what it takes for a recording of 1 GB."""
import json
import tempfile
from pathlib import Path

from bench.measure import CLIENT, Row, least, run


def recording(path, events):
    head = {"sse": 1, "t": 0, "created": "2026-01-01T00:00:00Z"}
    with open(path, "w", encoding="utf-8") as out:
        out.write(json.dumps(head) + "\n")
        for n in range(events):
            out.write('{"t":%d.%06d,"id":"%d","data":"%s"}\n' % (n // 1000, n % 1000 * 1000, n, "x" * 150))
    return path.stat().st_size


def rows(setting):
    events = 5_000 if setting.short else 5_000_000
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "large.jsonl")
        size = recording(path, events)
        with open("/dev/null", "wb") as sink:
            used = least(1 if setting.short else setting.rounds,
                         lambda: run([setting.sse, "replay", "--no-wait", "--stdout", str(path)],
                                     processor=CLIENT, stdout=sink))
        yield Row("replay --no-wait --stdout: events a second", events / used.wall / 1e6, "M events/s").within(least=1)
        yield Row(f"replay --no-wait --stdout: memory, a recording of {size / 1e9:.2g} GB", used.rss_kib / 1024,
                  "MiB").within(most=32)
