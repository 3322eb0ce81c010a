"""sse tail against servers that are broken or hostile: HTTP framing, heads, sizes."""
import pytest

from support.wire import reset

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def says(origin, *pieces, hold=False):
    """A server that says these bytes and closes."""
    def handler(c):
        for piece in pieces:
            c.send(piece)
        if hold:
            c.wait_for_close()
    return origin(handler)


@pytest.mark.parametrize("name, wire, out", [
    ("identity", HEAD + b"Transfer-Encoding: identity\r\n\r\ndata: x\n\n", b"x\n"),
    ("a folded header", HEAD + b"A: b\r\n c\r\n\r\ndata: x\n\n", b"x\n"),
    ("a name that is no coding", HEAD + b"Content-Encoding: none\r\n\r\ndata: x\n\n", b"x\n"),
    ("a length", HEAD + b"Content-Length: 9\r\n\r\ndata: x\n\n", b"x\n"),
    ("extensions", CHUNKED + b"9;a=b;c\r\ndata: x\n\n\r\n0;z\r\n\r\n", b"x\n"),
    ("interim answers", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + CHUNKED +
     b"9\r\ndata: x\n\n\r\n0\r\n\r\n", b"x\n"),
], ids=lambda v: v if isinstance(v, str) else "")
def test_framings_that_are_read(sse, origin, name, wire, out):
    tail = sse.run("tail", says(origin, wire).url, "--no-reconnect")
    assert (tail.status, tail.out, tail.err) == (0, out, "")
    byte_by_byte = says(origin, *[wire[i:i + 1] for i in range(len(wire))]) if len(wire) < 300 else says(origin, wire)
    assert sse.run("tail", byte_by_byte.url, "--no-reconnect").out == out


@pytest.mark.parametrize("name, wire, said", [
    ("extension of 1 MiB", CHUNKED + b"9;" + b"x" * 1_000_000, "a chunk extension is too long"),
    ("trailers of 1 MiB", CHUNKED + b"0\r\n" + b"A: b\r\n" * 200_000, "the trailers are too long"),
    ("cut", CHUNKED + b"9\r\ndata", "the server closed the connection before the last chunk"),
    ("not HTTP", b"220 mail.example ESMTP\r\n", 'does not speak HTTP/1; it sent "220 mail.example ESMTP"'),
], ids=lambda v: v if isinstance(v, str) and len(v) < 25 else "")
def test_framings_that_are_refused(sse, origin, name, wire, said):
    tail = sse.run("tail", says(origin, wire).url, "--no-reconnect")
    assert tail.status == 56, tail.err
    assert said in tail.err
    assert tail.err.startswith("sse: error: ") and tail.err.count("\n") == 2


@pytest.mark.parametrize("name, start, filler", [
    ("an endless header", HEAD + b"X: ", b"x" * 1000),
], ids=lambda v: v if isinstance(v, str) else "")
def test_heads_are_bounded(sse, origin, name, start, filler):
    def handler(c):
        c.send(start)
        while True:
            c.send(filler * 100)
    tail = sse.run("tail", origin(handler).url)
    assert tail.status == 3
    assert "sse: error: the response head is larger than 65536 bytes\n" in tail.err


@pytest.mark.parametrize("name, filler", [
    ("a line without end", b"data: " + b"x" * 100_000),
    ("data lines without end", b"data: " + b"x" * 1000 + b"\n"),
    ("a comment without end", b":" + b"x" * 100_000),
    ("an id without end", b"id:" + b"x" * 100_000),
    ("a name without end", b"x" * 100_000),
], ids=lambda v: v if isinstance(v, str) else "")
def test_events_are_bounded(sse, origin, name, filler):
    def handler(c):
        c.send(HEAD + b"\r\ndata: ok\n\n")
        if filler.endswith(b"\n"):
            while True:
                c.send(filler * 100)
        c.send(filler)
        while True:
            c.send(b"x" * 100_000)
    tail = sse.start("tail", origin(handler).url, "--max-event-bytes", "1mb")
    assert tail.wait() == 3
    assert tail.stdout.bytes == b"ok\n"
    assert tail.stderr.text() == ("sse: error: an event is larger than 1048576 bytes\n"
                                  "sse: hint: raise --max-event-bytes if you trust the stream\n")


def test_a_million_unknown_fields_are_nothing(sse, origin):
    def handler(c):
        c.send(HEAD + b"\r\n")
        for _ in range(100):
            c.send(b"x: y\n" * 10_000)
        c.send(b"data: x\n\n")
    tail = sse.run("tail", origin(handler).url, "--no-reconnect")
    assert (tail.status, tail.out) == (0, b"x\n")


def test_an_event_of_5_mib_is_read(sse, origin):
    def handler(c):
        c.head()
        for _ in range(2):
            c.chunk(b"data: " + b"x" * (5 << 20) + b"\n\n")
        c.end()
    tail = sse.run("tail", origin(handler).url, "--no-reconnect")
    assert (tail.status, len(tail.out)) == (0, 2 * ((5 << 20) + 1))


def test_events_cut_anywhere_come_whole(sse, origin):
    wire = "\ufeffid: 1\r\ndata: \u00e9\r\n\r\ndata: 2\r\rdata: 3\n\n".encode()

    def handler(c):
        c.head()
        for i in range(len(wire)):
            c.chunk(wire[i:i + 1])
        c.end()
    tail = sse.run("tail", origin(handler).url, "--no-reconnect")
    assert tail.out.decode() == "\u00e9\n2\n3\n"


def test_a_reset_after_an_event_is_a_broken_connection(sse, origin):
    def resetting(c):
        c.head()
        c.chunk("data: x\n\n")
        reset(c.sock)
    tail = sse.run("tail", origin(resetting).url, "--no-reconnect")
    assert tail.status == 56
    assert "broke: Connection reset by peer" in tail.err
