"""CPU of a server per delivery to many subscribers at once, how late the events come, and the
server's memory for each subscriber that is idle.

Server and load client have a processor each. 200-byte events are published one at a time, each once
all have had the one before; then in one burst, faster than they can be sent one by one. The CPU is the server's, user and system, from /proc; connecting is counted
for itself. Memory is what the server's processes have more than without subscribers. The servers
take turns for some rounds; figures and ratios are medians of these, with the spread of the ratios. Where the
server had to wait for its processor, the row says that the machine was too busy."""
import json
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass

from bench import peers
from bench.measure import CLIENT, Row, cpu_seconds, memory_kib, on, settled, waited_seconds

NAMES = {"bare": "bare send()", "lua": "nginx + Lua", "node": "node alone"}


@dataclass
class Figures:
    single: float   # us of CPU a delivery, one event at a time
    burst: float    # the same in a burst
    connect: float  # us of CPU for a client to connect and be answered
    opening: float  # seconds until all were answered
    memory: float   # KiB a subscriber
    p50: float      # ms from the publisher to the subscriber, one event at a time
    p99: float
    worst: float
    waited: float   # of the CPU time, the share that the server waited for its processor


def numbered(first, count):
    return [(b"%d %d " % (n, time.monotonic_ns() // 1000)).ljust(200, b"x") for n in range(first, first + count)]


def measure(server, setting, clients, events, rate, burst, stalled):
    """`rate`: events a second while they come one at a time; None: as fast as all have had the last."""
    had, tell = os.pipe()
    empty, before, waited = memory_kib(server.pids), cpu_seconds(server.pids), waited_seconds(server.pids)
    load = subprocess.Popen(on(CLIENT, setting.tool("sse_readers"), str(server.port), str(clients),
                               f"stalled={stalled}", f"timed={events}", f"tell={tell}"), pass_fds=[tell],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    os.close(tell)
    time.sleep(1)
    start = settled(server.pids)  # then all are connected
    memory = memory_kib(server.pids) - empty
    next_at = time.monotonic()
    for number in range(1, events + 1):
        server.publish(numbered(number, 1))
        assert os.read(had, 1), "the load client has ended"
        if rate:
            next_at += 1 / rate
            time.sleep(max(0.0, next_at - time.monotonic()))
    os.close(had)
    paced = settled(server.pids)
    server.publish(numbered(events + 1, burst))
    done = settled(server.pids)
    waited = waited_seconds(server.pids) - waited
    server.end()
    try:
        read = json.loads(load.communicate(timeout=600)[0])
    finally:
        load.kill()
    assert read["events"] == (clients - stalled) * (events + burst), f"not all was delivered: {read}"
    return Figures(single=(paced - start) / (clients * events) * 1e6, burst=(done - paced) / (clients * burst) * 1e6,
                   connect=(start - before) / clients * 1e6, opening=read["open_seconds"], memory=memory / clients,
                   p50=read["p50_seconds"] * 1e3, p99=read["p99_seconds"] * 1e3, worst=read["latest_seconds"] * 1e3, waited=waited / max(done - before, 1e-3))


def compare(setting, clients, names, rate=None, stalled=0):
    """{name: [Figures of each round]}; a server that cannot be had here is left out."""
    events = min(5000, max(20, (2_000 if setting.short else 300_000) // clients))
    found = {}
    for _ in range(1 if setting.short else setting.rounds):
        for name in names:
            with tempfile.TemporaryDirectory() as directory:
                server = peers.start(name, setting, clients, directory)
                if server is None:
                    continue
                try:
                    figures = measure(server, setting, clients, events, rate, min(10 * events, 9000), stalled)
                finally:
                    server.close()
            found.setdefault(name, []).append(figures)
    return found


def median(rounds, pick):
    return statistics.median(map(pick, rounds))


def waited(found, *names):
    return max(median(found[name], lambda f: f.waited) for name in names)


def beside(found, what, unit, pick, ours="sse"):
    """One row for each of the others."""
    others = [name for name in found if name not in ("sse", "sse --io send")]
    mine = list(map(pick, found[ours]))
    if not others:
        yield None, Row.of_rounds(what, [(m, None) for m in mine], unit, waited=waited(found, ours))
    for name in others:
        pairs = list(zip(mine, (max(pick(f), 1e-3) for f in found[name])))
        yield name, Row.of_rounds(what, pairs, unit, NAMES.get(name, name), waited(found, ours, name))


def rows(setting):
    names = ["bare", "sse", "sse --io send", "nchan"]
    if setting.wide:
        names += ["sse --publish", "lua", "node", "better-sse"]
    for clients in [20] if setting.short else [1, 100, 1000, 9000, 18000] if setting.wide else [1000, 9000]:
        found = compare(setting, clients, names)
        many = f"{clients:,} subscriber{'s' if clients > 1 else ''}"
        limits = {1000: {"sse": {"bare": 0.75, "nchan": 0.5}, "sse --io send": {"bare": 1.05}},
                  9000: {"sse": {"bare": 0.75, "nchan": 0.5}, "sse --io send": {"bare": 1.1}}}.get(clients, {})
        for ours, how in (("sse", ""), ("sse --io send", " with --io send,")):
            for name, row in beside(found, f"fan-out: CPU a delivery,{how} {many}, one event at a time", "us",
                                    lambda f: f.single, ours):
                limit = limits.get(ours, {}).get(name)
                yield row.within(most=limit) if limit else row
        sse = found["sse"]
        alone = [(1e6 / max(f.burst, 1e-3), None) for f in sse]
        ours = Row.of_rounds(f"fan-out: deliveries a second of CPU, {many}, in a burst", alone, "",
                             waited=waited(found, "sse"))
        yield ours.within(least=1e6) if clients == 1000 else ours
        for _, row in beside(found, f"fan-out: CPU a delivery, {many}, in a burst", "us", lambda f: f.burst):
            yield row
        for _, row in beside(found, f"fan-out: from publisher to subscriber, p99, {many}", "ms", lambda f: f.p99):
            yield row
        yield Row(f"fan-out: the same, p50 (at most {max(f.worst for f in sse):.3g} ms)", median(sse, lambda f: f.p50),
                  "ms")
        for _, row in beside(found, f"fan-out: CPU to connect, {many}", "us", lambda f: f.connect):
            yield row
        yield Row(f"fan-out: connects a second, {many}", clients / max(median(sse, lambda f: f.opening), 1e-6), "")
        if clients >= 100:
            memory = Row(f"fan-out: memory of an idle one of {many}", median(sse, lambda f: f.memory), "KiB")
            yield memory.within(most=1) if clients == 9000 else memory
            for name, row in beside(found, memory.what, "KiB", lambda f: f.memory):
                if name != "bare":
                    yield row
    if setting.wide:
        able = [name for name in names if name != "bare"]  # which ends when a client takes no more
        for what, servers, options in (("50 events a second", names, {"rate": 50.0}),
                                       ("1 of 100 stalled", able, {"stalled": 10})):
            for _, row in beside(compare(setting, 1000, servers, **options),
                                 f"fan-out: CPU a delivery, 1,000 subscribers, {what}", "us", lambda f: f.single):
                yield row
