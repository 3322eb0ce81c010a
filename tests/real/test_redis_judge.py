"""Several servers, one Redis with a replica and three sentinels, publishers that repeat what was not answered, and
clients that resume, through faults of every kind in turn: what was acknowledged is in Redis, each server has all that is
in Redis, and each client has all of it once and in order. There is one exception, which one kind of fault brings about:
events that only one server holds, which is stopped while a replica without them takes over. They are counted: what the
Redis server had that was killed, and its replica lacks. Nothing else is lost, none of them was acknowledged if a replica
had to, and a gap is reported to every client.

SSE_JUDGE_EVENTS, SSE_JUDGE_FAULTS and SSE_JUDGE_NODES make it as large as wanted: 100000, 100 and 3 take a few minutes."""
import contextlib
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass

import pytest
from support.deadline import HANG, poll
from support.npm import SDKS, install
from support.ports import free_port
from support.redis import Between, Redis, Watched
from support.store_nodes import entries, metric, order, post, published, ready, wait_ready
from support.wire import Cut

pytestmark = pytest.mark.release

EVENTS = int(os.environ.get("SSE_JUDGE_EVENTS", "600"))
FAULTS = int(os.environ.get("SSE_JUDGE_FAULTS", "8"))
NODES = int(os.environ.get("SSE_JUDGE_NODES", "2"))
SEED = int(os.environ.get("SSE_JUDGE_SEED", "14"))
AT_ONCE = 50  # the most events of one POST

CLIENT = """
    const {EventSource} = await import('eventsource');
    for (const url of process.argv.slice(2)) {
        const source = new EventSource(url);
        const take = event => console.log(JSON.stringify({url, event: event.type, id: event.lastEventId, data: event.data}));
        source.onmessage = take;
        source.addEventListener('gap', take);
        source.onopen = () => console.error('open ' + url);
        source.onerror = () => source.readyState === 2 && console.error('closed ' + url);
    }
"""


class Received:
    """What clients wrote to a file, a JSON object on each line, as far as it is complete."""

    def __init__(self, path):
        self._path, self._at, self._rest = path, 0, b""
        self.events = []
        path.touch()

    def read(self):
        with open(self._path, "rb") as file:
            file.seek(self._at)
            new = file.read()
        self._at += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        self.events += map(json.loads, lines)
        return self.events


class Nodes:
    """The servers, each with an address that stays and its own way to Redis, and clients of each: `sse tail --state` and
    one program with npm's eventsource."""

    def __init__(self, sse, wire, watched, ack, started, folder, count):
        self.sse, self.wire, self.watched, self.ack, self.folder = sse, wire, watched, ack, folder
        self.between = [started(Between(watched.master.port, watched.replica.port, sentinels=[s.port for s in watched.sentinels]))
                        for _ in range(count)]
        self.ports = [free_port() for _ in range(count)]
        self.servers = [self.start(i) for i in range(count)]
        for server in self.servers:
            wait_ready(wire, server)
        self.received = [Received(folder / f"tail-{i}") for i in range(count)]
        self.tails = [self.start_tail(i) for i in range(count)]
        (folder / "client.mjs").write_text(CLIENT, encoding="utf-8")
        with open(folder / "eventsource", "wb") as out:
            self.program = sse.start_program("node", folder / "client.mjs", *[s.url for s in self.servers], stdout=out)
        self.program_received = Received(folder / "eventsource")
        self.program.stderr.wait(f"{count} streams", lambda text: text.count(b"open ") >= count)

    def start(self, i):
        sentinels = ",".join(f"127.0.0.1:{self.between[i].to[s.port]}" for s in self.watched.sentinels)
        server = self.sse.serve("--publish", "--store", f"redis+sentinel://{sentinels}/{self.watched.NAME}", "--store-ack",
                                self.ack, "--listen", f"127.0.0.1:{self.ports[i]}", "--admin", "127.0.0.1:0", "--retry", "100ms", "--gap-event",
                                "gap", "--start", "all", "--history", "3000")
        server.admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
        return server

    def start_tail(self, i):
        with open(self.folder / f"tail-{i}", "ab") as out:
            tail = self.sse.start("tail", self.servers[i].url, "--state", self.folder / f"state-{i}", "-o", "json", "--retry",
                                  "100ms", "--retry-max", "200ms", "--retry-connect", "--reconnect", "-v", stdout=out)
        return tail

    def clients(self):
        """The events of each client."""
        program = self.program_received.read()
        return [r.read() for r in self.received] + [[e for e in program if e["url"] == s.url] for s in self.servers]

    def wait_all_ready(self):
        for server in self.servers:
            wait_ready(self.wire, server)


class Publishers:
    """One for each server. A POST that is not answered with 201 is repeated with its key, at the next server, until it is.
    Each waits while `allowed` events are acknowledged."""

    def __init__(self, nodes):
        self.nodes, self.allowed = nodes, 0
        self.acknowledged, self.ids, self.answers = [], [], Counter()  # data, ids, statuses
        self.refused = Counter()  # how often each key was
        self.wrong = []  # answers that do not have the ids of their events
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._publish, args=(i,), daemon=True) for i in range(len(nodes.servers))]
        self.stop = False
        for thread in self._threads:
            thread.start()

    def done(self):
        return len(self.acknowledged)

    def _publish(self, i):
        dice, number = random.Random(i), 0
        while not self.stop:
            if self.done() >= self.allowed:
                time.sleep(0.002)
                continue
            count = dice.randint(1, AT_ONCE)
            batch = [f"from {i} {number + k} {'x' * dice.randint(0, 200)}" for k in range(count)]
            number += count
            self.store(i, batch, f"{i}-{number}")

    def store(self, i, batch, key):
        body, at = "".join(f"data: {text}\n\n" for text in batch), i
        while True:
            try:
                answer = post(self.nodes.wire, self.nodes.servers[at], body, content_type="text/event-stream", key=key)
            except (OSError, Cut, EOFError, TimeoutError):
                answer = None
            with self._lock:
                self.answers["none" if answer is None else answer.status] += 1
                self.answers["repeated"] += answer is not None and answer.header("sse-duplicate") == "true"
                if answer is not None and answer.status == 201:
                    ids = published(answer)
                    if len(ids) != len(batch):
                        self.wrong.append((key, ids))
                    self.acknowledged += batch
                    self.ids += ids
                    return
                self.refused[key] += answer is not None
            at = (at + 1) % len(self.nodes.servers)
            time.sleep(0.01)

    def progress(self):
        """Waits for some more events, if there are any soon: all publishers may wait for a server that is stopped."""
        target, until = min(self.done() + 20, self.allowed), time.monotonic() + 2
        while self.done() < target and time.monotonic() < until:
            time.sleep(0.005)

    def finish(self):
        self.stop = True
        for thread in self._threads:
            thread.join(HANG)
            assert not thread.is_alive()


class Faults:
    """Each returns when its cause is gone; what follows of it may go on."""

    def __init__(self, nodes, publishers, dice):
        self.nodes, self.publishers, self.dice = nodes, publishers, dice
        self.watched, self.wire = nodes.watched, nodes.wire
        self.counts = Counter()
        self.losses = []

    @property
    def redis(self):
        return self.watched.master

    def any(self):
        return self.dice.randrange(len(self.nodes.servers))

    def server_is_killed(self):
        i = self.any()
        self.nodes.servers[i].end_hard()
        self.publishers.progress()
        self.nodes.servers[i] = self.nodes.start(i)

    def redis_is_killed(self):
        self.redis.kill()
        self.redis.start()

    def connections_are_reset(self):
        self.nodes.between[self.any()].reset()

    def nothing_gets_through(self):
        i = self.any()
        self.nodes.between[i].hold()
        wait_ready(self.wire, self.nodes.servers[i], 503)
        self.nodes.between[i].release()

    def subscribers_are_closed(self):
        self.redis("CLIENT", "KILL", "TYPE", "pubsub")

    def a_slow_server_is_disconnected(self):
        """Redis closes its connection for messages, because too many wait for it."""
        i, log = self.any(), self.redis.folder / "log"

        def disconnected():
            return log.read_bytes().count(b"overcoming of output buffer limits")
        self.nodes.wait_all_ready()
        self.redis("CONFIG", "SET", "client-output-buffer-limit", "pubsub 50000 0 0")
        before = disconnected()
        self.nodes.between[i].hold()
        other, number = (i + 1) % len(self.nodes.servers), 0
        while disconnected() == before and number < 500:  # it may have lost that connection just before
            number += 1
            self.publishers.store(other, [f"large {self.counts.total()} {number} {'x' * 60_000}"],
                                  f"large {self.counts.total()} {number}")
        self.redis("CONFIG", "SET", "client-output-buffer-limit", "pubsub 0 0 0")
        self.nodes.between[i].release()

    def server_is_stopped(self):
        server = self.nodes.servers[self.any()]
        server.signal(signal.SIGSTOP)
        self.publishers.progress()
        server.signal(signal.SIGCONT)

    def redis_is_stopped(self):
        self.redis.signal(signal.SIGSTOP)
        wait_ready(self.wire, self.nodes.servers[0], 503)
        self.redis.signal(signal.SIGCONT)

    def scripts_are_forgotten(self):
        self.redis("SCRIPT", "FLUSH")

    def redis_is_full(self):
        self.redis("CONFIG", "SET", "maxmemory", "1")
        poll("a server that says so", lambda: any("OOM" in ready(self.wire, s)[1] for s in self.nodes.servers))
        self.redis("CONFIG", "SET", "maxmemory", "0")

    def redis_loses_its_newest_events(self):
        self.nodes.wait_all_ready()  # a server that holds them must live
        log = max(self.redis.folder.glob("appendonlydir/*.incr.aof"), key=lambda path: path.stat().st_mtime_ns)
        size = log.stat().st_size
        self.publishers.progress()
        self.redis.kill()
        os.truncate(log, size)
        self.redis.start()

    def without_a_replica(self, i):
        """The replica falls behind, and then an event is published that server `i` has received. Returns what publishes it."""
        self.watched.leave_behind()
        text = f"late {self.counts.total()} 0"
        late = threading.Thread(target=self.publishers.store, args=(i, [text], text), daemon=True)
        late.start()
        poll("an event", lambda: any(e["data"] == text for e in self.nodes.received[i].read()))
        # It is acknowledged; or not, and then not when it is repeated either.
        poll("answers", lambda: not late.is_alive() or self.publishers.refused[text] > 1)
        return late

    def another_redis_takes_over(self):
        """It lacks the newest events, which the servers put back."""
        self.nodes.wait_all_ready()
        late = self.without_a_replica(self.any())
        self.watched.fail_over()
        self.watched.mend()
        late.join(HANG)

    def another_redis_takes_over_while_a_server_is_stopped(self):
        """It lacks the newest events, which only that server holds, and gets others before that one goes on."""
        self.nodes.wait_all_ready()
        i = self.any()
        others = [k for k in range(len(self.nodes.servers)) if k != i]
        server, gaps = self.nodes.servers[i], "sse_store_gaps_total"
        for k in others:
            self.nodes.servers[k].end_hard()
        late = self.without_a_replica(i)
        before = metric(self.wire, server, gaps)
        server.signal(signal.SIGSTOP)
        self.watched.fail_over()
        with contextlib.closing(Redis(stored=self.watched.replica)) as killed:
            kept = entries(self.redis)
            self.losses.append(Loss(kept[-1], set(entries(killed)) - set(kept)))
        self.watched.mend()
        for k in others:
            self.nodes.servers[k] = self.nodes.start(k)
        text = f"meanwhile {self.counts.total()} 0"
        self.publishers.store(others[0], [text], text)
        server.signal(signal.SIGCONT)
        poll("the gap", lambda: metric(self.wire, server, gaps) > before)
        late.join(HANG)

    def a_client_goes_on_later(self):
        i = self.any()
        tail = self.nodes.tails[i]
        tail.signal(signal.SIGTERM)
        assert tail.wait() == 143
        self.nodes.tails[i] = self.nodes.start_tail(i)

    QUICK = (server_is_killed, connections_are_reset, subscribers_are_closed, server_is_stopped, scripts_are_forgotten,
             redis_is_killed, a_client_goes_on_later)
    TAKEN_OVER = (another_redis_takes_over, another_redis_takes_over_while_a_server_is_stopped)
    LONG = (*TAKEN_OVER, nothing_gets_through, redis_is_stopped, redis_is_full, a_slow_server_is_disconnected,
            redis_loses_its_newest_events)  # they take seconds

    def draw(self, count):
        """Three quick ones to one of the long ones, and all kinds equally often."""
        kinds, quick, long = [], [], list(self.TAKEN_OVER)
        while len(kinds) < count:
            quick = quick or self.dice.sample(self.QUICK, len(self.QUICK))
            long = long or self.dice.sample(self.LONG, len(self.LONG))
            kinds.append(long.pop() if len(kinds) % 4 == 3 else quick.pop())
        return kinds

    def run(self, kind):
        kind(self)
        self.counts[kind.__name__] += 1


@dataclass
class Loss:
    """Events of Redis that no server puts back."""
    last: str  # the last event before them, which is not lost
    ids: set


def number(data):
    """What distinguishes an event from all others: its data without the filling."""
    return " ".join(data.split()[:3])


def check_client(events, stored, losses):
    """It has everything that is stored, once and in order, and each time that events are lost, a gap. Returns what it got
    that is not stored any more."""
    places = {id: n for n, id in enumerate(stored)}
    due, gone, untold = 0, [], list(losses)
    for event in events:
        if event["event"] == "gap":
            untold = [loss for loss in untold if places[loss.last] >= due]
            continue
        id = event["id"]
        loss = next((loss for loss in untold if id in loss.ids), None)
        assert loss or id in places, (event, "is not stored")
        place = places[loss.last] + 1 if loss else places[id]
        assert place >= due and (not loss or not gone or order(id) > order(gone[-1])), (event, "again, or out of order")
        assert place == due, (event, f"{place - due} events before it are missing")
        gone += [id] if loss else []
        due += not loss
    assert due == len(stored), "the last event is missing"
    assert untold == [], "nothing was said of a loss"
    return gone


@pytest.mark.parametrize("ack", ["local", "replica"])
def test_nothing_is_lost_and_nothing_comes_twice(sse, wire, started, tmp_path_factory, ack):
    began = time.monotonic()
    watched = started(Watched("--maxmemory-policy", "noeviction"))
    nodes = Nodes(sse, wire, watched, ack, started, install(tmp_path_factory.mktemp("judge"), *SDKS), NODES)
    publishers = Publishers(nodes)
    faults = Faults(nodes, publishers, random.Random(SEED))
    try:
        for i, kind in enumerate(faults.draw(FAULTS)):
            publishers.allowed = EVENTS * (i + 1) // (FAULTS + 1)
            poll("events", lambda: publishers.done() >= publishers.allowed)
            publishers.allowed = EVENTS * (i + 2) // (FAULTS + 1)
            faults.run(kind)
        publishers.allowed = EVENTS
        poll("events", lambda: publishers.done() >= EVENTS)
    finally:
        publishers.finish()
    print(f"\n{publishers.done()} events, {sum(faults.counts.values())} faults, {time.monotonic() - began:.0f} s")
    nodes.wait_all_ready()
    for i in range(NODES):  # each has put back what Redis lacked before it publishes
        publishers.store(i, [f"last {i} 0"], f"last {i} 0")
    assert publishers.wrong == []
    stored = entries(watched.master)
    assert stored == sorted(set(stored), key=order)
    poll("the clients", lambda: all(c and c[-1]["id"] == stored[-1] for c in nodes.clients()), every=0.1)
    lost = set().union(*(loss.ids for loss in faults.losses))
    assert all(loss.ids for loss in faults.losses) and lost.isdisjoint(stored)
    of = {id: number(data) for id, data in zip(publishers.ids, publishers.acknowledged)}
    assert len(of) == len(set(of.values())) == len(publishers.acknowledged)
    for i, server in enumerate(nodes.servers):
        held = Received(nodes.folder / f"held-{i}")
        with open(nodes.folder / f"held-{i}", "wb") as out:
            sse.start("tail", server.url, "--last-event-id", "1-0", "-o", "json", stdout=out)
        poll(f"all of {len(stored)} events", lambda: held.read()[-1:] and held.events[-1]["id"] == stored[-1], every=0.1)
        events = [e for e in held.events if e["event"] != "gap"]  # there is one before the first: that id is unknown
        assert [e["id"] for e in events] == stored
        numbers = [number(e["data"]) for e in events]
        assert len(set(numbers)) == len(numbers), "stored twice"
        assert set(numbers) <= set(of.values()), "never acknowledged"
    # What Redis lost before any server received it is stored anew, with other ids.
    not_stored = of.keys() - set(stored)
    all_stored = set(numbers)
    anew = {id for id in not_stored if of[id] in all_stored}
    of_lost = not_stored - anew
    assert of_lost <= lost, "lost, and not as it may be"
    assert bool(of_lost) == (ack == "local" and bool(lost))
    assert anew <= lost or faults.counts["redis_loses_its_newest_events"] or faults.counts["another_redis_takes_over"]
    gone = [check_client(events, stored, faults.losses) for events in nodes.clients()]
    assert anew.isdisjoint(set().union(*gone)), "received twice, with two ids"
    gaps = [sum(e["event"] == "gap" for e in events) for events in nodes.clients()]
    print(f"\n{len(stored)} events, {sum(faults.counts.values())} faults, {NODES} servers, {len(gone)} clients, "
          f"{time.monotonic() - began:.0f} s; {len(lost)} lost in {len(faults.losses)} losses, {len(of_lost)} of them "
          f"acknowledged; not stored any more {[len(ids) for ids in gone]}, gaps {gaps}; {len(anew)} stored "
          f"anew; answers {dict(publishers.answers)}; {dict(faults.counts)}; put back "
          f"{[metric(wire, s, 'sse_store_put_back_total') for s in nodes.servers]}")
    assert lost or sum(gaps) == 0


GAP, STORED, LOSS = "gap", ["1-0", "2-0", "5-0", "6-0"], Loss("2-0", {"3-0", "4-0"})


@pytest.mark.parametrize("received, answer", [
    (["1-0", "2-0", GAP, "5-0", "6-0"], []),
    (["1-0", "2-0", "3-0", GAP, "5-0", "6-0"], ["3-0"]),
    (["1-0", "2-0", "3-0", "4-0", GAP, "5-0", "6-0"], ["3-0", "4-0"]),
    (["1-0", "2-0", "3-0", GAP, "6-0"], "1 events before it are missing"),
    (["1-0", "2-0", GAP, "6-0"], "1 events before it are missing"),
    (["1-0", "2-0", "5-0", "6-0"], "nothing was said of a loss"),
    (["1-0", GAP, "2-0", "5-0", "6-0"], "nothing was said of a loss"),
    (["1-0", "2-0", GAP], "the last event is missing"),
    (["1-0", GAP, "5-0", "6-0"], "1 events before it are missing"),
    (["1-0", "3-0", GAP, "5-0", "6-0"], "1 events before it are missing"),
    (["1-0", "2-0", "3-0", "5-0", "6-0"], "nothing was said of a loss"),
    (["1-0", "2-0", "3-0", "3-0", GAP, "5-0", "6-0"], "again, or out of order"),
    (["1-0", "2-0", "4-0", "3-0", GAP, "5-0", "6-0"], "again, or out of order"),
    (["1-0", "2-0", "2-0", GAP, "5-0", "6-0"], "again, or out of order"),
    (["2-0", "1-0", GAP, "5-0", "6-0"], "1 events before it are missing"),
    (["1-0", "2-0", "7-0", GAP, "5-0", "6-0"], "is not stored"),
    (["1-0", "2-0", GAP, "5-0", "3-0", "6-0"], "is not stored"),
])
def test_what_the_judge_says_of_a_client(received, answer):
    events = [{"event": each, "id": ""} if each == GAP else {"event": "message", "id": each} for each in received]
    if isinstance(answer, list):
        assert check_client(events, STORED, [LOSS]) == answer
        return
    with pytest.raises(AssertionError, match=answer):
        check_client(events, STORED, [LOSS])
