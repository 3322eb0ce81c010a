"""Limits of the server: clients that send nothing, too many from one address, requests that do not
end."""
import resource
import socket

import pytest

from support.deadline import poll
from support.wire import Answer, request_bytes


def held(sse, *args):
    return sse.serve("--on-eof", "hold", *args, input=b"1\n2\n3\n")


def test_one_address_has_only_so_many_places_and_gets_them_back(sse, wire):
    server = held(sse, "--max-clients-per-address", "3", "--listen", "127.0.0.1:0")
    streams = [wire.get(server.url) for _ in range(3)]
    assert [s.status for s in streams] == [200] * 3
    refused = wire.get(server.url)
    assert refused.status == 503 and int(refused.header("retry-after")) > 0
    assert b"address" in refused.read_all()
    other = socket.socket()  # the limit is that of 127.0.0.1, and no other's
    other.bind(("127.0.0.2", 0))
    other.connect(("127.0.0.1", int(server.url.rstrip("/").rsplit(":", 1)[1])))
    other.sendall(request_bytes(server.url))
    assert Answer(other).status == 200
    other.close()
    streams[0].close()
    poll("a place to be free again", lambda: wire.get(server.url).status == 200)


@pytest.fixture
def many_descriptors():
    """Lets this process, and what it starts, open so many."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def allow(count):
        if before[1] < count:
            pytest.skip(f"needs {count} descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], count), before[1]))
    yield allow
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_slow_requests_do_not_keep_a_good_client_out(sse, wire, many_descriptors):
    """2,000 connections that send a byte now and then fill every place; who sends a whole request
    gets one all the same."""
    count = 2000
    many_descriptors(2 * count)
    server = held(sse, "--max-clients", str(count))
    slow = [wire.connect(server.url) for _ in range(count)]
    request = request_bytes(server.url)

    def drip(byte):
        for sock in slow:
            try:
                sock.send(request[byte:byte + 1])
            except OSError:
                pass  # it has made room

    drip(0)
    turn = iter(range(1, len(request) - 4))

    def good_client():
        drip(next(turn))
        try:
            answer = wire.get(server.url)
        except (OSError, Exception):
            return None
        return answer if answer.status == 200 else None

    good = poll("a good client to be let in", good_client, every=0.2)
    assert [e.data for e in good.events(3)] == ["1", "2", "3"]
    more = [wire.get(server.url) for _ in range(20)]
    assert [m.status for m in more] == [200] * 20
    assert server.descriptors() < count + 100


def test_streams_make_no_room(sse, wire):
    server = sse.serve("--max-clients", "2")
    server.write("1\n2\n3\n")
    streams = [wire.get(server.url) for _ in range(2)]
    assert all(len(s.events(3)) == 3 for s in streams)
    refused = wire.get(server.url)
    assert refused.status == 503 and refused.header("retry-after")
    assert all(not s.ended for s in streams)


@pytest.mark.parametrize("args, sent, status", [
    (["--head-timeout", "200ms"], b"GET / HTTP/1.1\r\nHost: localhost\r\n", 408),
    (["--publish", "-", "--body-timeout", "200ms"],
     b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab", 408),
    (["--max-head-bytes", "256"], b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 300, 431),
    (["--max-body-bytes", "1KiB"],
     b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1025\r\n\r\n", 413),
])
def test_a_request_that_is_too_long_or_too_slow_is_refused(sse, wire, args, sent, status):
    server = held(sse, *args)
    answer = Answer(wire.send(server.url, sent))
    assert answer.status == status
    answer.read_all()
    assert answer.closed() == b""


def test_a_connection_between_two_requests_ends_after_the_idle_timeout(sse, wire):
    server = held(sse, "--idle-timeout", "200ms")
    answer = wire.get(server.url + "none")
    assert answer.status == 404 and answer.read_all()
    assert answer.closed() == b""
