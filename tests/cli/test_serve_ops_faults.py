"""Faults that `sse serve` survives with nothing lost: clients that freeze and reset, descriptors that
run out, a clock that is set back, a stop under load; and threads under churn."""
import json
import os
import re
import signal
import socket
import sys
import threading
import time

import pytest
from support import prometheus
from support.clock import set_clock
from support.deadline import HANG, poll
from support.wire import Answer, Cut, request_bytes, reset


def lines(first, last, padding=0):
    return b"".join(b"%d %b\n" % (i, b"x" * padding) if padding else b"%d\n" % i
                    for i in range(first, last + 1))


def numbers(events):
    return [int(e.data.split()[0]) for e in events]


def printed(tail):
    return [int(n) for n in re.findall(rb"^(\d+) ", tail.stdout.bytes, re.MULTILINE)]


def metrics_of(wire, admin):
    answer = wire.get(admin + "metrics", headers={"Connection": "close"})
    return prometheus.read(answer.read_all().decode())


def state(process):
    with open(f"/proc/{process.pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_client_that_is_stopped_and_continued_loses_nothing(sse, wire):
    server = sse.serve("--history", "50", "--stall-timeout", "60s")
    server.write(lines(1, 1, 10_000))
    client = sse.start("tail", "-o", "data", server.url)
    client.stdout.wait_for(r"^1 ")
    client.signal(signal.SIGSTOP)
    poll("the client to stop", lambda: state(client) == "T")
    other = sse.start("tail", "-o", "data", server.url)
    other.stdout.wait_for(r"^1 ")
    writer = threading.Thread(target=server.write, args=(lines(2, 700, 10_000),), daemon=True)
    writer.start()  # 7 MB: more than the sockets and the history hold, so the input is stopped
    poll("the input to be stopped",
         lambda: [cpu_seconds(server)] == [time.sleep(0.1) or cpu_seconds(server)])
    client.signal(signal.SIGCONT)
    writer.join()
    server.close_stdin()
    for reader in (client, other):
        assert reader.wait() == 0
        assert printed(reader) == list(range(1, 701))


def test_resets_in_mid_write_hurt_nobody_else(sse, wire):
    server = sse.serve("--history", "100")
    before = server.descriptors()
    steady = sse.start("tail", "-o", "data", server.url)
    server.write(lines(1, 1, 5_000))
    steady.stdout.wait_for(r"^1 ")
    writer = threading.Thread(target=server.write, args=(lines(2, 2000, 5_000),), daemon=True)
    writer.start()
    for _ in range(50):
        sock = wire.send(server.url, request_bytes(server.url))
        sock.recv(1000)
        reset(sock)  # with its receive queue full of what it did not read
    writer.join()
    poll("the descriptors to come back", lambda: server.descriptors() <= before + 2)  # tail, and the ring of io_uring
    server.close_stdin()
    assert steady.wait() == 0
    assert printed(steady) == list(range(1, 2001))
    assert server.wait() == 0


@pytest.mark.parametrize("head, sent", [
    (b"Content-Length: 5000", b"x" * 2500),
    (b"Transfer-Encoding: chunked", b"1000\r\n" + b"x" * 1000),
    (b"Transfer-Encoding: chunked", b"4\r\ndata\r\n"),
    (b"Content-Type: text/event-stream\r\nContent-Length: 100", b"data: whole\n\ndata: to"),
], ids=["length", "in a chunk", "between chunks", "events"])
@pytest.mark.parametrize("killed", [False, True])
def test_a_publisher_that_dies_in_mid_body_has_published_nothing(sse, wire, head, sent, killed):
    server = sse.serve("--publish")
    reader = wire.get(server.url)
    wire.request(server.url, "POST", headers={"Connection": "close"}, body=b"before").closed()
    reader.events(1)
    before = server.descriptors()
    request = b"POST / HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n\r\n" + sent
    for _ in range(20):
        if killed:
            die_in_mid_body(sse, server.url, request)
        else:
            sock = wire.send(server.url, request)
            poll("the body to be read", lambda: unread(server, sock) == 0)
            reset(sock)
    poll("the descriptors to come back", lambda: server.descriptors() <= before)
    wire.request(server.url, "POST", body=b"after")
    assert [e.data for e in reader.events(2)] == ["before", "after"]


DIE = """
import os, signal, socket, sys
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sock.sendall(bytes.fromhex(sys.argv[2]))
os.kill(os.getpid(), signal.SIGKILL)
"""


def die_in_mid_body(sse, url, request):
    port = url.rstrip("/").rsplit(":", 1)[1]
    assert sse.start_program(sys.executable, "-c", DIE, port, request.hex()).wait() == 128 + signal.SIGKILL


def unread(server, sock):
    """Bytes that have come from that socket and that the server has not read."""
    own, peer = (f":{end[1]:04X}" for end in (sock.getpeername(), sock.getsockname()))
    for line in open("/proc/net/tcp").readlines()[1:]:
        fields = line.split()
        if fields[1].endswith(own) and fields[2].endswith(peer):
            return int(fields[4].split(":")[1], 16)
    return None


@pytest.mark.release  # UBSan itself needs a descriptor
def test_out_of_descriptors_it_rests_and_answers_again_when_they_are_back(sse, wire):
    shell = sse.start_program("sh", "-c", 'ulimit -n 40; exec "$@"', "sh", sse.binary, "serve",
                              "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    shell.write(b"a\n")
    url = shell.stderr.wait_for(r"^sse: serving (\S+)$")[1]
    admin = wire.connect(shell.stderr.wait_for(r"^sse: admin (\S+)$")[1])

    def refused():
        admin.sendall(request_bytes("http://localhost/metrics"))
        body = Answer(admin).read_all().decode()
        return prometheus.read(body)["sse_refusals_total"][(("reason", "descriptors"),)]

    steady = wire.get(url)
    steady.events(1)
    held = [wire.send(url, b"GET / HT") for _ in range(60)]
    poll("the first to be refused", lambda: refused() > 0)
    held += [wire.send(url, b"GET / HT") for _ in range(40)]
    used, since, count = cpu_seconds(shell), time.monotonic(), refused()
    poll("ten to be refused", lambda: refused() >= count + 10, every=0.1)
    took = time.monotonic() - since
    assert cpu_seconds(shell) - used < 0.3 * took + 0.1  # it rests in between
    shell.write(b"b\n")
    assert [e.data for e in steady.events(2)] == ["a", "b"]
    for sock in held:
        sock.close()
    poll("an answer", lambda: answers(wire, url))


def answers(wire, url):
    try:
        return wire.get(url).status == 200
    except (OSError, Cut):  # closed without a word: no descriptor yet
        return False


@pytest.mark.release  # a sanitizer wants to be the first library that is loaded
def test_a_clock_set_back_an_hour_loses_nothing(sse, wire, tmp_path):
    clock = tmp_path / "clock"
    server = sse.serve(env=set_clock(clock, "+0"))
    stream = wire.get(server.url)
    server.write(b"1\n")
    stream.events(1)
    clock.write_text("-3600")
    for n in range(2, 30):
        server.write(b"%d\n" % n)
        stream.events(n)
    ids = [tuple(int(part) for part in e.id.split("-")) for e in stream.stream.events]
    assert ids == sorted(set(ids))
    date = wire.get(server.url, headers={"Last-Event-ID": "-".join(map(str, ids[0]))})
    assert numbers(date.events(28)) == list(range(2, 30))
    from email.utils import parsedate_to_datetime  # the clock did go back
    assert time.time() - parsedate_to_datetime(date.header("Date")).timestamp() > 3000


def test_a_stop_under_load_loses_nothing_for_those_who_resume(sse, wire, tmp_path):
    count, clients, under_way = 3_000, 8, threading.Event()
    source = tmp_path / "events.jsonl"
    source.write_text("".join(json.dumps({"id": f"e{n}", "data": f"{n} {'x' * 2000}"}) + "\n"
                              for n in range(1, count + 1)))
    args = ("--threads", "4", "--input", "json", "--history", str(count), source)

    def read(url, last_id, result):
        headers = {"Last-Event-ID": last_id} if last_id else {}
        try:
            sock = socket.create_connection(url)
            sock.sendall(request_bytes("http://localhost/", headers=headers))
            stream = Answer(sock)
        except (OSError, Cut):
            return  # it had stopped before this one came
        try:
            stream.events(50)
            under_way.set()
            stream.events()
        except (OSError, Cut):
            pass  # cut by the grace: what came whole counts
        result.extend(stream.stream.events)
        sock.close()

    def address(server):
        host, port = server.url.removeprefix("http://").strip("/").split(":")
        return host, int(port)

    first = sse.serve("--wait-clients", "1000", "--grace", "200ms", *args)
    got = [[] for _ in range(clients)]
    readers = [threading.Thread(target=read, args=(address(first), None, g)) for g in got]
    for reader in readers:
        reader.start()
    assert under_way.wait(HANG)
    first.signal(signal.SIGTERM)
    for reader in readers:
        reader.join()
    assert first.wait() in (0, 143)
    second = sse.serve("--wait-clients", str(clients), "--admin", "127.0.0.1:0", *args)
    admin = second.stderr.wait_for(r"^sse: admin (\S+)$")[1]
    poll("all events to be there again",  # or those who come too soon are told of a gap
         lambda: metrics_of(wire, admin)["sse_history_events"][()] == count)
    assert any(len(events) < count for events in got)
    for events in got:
        assert numbers(events) == list(range(1, len(events) + 1))
    rest = [[] for _ in range(clients)]
    readers = [threading.Thread(target=read, args=(address(second), g[-1].id if g else None, r))
               for g, r in zip(got, rest)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    for before, after in zip(got, rest):
        assert numbers(before + after) == list(range(1, count + 1))


def test_every_loop_has_its_share_and_delivers_all_under_churn(sse, wire):
    count = 3_000
    server = sse.serve("--threads", "4", "--history", "500", "--admin", "127.0.0.1:0",
                       "--wait-clients", "1000000")
    admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
    steady = [wire.get(server.url) for _ in range(16)]

    def metrics():
        return metrics_of(wire, admin)

    assert list(metrics()["sse_loop_clients"].values()) == [4.0] * 4
    stop, churned = threading.Event(), []

    def churn():
        while not stop.is_set():
            sock = wire.send(server.url, request_bytes(server.url))
            sock.recv(500)
            reset(sock) if len(churned) % 2 else sock.close()
            churned.append(1)

    churners = [threading.Thread(target=churn) for _ in range(2)]
    results = [None] * len(steady)

    def read(index):
        results[index] = numbers(steady[index].events(count, 60))

    readers = [threading.Thread(target=read, args=(i,)) for i in range(len(steady))]
    for thread in churners + readers:
        thread.start()
    for first in range(1, count, 100):
        server.write(lines(first, first + 99, 100))
    for thread in readers:
        thread.join()
    stop.set()
    for thread in churners:
        thread.join()
    assert churned
    for got in results:
        assert got == list(range(1, count + 1))
    for sock in steady:
        sock.close()
    poll("all to have gone", lambda: metrics()["sse_clients"][()] == 0)
    now = metrics()
    assert now["sse_streams"][()] == 0
    assert now["sse_deliveries_total"][()] >= count * len(steady)
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
