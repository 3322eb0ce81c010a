"""sse tail --compressed: gzip, deflate and br, undone as they come."""
import threading
import zlib

import pytest

from support.codings import CODINGS
from support.deadline import HANG, at_pace


def answers(origin, coding, *pieces, name=None, chunked=True):
    """A server of one body of these encoded bytes."""
    def handler(c):
        c.head("200 OK", f"Content-Encoding: {name or coding}", *([] if chunked else ["Connection: close"]))
        for piece in pieces:
            c.chunk(piece) if chunked else c.send(piece)
        if chunked:
            c.end()
    return origin(handler)


def encoded(coding, *pieces, end=True):
    encoder = CODINGS[coding]()
    return b"".join([*(encoder.piece(p) for p in pieces), encoder.end() if end else b""])


@pytest.mark.parametrize("coding", CODINGS)
def test_an_event_is_out_as_soon_as_its_bytes_are_in(sse, origin, coding):
    steps = [threading.Event() for _ in range(3)]

    def handler(c):
        c.head("200 OK", f"Content-Encoding: {coding.removeprefix('raw ')}")
        encoder = CODINGS[coding]()
        for i, step in enumerate(steps):
            c.chunk(encoder.piece(b"data: %d\n\n" % i))
            assert step.wait(HANG)
        c.chunk(encoder.end())
        c.end()
    server = origin(handler)
    tail = sse.start("tail", server.url, "--compressed", "--no-reconnect")
    for i, step in enumerate(steps):
        tail.stdout.wait_for(f"^{i}$")
        step.set()
    assert (tail.wait(), tail.stdout.bytes, tail.stderr.bytes) == (0, b"0\n1\n2\n", b"")
    assert server.requests[0].header("Accept-Encoding") == "gzip, deflate, br"


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("chunked", [True, False])
def test_bytes_one_by_one(sse, origin, coding, chunked):
    wire = encoded(coding, b"id: 7\ndata: \xc3\xa9\r\n\r\n", b"data: 2\n\n")
    server = answers(origin, coding.removeprefix("raw "), *[wire[i:i + 1] for i in range(len(wire))], chunked=chunked)
    tail = sse.run("tail", server.url, "--compressed", "--no-reconnect")
    assert (tail.status, tail.out.decode(), tail.err) == (0, "\u00e9\n2\n", "")


def test_what_the_person_asks_for_goes_first(sse, origin):
    server = answers(origin, "br", encoded("br", b"data: x\n\n"))
    tail = sse.run("tail", server.url, "--compressed", "--no-reconnect", "-H", "Accept-Encoding: br;q=1")
    assert tail.out == b"x\n"
    assert server.requests[0].all("Accept-Encoding") == ["br;q=1"]


def test_without_it_no_compression_is_asked_for(sse, origin):
    server = answers(origin, "gzip", b"")
    failed = sse.run("tail", server.url)
    assert server.requests[0].header("Accept-Encoding") is None
    assert failed.status == 22
    assert "returned 200 OK with Content-Encoding gzip, which was not requested; sse can decode gzip, deflate, br\n" in failed.err
    assert "sse: hint: use --compressed" in failed.err


@pytest.mark.parametrize("name", ["zstd", "gzip, br", "compress", "\x1b[2J"])
def test_an_unknown_coding_is_named(sse, origin, name):
    failed = sse.run("tail", answers(origin, name, b"x").url, "--compressed")
    shown = name.replace("\x1b", "\\x1b")
    assert failed.status == (56 if "\x1b" in name else 22)
    if "\x1b" not in name:
        assert f"with Content-Encoding {shown}, which is not supported; sse can decode gzip, deflate, br\n" in failed.err


@pytest.mark.parametrize("name", ["identity", "Identity", ""])
def test_a_coding_that_is_none(sse, origin, name):
    for args in ([], ["--compressed"]):
        tail = sse.run("tail", answers(origin, name, b"data: x\n\n").url, "--no-reconnect", *args)
        assert (tail.status, tail.out) == (0, b"x\n"), tail.err


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_a_cut_body_is_a_broken_connection(sse, origin, coding):
    for wire, said in [(encoded(coding, b"data: x\n\n", end=False), "is incomplete"),
                       (encoded(coding, b"data: x\n\n") + b"y", ""),
                       (encoded(coding, b"data: x\n\n", end=False) + b"\xff" * 20, "is corrupt")]:
        server = answers(origin, coding, *filter(None, [wire[:-20], wire[-20:-1], wire[-1:]]))
        tail = sse.run("tail", server.url, "--compressed", "--no-reconnect")
        assert (tail.status, tail.out) == (56, b"x\n"), tail.err
        assert f"sse: error: the {coding} body {said}" in tail.err


def test_a_cut_body_is_connected_to_again(sse, origin):
    def handler(c):
        if c.number == 2:
            return c.answer("204 No Content")
        c.head("200 OK", "Content-Encoding: gzip")
        c.chunk(encoded("gzip", b"retry: 1\nid: %d\ndata: x\n\n" % c.number, end=False))
        c.end()
    server = origin(handler)
    assert sse.run("tail", server.url, "--compressed").out == b"x\nx\n"
    assert [r.header("Last-Event-ID") for r in server.requests] == [None, "0", "1"]


def test_a_bomb_meets_the_bound_of_an_event(sse, origin):
    """4 MB on the wire that would be 4 GB."""
    def handler(c):
        c.head("200 OK", "Content-Encoding: gzip")
        encoder = zlib.compressobj(9, zlib.DEFLATED, 31)
        c.chunk(encoder.compress(b"data: ok\n\ndata: ") + encoder.flush(zlib.Z_SYNC_FLUSH))
        zeros = encoder.compress(b"0" * (64 << 20)) + encoder.flush(zlib.Z_FULL_FLUSH)
        for _ in range(64):
            c.chunk(zeros)
        c.wait_for_close()
    tail = sse.start("tail", origin(handler).url, "--compressed", "--max-event-bytes", "2mb")
    assert tail.wait() == 3
    assert (tail.stdout.bytes, tail.stderr.text().splitlines()[0]) == (
        b"ok\n", "sse: error: an event is larger than 2097152 bytes")


def endless_bomb(c):
    c.head("200 OK", "Content-Encoding: br")
    encoder = CODINGS["br"]()
    c.chunk(encoder.piece(b"data: ok\n\n"))
    comments = encoder.piece(b":\n" * (8 << 20))
    while True:
        c.chunk(comments)


@pytest.mark.parametrize("args, status", [(["-m", "500ms"], 28), ([], 143)])
@at_pace(0.1)
def test_a_bomb_that_is_no_event_ends_when_told_and_costs_no_memory(sse, origin, args, status):
    tail = sse.start("tail", origin(endless_bomb).url, "--compressed", *args)
    tail.stdout.wait_for("ok")
    if not args:
        assert tail.rss_kib() < 96 * 1024
        tail.signal(15)
    assert tail.wait() == status


def test_the_body_of_an_error_is_read_too(sse, origin):
    wire = encoded("gzip", b'{"error":"no such model"}')
    tail = sse.run("tail", origin(lambda c: c.answer("404 Not Found", wire, "Content-Encoding: gzip")).url, "--compressed")
    assert tail.status == 22
    assert 'returned 404 Not Found: {"error":"no such model"}' in tail.err


def test_raw_prints_what_was_compressed(sse, origin):
    tail = sse.run("tail", answers(origin, "gzip", encoded("gzip", b"data: x\n\n")).url, "--compressed", "-o", "raw",
                   "--no-reconnect")
    assert tail.out == b"data: x\n\n"
