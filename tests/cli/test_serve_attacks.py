"""Many hostile clients at once and one after another: what the server holds is what it held before, and
whoever behaves is served meanwhile."""
import random
import socket
import threading

import pytest
from support.deadline import HANG, Deadline, poll
from support.wire import Answer, Cut, request_bytes, reset

HOST = b"Host: localhost\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SECOND = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 8\r\n\r\nsmuggled"

ATTACKS = {
    "an endless request line": b"GET /" + b"x" * 300_000,
    "an endless header": b"GET / HTTP/1.1\r\nA: " + b"x" * 300_000,
    "endless headers": b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 30_000,
    "line ends for ever": b"\r\n" * 100_000,
    "an endless chunked body": CHUNKED + (b"400\r\n" + b"x" * 1024 + b"\r\n") * 3000,
    "an endless chunk extension": CHUNKED + b"1;" + b"x" * 300_000,
    "endless trailers": CHUNKED + b"0\r\n" + b"A: b\r\n" * 30_000,
    "a size of -2": CHUNKED + b"-2\r\n" + SECOND,
    "a size over 64 bits": CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n" + SECOND,
    "the largest size": CHUNKED + b"FFFFFFFFFFFFFFFF\r\n" + SECOND,
    "a size in 0x": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n" + SECOND,
    "chunks that end with LF": CHUNKED + b"5\nhello\n0\n\n" + SECOND,
    "a chunk longer than its size": CHUNKED + b"2\r\nhello\r\n0\r\n\r\n" + SECOND,
    "length and chunked": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunked and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SECOND,
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello" + SECOND,
    "a list of lengths": POST + b"Content-Length: 5, 0\r\n\r\nhello" + SECOND,
    "a length with a sign": POST + b"Content-Length: +5\r\n\r\nhello" + SECOND,
    "a negative length": POST + b"Content-Length: -5\r\n\r\nhello" + SECOND,
    "a length over 64 bits": POST + b"Content-Length: 18446744073709551621\r\n\r\nhello" + SECOND,
    "an unknown coding": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunked but not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SECOND,
    "a coding with a tab": POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + SECOND,
    "a space before the colon": POST + b"Content-Length : 0\r\n\r\n" + SECOND,
    "a folded length": POST + b"Content-Length:\r\n 0\r\n\r\n" + SECOND,
    "chunked in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "a body too long": POST + b"Content-Length: 99999999999\r\n\r\n" + SECOND,
    "a CR alone in a header": POST + b"A: b\rContent-Length: 0\r\n\r\n" + SECOND,
    "a header without a name": POST + b": b\r\n\r\n" + SECOND,
    "a NUL": POST + b"A: \0\r\n\r\n" + SECOND,
    "an upgrade": b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 300,
    "a flood behind a stream": b"GET / HTTP/1.1\r\n" + HOST + b"\r\n" + SECOND * 3000,
    "an id of 100 kB": b"GET / HTTP/1.1\r\n" + HOST + b"Last-Event-ID: " + b"x" * 100_000 + b"\r\n\r\n",
}


def send(wire, url, data, dice):
    """Sends it, whole or in pieces, and goes in one of the ways that clients go."""
    sock = wire.connect(url)
    sock.settimeout(HANG)
    try:
        cut = dice.randrange(1, len(data))
        sock.sendall(data[:cut])
        sock.sendall(data[cut:])
    except OSError:
        pass  # it has had enough
    how = dice.randrange(3)
    if how == 0:
        reset(sock)
    elif how == 1:
        try:
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
        except OSError:
            pass
        sock.close()
    else:
        sock.close()


def settled(server):
    """Its descriptors, once they are no longer going away."""
    last = [None]

    def same():
        now = server.descriptors()
        return last[0] == now or last.__setitem__(0, now)

    poll("its descriptors to settle", same, every=0.3)
    return last[0]


def test_no_request_hides_another(sse, wire):
    """Nothing behind a request that is refused, or that is not what it seems, is taken as one."""
    server = sse.serve("--publish", "--head-timeout", "2s", "--body-timeout", "2s")
    reader = wire.get(server.url)
    dice = random.Random(3)
    for data in ATTACKS.values():
        send(wire, server.url, data, dice)
    assert wire.request(server.url, "POST", body=b"honest").status == 201
    reader.stream.events.clear()
    texts = []
    while "honest" not in texts:
        texts += [e.data for e in reader.stream.feed(reader.more())]
    assert "smuggled" not in texts
    assert "hello" not in texts


def test_attacks_by_the_hundred_leave_nothing_behind(sse, wire):
    server = sse.serve("--publish", "--head-timeout", "2s", "--body-timeout", "2s", "--max-clients", "100")
    steady = wire.get(server.url)
    publisher = wire.connect(server.url)

    def storm(seed):
        dice = random.Random(seed)
        for _ in range(40):
            try:
                send(wire, server.url, dice.choice(list(ATTACKS.values())), dice)
            except OSError:
                pass

    def publish():
        publisher.sendall(request_bytes(server.url, "POST", body=b"n"))
        answer = Answer(publisher)
        assert answer.status == 201
        answer.read_all()

    publish()
    storm(0)  # what is made once, for all that come after
    before, memory, sent = settled(server), server.rss_kib(), 1
    storms = [threading.Thread(target=storm, args=(seed,)) for seed in range(1, 7)]
    for thread in storms:
        thread.start()
    deadline = Deadline()
    while any(thread.is_alive() for thread in storms):
        publish()
        sent += 1
        storms[0].join(min(0.02, deadline.check("the storms to end")))
    for thread in storms:
        thread.join()
    assert [e.data for e in steady.events(sent) if e.data != "smuggled"] == ["n"] * sent
    poll("the descriptors to come back", lambda: server.descriptors() <= before)
    assert server.rss_kib() - memory < 8_000 * (3 if "asan" in str(sse.binary) else 1)


@pytest.mark.parametrize("last_id", [b"\xff\xfe", b"\x01", b"\"'<>`"])
def test_an_id_of_odd_bytes_is_a_gap_or_refused(sse, wire, last_id):
    server = sse.serve(input=b"1\n")
    answer = wire.get(server.url, headers=[("Host", "localhost"), ("Last-Event-ID", last_id.decode("latin-1"))])
    assert answer.status in (200, 400)
    try:
        body = answer.read_all() if answer.status == 400 else b"".join(iter(answer.more, b""))
    except Cut:
        body = answer.body
    assert last_id not in answer.head and last_id not in body
