"""sse serve --store redis:// where the network is split: packets are lost, and no connection is reset."""
import pytest
from support.deadline import poll
from support.namespace import Namespace
from support.redis import Redis, Sentinel
from support.store_nodes import data, entries, order, post, published, ready, wait_ready

pytestmark = pytest.mark.release


@pytest.fixture
def namespace(started):
    return started(Namespace())


@pytest.fixture
def node_there(sse, wire, namespace):
    """As store_node, in the namespace."""
    def start(url, *args):
        server = sse.start_program(*namespace.within, sse.binary, "serve", "--publish", "--store", url, "--listen",
                                   f"{namespace.reached}:0", "--admin", f"{namespace.reached}:0", *args)
        server.url = server.stderr.wait_for(r"^sse: serving (\S+)$")[1]
        server.admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
        wait_ready(wire, server)
        return server
    return start


def test_a_server_that_is_cut_off(store_node, node_there, wire, namespace, started):
    """It serves what is in its memory, refuses events and says so, and fetches what it missed."""
    redis = started(Redis("--protected-mode", "no", host=namespace.here))
    here, there = store_node(f"redis://{namespace.here}:{redis.port}"), node_there(f"redis://{namespace.here}:{redis.port}")
    reader = wire.get(there.url)
    ids = [published(post(wire, (here, there)[i % 2], str(i)))[0] for i in range(4)]
    assert [e.id for e in reader.events(4)] == ids
    namespace.cut()
    ids += [published(post(wire, here, str(i)))[0] for i in range(4, 8)]
    refused = post(wire, there, "refused")
    assert refused.status == 503 and refused.header("retry-after")
    wait_ready(wire, there, 503)
    assert wire.get(there.admin + "healthz").status == 200
    assert data(wire.get(there.url).events(4)) == ["0", "1", "2", "3"]
    assert data(wire.get(there.url, headers={"Last-Event-ID": ids[1]}).events(2)) == ["2", "3"]
    assert post(wire, there, "refused").status == 503
    assert ready(wire, here)[0] == 200
    namespace.mend()
    wait_ready(wire, there)
    ids += published(post(wire, there, "8"))
    stored = entries(redis)
    assert set(ids) <= set(stored)
    assert [e.id for e in reader.events(len(stored))] == stored
    assert [e.id for e in wire.get(here.url).events(len(stored))] == stored
    assert not any("gap" in c for c in reader.stream.comments)


def read_until(reader, last):
    """The ids up to that one, at least."""
    while last not in (ids := [e.id for e in reader.stream.events]):
        reader.events(len(ids) + 1)
    return ids


def test_the_network_is_split(store_node, node_there, wire, namespace, started):
    """The master and a server are on one side, and the sentinels, the replica and another server on the other. With
    min-replicas-to-write and --store-ack replica, the side that is given up acknowledges nothing, so that nothing
    acknowledged is lost; and who has seen what is given up is told of a gap."""
    names = ("--protected-mode", "no", "--min-replicas-max-lag", "2")
    master = started(Redis("--bind", namespace.there, namespace.reached, *names, "--min-replicas-to-write", "1",
                           host=namespace.reached, within=namespace.within))
    replica = started(Redis(*names, "--replicaof", namespace.there, master.port, host=namespace.here))
    poll("the replica", lambda: b"master_link_status:up" in replica("INFO", "replication"))
    sentinels = [started(Sentinel("main", master.port, namespace.there, namespace.here)) for _ in range(3)]
    poll("the sentinels", lambda: all(b"slaves=1,sentinels=3" in s("INFO", "sentinel") for s in sentinels))
    url = "redis+sentinel://" + ",".join(f"{namespace.here}:{s.port}" for s in sentinels) + "/main"
    here, there = store_node(url), node_there(url, "--store-ack", "replica", "--store-timeout", "500ms")
    readers = [wire.get(server.url) for server in (here, there)]
    acknowledged = []

    def publish(server, text):
        answer = post(wire, server, text)
        if answer.status == 201:
            acknowledged.extend(published(answer))
        return answer.status == 201
    for i in range(6):
        poll("an event", lambda: publish((here, there)[i % 2], str(i)))
    for reader in readers:
        read_until(reader, acknowledged[-1])
    namespace.cut()
    assert not publish(there, "given up")
    poll("a refusal", lambda: "NOREPLICAS" in ready(wire, there)[1])
    assert not publish(there, "refused")
    assert [e.id for e in wire.get(there.url).events(6)][:1] == acknowledged[:1]  # it still serves
    poll("the failover", lambda: b"role:master" in replica("INFO", "replication"), every=0.1)
    wait_ready(wire, here)
    poll("an event", lambda: publish(here, "other side"))
    namespace.mend()
    wait_ready(wire, there)
    poll("an event", lambda: publish(there, "there"))
    poll("an event", lambda: publish(here, "here"))
    stored = entries(replica)
    assert stored == sorted(set(stored), key=order) and set(acknowledged) <= set(stored)
    for reader in readers:
        ids = read_until(reader, acknowledged[-1])
        gaps = sum("gap" in c for c in reader.stream.comments)
        assert len(set(ids)) == len(ids)
        assert set(acknowledged) <= set(ids) or gaps, (acknowledged, ids)
        assert set(ids) <= set(stored) or gaps, "what is given up was seen, and no gap was reported"
