"""sse serve --store redis://: several servers and one Redis, all real, and what happens to either.

The judge is always the same: what Redis holds is what was acknowledged, perhaps more; every client has all of it once,
in order, or was told of a gap."""
import os
import random
import re
import signal
import threading
import time
from pathlib import Path

import pytest
from support.certificates import Authority
from support.clock import set_clock
from support.deadline import poll
from support.ports import free_port
from support.redis import Between, Redis, Sentinel, is_master, leave_behind
from support.store_nodes import data, entries, metric, order, post, published, ready, wait_ready
from support.wire import Cut

pytestmark = pytest.mark.release

FAULTS = int(os.environ.get("SSE_REDIS_FAULTS", "6"))  # 100 is for a night
EVENTS = int(os.environ.get("SSE_REDIS_EVENTS", "300"))  # and 100,000


@pytest.fixture
def node(store_node):
    return store_node


def judge(seen, acknowledged, stored):
    """`seen`: ids as clients received them, a list for each client."""
    assert stored == sorted(set(stored), key=order)
    assert set(acknowledged) <= set(stored)
    for ids in seen:
        assert ids == stored[:len(ids)]


def stored_ids(wire, node, url, count, path=""):
    """What a server that has seen nothing reads of it all."""
    reader = node(url, "--start", "all", "--history", "10", *(["--channels"] if path else []))
    return [e.id for e in wire.get(reader.url + path).events(count)]


# ---- several servers ----
def test_any_server_takes_and_serves_any_event(node, wire, redis):
    a, b = node(redis.url), node(redis.url)
    reader = wire.get(b.url)
    ids = [published(post(wire, (a, b)[i % 2], str(i)))[0] for i in range(6)]
    assert ids == sorted(ids, key=order)
    assert [(e.data, e.id) for e in reader.events(6)] == [(str(i), ids[i]) for i in range(6)]
    for server in (a, b, node(redis.url)):
        resumed = wire.get(server.url, headers={"Last-Event-ID": ids[2]})
        assert resumed.header("sse-gap") is None
        assert data(resumed.events(3)) == ["3", "4", "5"]
    assert metric(wire, a, "sse_store_up") == 1 and metric(wire, a, "sse_store_appends_total") == 3


def test_standard_input_reaches_the_clients_of_another_server(node, wire, redis):
    b = node(redis.url)
    reader = wire.get(b.url)
    node(redis.url, "-", "--on-eof", "hold", input="".join(f"{i}\n" for i in range(2_000)).encode())
    assert data(reader.events(2_000)) == [str(i) for i in range(2_000)]


def test_the_totals_include_what_is_stored_last(sse, redis):
    done = sse.run("serve", "--listen", "127.0.0.1:0", "--store", redis.url, "--wait-clients", "0",
                   input="".join(f"{i}\n" for i in range(5_000)).encode())
    assert done.status == 0 and "sse: served 5000 events to 0 connections" in done.err
    assert len(entries(redis)) == 5_000


def test_events_of_the_input_that_redis_did_not_take_are_reported(node, wire, redis):
    a = node(redis.url, "-", "--store-timeout", "200ms")
    redis.signal(signal.SIGSTOP)
    a.write("1\n2\n")
    poll("the events", lambda: metric(wire, a, "sse_store_queued_bytes") > 0)
    a.signal(signal.SIGTERM)
    a.stderr.wait_for("warning: (1 event|2 events) of the input (was|were) not stored, because Redis did not accept (it|them)")
    assert a.wait() == 0


def test_clients_resume_far_beyond_the_history(node, wire, redis):
    count = 1_500
    a = node(redis.url, "-", "--on-eof", "hold", "--history", "200",
             input="".join(f"{i:08}{'x' * 300}\n" for i in range(count)).encode())
    poll("the events", lambda: metric(wire, a, "sse_events_total") == count)
    b = node(redis.url, "--history", "10", "--start", "all")
    events = wire.get(b.url).events(count)
    assert [e.data[:8] for e in events] == [f"{i:08}" for i in range(count)]
    for server in (b, node(redis.url, "--history", "10")):
        clients = [(at, wire.get(server.url, headers={"Last-Event-ID": events[at].id})) for at in range(7, count, 298)]
        for at, client in clients:
            assert [e.data[:8] for e in client.events(count - 1 - at)] == [f"{i:08}" for i in range(at + 1, count)]
            assert client.header("sse-gap") is None and not any("gap" in c for c in client.stream.comments)


def test_ids_that_came_with_events_are_found_by_any_server(node, wire, redis):
    a = node(redis.url)
    text = "".join(f"id: x{i}\ndata: {i}\n\n" for i in range(50))
    assert published(post(wire, a, text, content_type="text/event-stream")) == [f"x{i}" for i in range(50)]
    b = node(redis.url, "--history", "10")
    assert data(wire.get(b.url, headers={"Last-Event-ID": "x20"}).events(29)) == [str(i) for i in range(21, 50)]


@pytest.mark.parametrize("last, first", [("1-0", "0"), ("99999999999999-0", "new"), ("unknown", "0")],
                         ids=["older than the oldest", "lost by Redis", "unknown"])
def test_an_id_that_redis_does_not_hold_is_a_gap(node, wire, redis, last, first):
    a = node(redis.url)
    reader = wire.get(a.url)
    for i in range(3):
        post(wire, a, str(i))
    assert data(reader.events(3)) == ["0", "1", "2"]  # so that "2" is not a new event to the next client
    client = wire.get(a.url, headers={"Last-Event-ID": last})
    while not any("gap" in c for c in client.stream.comments):  # the first comment may come with the head
        client.comment()
    post(wire, a, "new")
    assert client.events(1)[0].data == first


def test_an_id_whose_event_redis_has_lost_is_a_gap(node, wire, redis):
    """As of a POST that was answered, where no server had the event before Redis lost it, and it was stored anew."""
    a = node(redis.url)
    ids = [published(post(wire, a, str(i)))[0] for i in range(3)]
    redis("XDEL", next(k for k in redis("KEYS", "sse:*:s")), ids[1])
    b = node(redis.url, "--history", "1")
    client = wire.get(b.url, headers={"Last-Event-ID": ids[1]})
    assert data(client.events(1)) == ["2"] and any("gap" in c for c in client.stream.comments)


def test_a_key_makes_a_second_try_safe_on_any_server(node, wire, redis):
    a, b = node(redis.url), node(redis.url)
    events = "data: 1\n\nid: own\ndata: 2\n\n: comment\n\n"
    first = post(wire, a, events, content_type="text/event-stream", key="k")
    a.end_hard()
    again = post(wire, b, events, content_type="text/event-stream", key="k")
    assert published(again) == published(first) and len(published(first)) == 2
    assert (first.header("sse-duplicate"), again.header("sse-duplicate")) == (None, "true")
    post(wire, b, "3", key="other")
    assert data(wire.get(b.url).events(3)) == ["1", "2", "3"]
    assert metric(wire, b, "sse_store_duplicates_total") == 1


def test_channels_and_prefixes_are_kept_apart(node, wire, redis):
    a = node(redis.url, "--channels")
    ids = {name: published(post(wire, a, name, path=name))[0] for name in ("a", "b")}
    post(wire, a, "a2", path="a")
    b = node(redis.url, "--channels")
    assert data(wire.get(b.url + "a", headers={"Last-Event-ID": ids["a"]}).events(1)) == ["a2"]
    assert data(wire.get(b.url + "b").events(1)) == ["b"]
    other = node(redis.url + "/0?prefix=other", "--channels")
    post(wire, other, "c", path="a")
    assert data(wire.get(other.url + "a").events(1)) == ["c"]


def test_old_events_are_removed(node, wire, redis):
    a = node(redis.url, "--retain", "100", "--start", "all")
    for i in range(40):
        post(wire, a, "".join(f"data: {i * 5 + k}\n\n" for k in range(5)), content_type="text/event-stream")
    first = poll("the oldest to go", lambda: (lambda n: n if n <= 21 else 0)(redis("XLEN", next(
        k for k in redis("KEYS", "sse:*:s")))))
    assert first in (20, 21)  # entries of five events
    b = node(redis.url, "--start", "all", "--history", "10")
    assert data(wire.get(b.url).events(100)) == [str(i) for i in range(100, 200)]
    gap = wire.get(b.url, headers={"Last-Event-ID": "1-0"})
    assert data(gap.events(1)) == ["100"] and any("gap" in c for c in gap.stream.comments)


# ---- faults ----
class Load:
    """Publishes to servers and reads from each, through whatever happens to them."""

    def __init__(self, wire, servers, count):
        self.wire, self.servers, self.count = wire, servers, count
        self.acknowledged, self.refused, self.stop = [], 0, False
        self.clients = [[] for _ in servers]
        self.bodies = [[] for _ in servers]  # of their events: each POST has its own
        self.gaps = [0 for _ in servers]
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._publish, args=(i,), daemon=True) for i in range(len(servers))]
        self._readers = [threading.Thread(target=self._read, args=(i,), daemon=True) for i in range(len(servers))]
        for thread in self._threads + self._readers:
            thread.start()

    def done(self):
        return len(self.acknowledged)

    def _publish(self, i):
        number = 0
        while not self.stop and self.done() < self.count:
            number += 1
            try:
                answer = post(self.wire, self.servers[i], f"{i} {number} {'x' * 40}")
            except (OSError, Cut, EOFError):
                time.sleep(0.01)  # until it is there again
                continue
            with self._lock:
                if answer.status == 201:
                    self.acknowledged += answer.body.decode().split()
                else:
                    self.refused += 1
            if answer.status != 201:
                time.sleep(0.02)

    def _read(self, i):
        """A client that reconnects and resumes."""
        seen = self.clients[i]
        while not self.stop:
            taken = 0
            try:
                headers = {"Last-Event-ID": seen[-1]} if seen else {}
                client = self.wire.get(self.servers[i].url, headers=headers)
                while not self.stop:
                    events = client.events(taken + 1)[taken:]
                    taken += len(events)
                    self.bodies[i] += data(events)
                    seen += [e.id for e in events]
            except (OSError, Cut, EOFError, TimeoutError, ValueError):
                pass
            finally:
                self.gaps[i] += sum("gap" in c or "missed" in c for c in client.stream.comments) if seen else 0

    def finish(self, redis):
        """Waits until every client has what is stored; returns that."""
        for thread in self._threads:
            thread.join()
        stored = entries(redis)
        poll("the clients", lambda: all(len(seen) >= len(stored) for seen in self.clients), every=0.1)
        self.stop = True
        return stored


def survive(wire, load, redis, faults, fault):
    """Does `fault(i)` `faults` times while `load` goes on, then judges."""
    for i in range(faults):
        target = load.count * (i + 1) // (faults + 1)
        poll("events", lambda: load.done() >= min(target, load.count))
        fault(i)
    judge(load.clients, load.acknowledged, load.finish(redis))
    assert not any(load.gaps), load.gaps
    for bodies in load.bodies:
        assert len(set(bodies)) == len(bodies)


def test_redis_is_killed_under_load(node, wire, redis):
    servers = [node(redis.url) for _ in range(2)]

    def fault(_):
        redis.kill()
        redis.start()
    survive(wire, Load(wire, servers, EVENTS), redis, FAULTS // 2, fault)


def test_servers_are_killed_under_load(node, wire, redis):
    servers = [node(redis.url) for _ in range(2)]
    dice = random.Random(14)

    def fault(_):
        i = dice.randrange(2)
        servers[i].end_hard()
        servers[i] = node(redis.url, ready=False)
    survive(wire, Load(wire, servers, EVENTS), redis, FAULTS // 2, fault)


def test_connections_are_held_and_reset_under_load(node, wire, redis, started):
    between = [started(Between(redis.port)) for _ in range(2)]
    servers = [node(f"redis://127.0.0.1:{b.port}") for b in between]
    dice = random.Random(41)
    load = Load(wire, servers, EVENTS)

    def fault(i):
        hit = dice.randrange(2)
        if i % 3 == 0:
            between[hit].hold()
            wait_ready(wire, servers[hit], 503)
            refused = post(wire, servers[hit], "x")
            assert refused.status == 503 and refused.header("retry-after")
            assert wire.get(servers[hit].admin + "healthz").status == 200
            between[hit].release()
            wait_ready(wire, servers[hit])
        else:
            between[hit].reset()
    survive(wire, load, redis, FAULTS, fault)


def test_an_input_goes_on_where_it_was(node, wire, redis, started):
    """What is read from standard input waits while Redis cannot be reached, and arrives once and in order."""
    between = started(Between(redis.port))
    count, done = EVENTS * 4, 0
    a, b = node(f"redis://127.0.0.1:{between.port}", "-", "--on-eof", "hold"), node(redis.url)
    reader = wire.get(b.url)
    for i in range(FAULTS // 2):
        part = count * (i + 1) // (FAULTS // 2)
        a.write("".join(f"{n}\n" for n in range(done, part)))
        if i % 2:
            redis.kill()
            redis.start()
        else:
            between.reset()
        assert data(reader.events(part)) == [str(n) for n in range(part)]
        done = part


def test_scripts_are_forgotten(node, wire, redis):
    a = node(redis.url)
    reader = wire.get(a.url)
    for i in range(5):
        redis("SCRIPT", "FLUSH")
        published(post(wire, a, str(i)))
    assert data(reader.events(5)) == [str(i) for i in range(5)]


def test_a_full_redis_answers_503_and_recovers(node, wire, redis):
    a = node(redis.url)
    reader = wire.get(a.url)
    published(post(wire, a, "before"))
    redis("CONFIG", "SET", "maxmemory-policy", "noeviction")
    redis("CONFIG", "SET", "maxmemory", "1")
    refused = post(wire, a, "refused")
    assert refused.status == 503 and refused.header("retry-after")
    wait_ready(wire, a, 503)
    assert "OOM" in ready(wire, a)[1] and metric(wire, a, "sse_store_up") == 0
    redis("CONFIG", "SET", "maxmemory", "0")
    wait_ready(wire, a)
    published(post(wire, a, "after"))
    assert data(reader.events(2)) == ["before", "after"]
    a.stderr.wait_for("the store can be written again")


def test_a_subscriber_that_redis_disconnects_loses_nothing(node, wire, redis):
    a, b = node(redis.url), node(redis.url)
    reader = wire.get(b.url)
    ids = []
    for _ in range(5):
        redis("CLIENT", "KILL", "TYPE", "pubsub")
        ids += published(post(wire, a, "x" * 20_000))
    assert [e.id for e in reader.events(5)] == ids


def test_a_server_that_reads_too_slowly_loses_nothing(node, wire, redis):
    """Redis closes the connection when too many messages wait for it."""
    a, b = node(redis.url), node(redis.url)
    reader = wire.get(b.url)
    redis("CONFIG", "SET", "client-output-buffer-limit", "pubsub 100000 0 0")
    ids, log = [], redis.folder / "log"
    b.signal(signal.SIGSTOP)
    while b"overcoming of output buffer limits" not in log.read_bytes():
        ids += published(post(wire, a, "x" * 200_000))
    b.signal(signal.SIGCONT)
    ids += published(post(wire, a, "last"))
    assert [e.id for e in reader.events(len(ids))] == ids
    assert not any("gap" in c for c in reader.stream.comments)


def test_redis_loads_its_file(node, wire, redis):
    """While it does, it answers every command with -LOADING."""
    a = node(redis.url)
    reader = wire.get(a.url)
    ids = [published(post(wire, a, str(i)))[0] for i in range(3)]
    redis.fill(30_000)
    redis.kill()
    redis.start("--key-load-delay", "2000", wait=False)  # microseconds for a command: it takes a minute
    poll("that Redis loads", lambda: "LOADING" in ready(wire, a)[1])
    refused = post(wire, a, "refused")
    assert refused.status == 503 and refused.header("retry-after")
    assert [e.id for e in wire.get(a.url).events(3)] == ids
    poll("that it goes faster", lambda: redis.tell("CONFIG", "SET", "key-load-delay", "0"))
    wait_ready(wire, a)
    ids += published(post(wire, a, "3"))
    assert [e.id for e in reader.events(4)] == ids


def test_clocks_that_differ_and_go_back(node, wire, started, tmp_path):
    """Those of the servers decide nothing; that of Redis may be set back, also by more than the time that it runs."""
    clock = tmp_path / "redis"
    redis = started(Redis(env=set_clock(clock, "+0")))
    servers = [node(redis.url, env=set_clock(tmp_path / name, moved)) for name, moved in
               (("ahead", "+86400"), ("behind", "-86400"))]
    readers = [wire.get(server.url) for server in servers]
    ids = []
    for moved in ("+0", "-3600", "+3600", "-7200"):
        clock.write_text(moved)
        if moved == "-7200":
            redis.kill()
            redis.start()
            for server in servers:
                wait_ready(wire, server)
        ids += [published(post(wire, servers[i % 2], f"{moved} {i}"))[0] for i in range(4)]
    assert ids == sorted(ids, key=order)
    assert order(ids[-1])[0] > (time.time() + 1800) * 1000  # the time of Redis once was an hour ahead
    for reader in readers:
        assert [e.id for e in reader.events(len(ids))] == ids
    for server in (*servers, node(redis.url)):
        resumed = wire.get(server.url, headers={"Last-Event-ID": ids[5]})
        assert [e.id for e in resumed.events(len(ids) - 6)] == ids[6:] and resumed.header("sse-gap") is None


def test_redis_loses_its_newest_events(node, wire, redis):
    """As after a loss of power with appendfsync everysec: they are put back by the servers."""
    a, b = node(redis.url), node(redis.url)
    ids = [published(post(wire, a, str(i)))[0] for i in range(20)]
    log = next(redis.folder.glob("appendonlydir/*.incr.aof"))
    size = log.stat().st_size
    ids += [published(post(wire, (a, b)[i % 2], str(i)))[0] for i in range(20, 40)]
    reader = wire.get(b.url)
    assert [e.id for e in reader.events(40)] == ids
    redis.kill()
    os.truncate(log, size)
    redis.start()
    for server in (a, b):
        wait_ready(wire, server)
    poll("the events", lambda: entries(redis) == ids)
    poll("an event", lambda: post(wire, a, "more").status == 201)
    assert data(reader.events(41)[40:]) == ["more"]
    assert not any("gap" in c for c in reader.stream.comments)
    assert metric(wire, a, "sse_store_put_back_total") + metric(wire, b, "sse_store_put_back_total") >= 20
    assert stored_ids(wire, node, redis.url, 40) == ids


def test_keys_and_ids_are_put_back_with_their_events(node, wire, redis):
    a, b = node(redis.url), node(redis.url)
    events = "id: own\ndata: 1\n\ndata: 2\n\n"
    first = post(wire, a, events, content_type="text/event-stream", key="k 1")
    assert len(wire.get(b.url).events(2)) == 2
    redis("FLUSHALL")
    poll("the events", lambda: redis("KEYS", "sse:*:s") and len(entries(redis)) == 2)
    again = poll("an answer", lambda: (lambda r: r if r.status == 201 else None)(
        post(wire, b, events, content_type="text/event-stream", key="k 1")))
    assert published(again) == published(first) and again.header("sse-duplicate") == "true"
    c = node(redis.url, "--history", "1")
    resumed = wire.get(c.url, headers={"Last-Event-ID": "own"})
    assert data(resumed.events(1)) == ["2"] and resumed.header("sse-gap") is None


def test_redis_is_emptied(node, wire, redis):
    a = node(redis.url)
    ids = [published(post(wire, a, str(i)))[0] for i in range(10)]
    reader = wire.get(a.url)
    redis("FLUSHALL")
    poll("the events", lambda: redis("KEYS", "sse:*:s") and entries(redis) == ids)
    poll("an event", lambda: post(wire, a, "more").status == 201)
    assert data(reader.events(11))[-1] == "more"
    assert stored_ids(wire, node, redis.url, 10) == ids


def test_events_that_nobody_has_are_a_gap(node, wire, redis):
    """One server goes on after Redis has lost what another one has seen, and cannot put it back in time."""
    a = node(redis.url)
    ids = [published(post(wire, a, str(i)))[0] for i in range(5)]
    reader = wire.get(a.url, headers={"Last-Event-ID": ids[-1]})
    reader.comment()
    a.signal(signal.SIGSTOP)
    redis("FLUSHALL")
    b = node(redis.url)
    published(post(wire, b, "other"))
    a.signal(signal.SIGCONT)
    poll("the gap", lambda: metric(wire, a, "sse_store_gaps_total") == 1)
    poll("an event", lambda: post(wire, a, "new").status == 201)
    assert data(reader.events(2)) == ["other", "new"]
    assert sum("gap" in c for c in reader.stream.comments) == 2  # one before each


# ---- access ----
ACL = ("on >secret ~sse:* &sse:* +evalsha +script|load +hmget +hset +get +set +xadd +xrange +xrevrange +xtrim "
       "+hget +pexpire +time +publish +subscribe +unsubscribe +ping +info +select +wait")


@pytest.fixture
def password(tmp_path):
    path = tmp_path / "password"
    path.write_text("secret\n")
    return path


def test_a_user_with_least_rights_over_tls(node, sse, wire, started, tmp_path, password):
    """The commands of ACL are those of sse-store(7)."""
    authority = Authority(tmp_path)
    cert, key = authority.issue("server")
    client = [x for name, path in zip(("--store-cert", "--store-key"), authority.issue("client")) for x in (name, path)]
    port = free_port()
    started(Redis("--user", "sse", *ACL.split(), "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key,
                  "--tls-ca-cert-file", authority.ca))
    url = f"rediss://sse@localhost:{port}"
    tls = ("--store-ca", authority.ca, *client)
    a = node(url, *tls, "--store-password-file", password, "--retain", "1h,1000")
    b = node(url, *tls, env={"SSE_STORE_PASSWORD": "secret"})
    ids = published(post(wire, a, "".join(f"data: {i}\n\n" for i in range(50)), content_type="text/event-stream"))
    ids += published(post(wire, a, "id: own\ndata: x\n\n", content_type="text/event-stream"))
    assert [e.id for e in wire.get(b.url, headers={"Last-Event-ID": ids[0]}).events(50)] == ids[1:]
    assert post(wire, b, "x").status == 201
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong\n")
    for args, why in (((*tls, "--store-password-file", wrong), "WRONGPASS"),
                      (("--store-password-file", password), "not trusted"),
                      (("--store-ca", authority.ca, "--store-password-file", password), "closed|alert|certificate")):
        refused = node(url, *args, ready=False)
        refused.stderr.wait_for(why)
        assert ready(wire, refused)[0] == 503 and post(wire, refused, "x").status == 503


def test_the_manual_lists_these_rights():
    page = (Path(__file__).parents[2] / "man/sse-store.7").read_text("utf-8")
    assert set(re.search(r"^user sse (.*?)\n\.Ed", page, re.MULTILINE | re.DOTALL)[1].split()) == set(ACL.split())


REFUSED = [
    (("redis://user:secret@localhost",), "holds a password"),
    (("redis://:6379",), "has no host"),
    (("redis://localhost:x",), "not a host with a port"),
    (("redis://localhost/x",), "not the number of a database"),
    (("redis://localhost?pre=x",), "unknown parameter"),
    (("redis+sentinel://localhost",), "no name of a server"),
    (("redis://localhost", "--overflow", "block"), "--overflow block cannot be used with Redis"),
    (("redis://localhost", "--store-sync", "never"), "--store-sync is for a store in a directory"),
    (("redis://localhost", "--store-password-file", "/no/such"), "cannot read"),
    (("rediss://localhost", "--store-ca", "/no/such"), "/no/such"),
    (("directory", "--store-ack", "replica"), "--store names a directory"),
]


@pytest.mark.parametrize("args, why", REFUSED, ids=[why for _, why in REFUSED])
def test_settings_that_cannot_be_used(sse, tmp_path, args, why):
    done = sse.run("serve", "--publish", "--store", *args, cwd=tmp_path)
    assert done.status != 0 and why in done.err and "hint" in done.err


def test_a_server_starts_before_redis(node, wire, started):
    port = free_port()
    a = node(f"redis://127.0.0.1:{port}", ready=False)
    a.stderr.wait_for("cannot connect to Redis")
    assert ready(wire, a)[0] == 503 and post(wire, a, "x").status == 503
    reader = wire.get(a.url)
    started(Redis(port=port))
    wait_ready(wire, a)
    published(post(wire, a, "y"))
    assert data(reader.events(1)) == ["y"]


# ---- replicas ----
def test_a_replica_must_acknowledge(node, wire, redis, started):
    a = node(redis.url, "--store-ack", "replica", "--store-timeout", "300ms")
    alone = post(wire, a, "alone")
    assert alone.status == 503
    started(Redis("--replicaof", "127.0.0.1", redis.port))
    poll("the replica", lambda: b"state=online" in redis("INFO", "replication"))
    poll("an acknowledged event", lambda: post(wire, a, "both").status == 201)


def test_the_sentinels_choose_another_server(node, wire, redis, started, tmp_path):
    """The replica lags: it does not have the newest events, which the servers put back; and its clock is behind."""
    replica = started(Redis("--replicaof", "127.0.0.1", redis.port, env=set_clock(tmp_path / "clock", "-3600")))
    poll("the replica", lambda: b"master_link_status:up" in replica("INFO", "replication"))
    sentinels = [started(Sentinel("main", redis.port)) for _ in range(3)]
    poll("the sentinels", lambda: all(b"slaves=1,sentinels=3" in s("INFO", "sentinel") for s in sentinels))
    url = "redis+sentinel://" + ",".join(f"127.0.0.1:{s.port}" for s in sentinels) + "/main"
    a, b = node(url), node(url)
    reader = wire.get(b.url)
    ids = [published(post(wire, a, str(i)))[0] for i in range(10)]
    poll("the replica", lambda: replica("INFO", "replication").count(b"master_link_status:up") and
         len(entries(replica)) == 10)
    leave_behind(replica)
    ids += [published(post(wire, (a, b)[i % 2], str(i)))[0] for i in range(10, 20)]
    assert [e.id for e in reader.events(20)] == ids
    redis.kill()
    replica.signal(signal.SIGCONT)
    poll("the failover", lambda: is_master(replica), every=0.1)
    for server in (a, b):
        wait_ready(wire, server)
    poll("the events", lambda: entries(replica)[:20] == ids)
    assert metric(wire, a, "sse_store_put_back_total") + metric(wire, b, "sse_store_put_back_total") >= 10
    poll("an event", lambda: post(wire, a, "more").status == 201)
    assert data(reader.events(21)[20:]) == ["more"]
    ids = [e.id for e in reader.stream.events]
    assert ids == sorted(ids, key=order)
    assert not any("gap" in c for c in reader.stream.comments)
