"""CPU of a server per delivery to many subscribers at once, how late the events come, and the
server's memory for each subscriber that is idle.

The load client is sse bench. Server and client have a processor each. 200-byte events are published one
at a time, on a clock that is slow enough for all to have had the one before, which the delays tell; then
in one burst, faster than they can be sent one by one. The CPU is the server's, user and system, from
/proc; connecting is counted for itself. Memory is what the server's processes have more than without
subscribers. The servers take turns for some rounds; figures and ratios are medians of these, with the
spread of the ratios. Where others used the server's processor, the row says that the machine was too busy."""
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace

from bench import peers
from bench.load import Load
from bench.measure import Row, cpu_seconds, memory_kib, others_seconds, settled

NAMES = {"bare": "bare send()", "lua": "nginx + Lua", "node": "node alone"}


@dataclass
class Figures:
    single: float   # us of CPU a delivery, one event at a time
    burst: float    # the same in a burst
    connect: float  # us of CPU for a client to connect and be answered
    memory: float   # KiB a subscriber
    p50: float      # ms from the publisher to the subscriber, one event at a time
    p99: float
    worst: float
    others: float   # the share of its processor that others used


APART = 25e-6  # seconds of a clock's period for each subscriber: several times what a delivery takes
TIMED = "^[0-9]+ at ([0-9]+) "


def numbered(first, count, timed):
    """Events of 200 bytes. `timed`: they say when they were made."""
    at = b"at %d " % (time.time_ns() // 1000) if timed else b""
    return [(b"%d " % n + at).ljust(200, b"x") for n in range(first, first + count)]


def measure(server, setting, clients, events, period, burst, stalled):
    """`period`: seconds between events while they come one at a time."""
    empty, before, others = memory_kib(server.pids), cpu_seconds(server.pids), others_seconds(server.pids)
    began = time.monotonic()
    load = Load(setting, server.port, clients, "--stalled", stalled, "--time-regex", TIMED)
    try:
        time.sleep(1)
        start = settled(server.pids)  # then all are connected
        memory = memory_kib(server.pids) - empty
        next_at = time.monotonic()
        for number in range(1, events + 1):
            server.publish(numbered(number, 1, True))
            next_at += period
            time.sleep(max(0.0, next_at - time.monotonic()))
        paced = settled(server.pids)
        server.publish(numbered(events + 1, burst, False))
        done = settled(server.pids)
        others = (others_seconds(server.pids) - others) / (time.monotonic() - began)
        server.end()
        read = load.report((clients - stalled) * (events + burst))
    finally:
        load.kill()
    delay = read["delivery"]
    return Figures(single=(paced - start) / (clients * events) * 1e6, burst=(done - paced) / (clients * burst) * 1e6,
                   connect=(start - before) / clients * 1e6, memory=memory / clients, p50=delay["p50"] * 1e3,
                   p99=delay["p99"] * 1e3, worst=delay["max"] * 1e3, others=others)


def one_at_a_time(name, setting, clients, events, periods, stalled, directory):
    """Figures of a server, measured again with twice the period in `periods` until an event has been delivered
    before the next one is published; the machine is too busy if five times are not enough. None if the server
    cannot be had here."""
    for _ in range(5):
        server = peers.start(name, setting, clients, directory)
        if server is None:
            return None
        try:
            figures = measure(server, setting, clients, events, periods[name], min(10 * events, 9000), stalled)
        finally:
            server.close()
        if figures.p99 < periods[name] * 1e3:
            return figures
        periods[name] *= 2
    return replace(figures, others=1.0)


def compare(setting, clients, names, rate=None, stalled=0):
    """{name: [Figures of each round]}; a server that cannot be had here is left out."""
    events = min(5000, max(20, (2_000 if setting.short else 300_000) // clients))
    periods = dict.fromkeys(names, 1 / rate if rate else max(0.001, APART * clients))
    found = {}
    for _ in range(1 if setting.short else setting.rounds):
        for name in names:
            with tempfile.TemporaryDirectory() as directory:
                figures = one_at_a_time(name, setting, clients, events, periods, stalled, directory)
            if figures:
                found.setdefault(name, []).append(figures)
    return found


def median(rounds, pick):
    return statistics.median(map(pick, rounds))


def disturbed(found, *names):
    return max(median(found[name], lambda f: f.others) for name in names)


def beside(found, what, unit, pick, ours="sse"):
    """One row for each of the others."""
    others = [name for name in found if name not in ("sse", "sse --io send")]
    mine = list(map(pick, found[ours]))
    if not others:
        yield None, Row.of_rounds(what, [(m, None) for m in mine], unit, others=disturbed(found, ours))
    for name in others:
        pairs = list(zip(mine, (max(pick(f), 1e-3) for f in found[name])))
        yield name, Row.of_rounds(what, pairs, unit, NAMES.get(name, name), disturbed(found, ours, name))


def rows(setting):
    names = ["bare", "bare io_uring", "sse", "sse --io send", "nchan"]
    if setting.wide:
        names += ["sse --publish", "lua", "node", "better-sse"]
    for clients in [20] if setting.short else [1, 100, 1000, 9000, 18000] if setting.wide else [1000, 9000]:
        found = compare(setting, clients, names)
        many = f"{clients:,} subscriber{'s' if clients > 1 else ''}"
        limits = {1000: {"sse": {"bare": 0.75, "bare io_uring": 1.1, "nchan": 0.5}, "sse --io send": {"bare": 1.05}},
                  9000: {"sse": {"bare": 0.75, "bare io_uring": 1.1, "nchan": 0.5},
                         "sse --io send": {"bare": 1.1}}}.get(clients, {})
        for ours, how in (("sse", ""), ("sse --io send", " with --io send,")):
            for name, row in beside(found, f"fan-out: CPU a delivery,{how} {many}, one event at a time", "us",
                                    lambda f: f.single, ours):
                limit = limits.get(ours, {}).get(name)
                if limit or ours == "sse":
                    yield row.within(most=limit) if limit else row
        sse = found["sse"]
        alone = [(1e6 / max(f.burst, 1e-3), None) for f in sse]
        ours = Row.of_rounds(f"fan-out: deliveries a second of CPU, {many}, in a burst", alone, "",
                             others=disturbed(found, "sse"))
        yield ours.within(least=1e6) if clients == 1000 else ours
        for _, row in beside(found, f"fan-out: CPU a delivery, {many}, in a burst", "us", lambda f: f.burst):
            yield row
        for _, row in beside(found, f"fan-out: from publisher to subscriber, p99, {many}", "ms", lambda f: f.p99):
            yield row
        yield Row(f"fan-out: the same, p50 (at most {max(f.worst for f in sse):.3g} ms)", median(sse, lambda f: f.p50),
                  "ms")
        if clients >= 9000:  # of fewer, a tick of the clock is too much
            for _, row in beside(found, f"fan-out: CPU to connect, {many}", "us", lambda f: f.connect):
                yield row
        if clients == 9000:
            yield Row.of_rounds(f"fan-out: the same, alone, {many}", [(f.connect, None) for f in sse], "us",
                                others=disturbed(found, "sse")).within(most=35)
        if clients >= 100:
            memory = Row(f"fan-out: memory of an idle one of {many}", median(sse, lambda f: f.memory), "KiB")
            yield memory.within(most=0.6) if clients == 9000 else memory
            for name, row in beside(found, memory.what, "KiB", lambda f: f.memory):
                if not name.startswith("bare"):
                    yield row
    if setting.wide:
        able = [name for name in names if not name.startswith("bare")]  # which ends when a client takes no more
        for what, servers, options in (("50 events a second", names, {"rate": 50.0}),
                                       ("1 of 100 stalled", able, {"stalled": 10})):
            for _, row in beside(compare(setting, 1000, servers, **options),
                                 f"fan-out: CPU a delivery, 1,000 subscribers, {what}", "us", lambda f: f.single):
                yield row
