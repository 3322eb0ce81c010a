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
    ("closed at the end", HEAD + b"\r\ndata: x\n\n", b"x\n"),
    ("HTTP/1.0", b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n", b"x\n"),
    ("no reason", b"HTTP/1.1 200\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n", b"x\n"),
    ("LF only", b"HTTP/1.1 200 OK\nContent-Type: text/event-stream\n\ndata: x\n\n", b"x\n"),
    ("a length", HEAD + b"Content-Length: 9\r\n\r\ndata: x\n\n", b"x\n"),
    ("more than the length", HEAD + b"Content-Length: 9\r\n\r\ndata: x\n\ndata: y\n\n", b"x\n"),
    ("length 0", HEAD + b"Content-Length: 0\r\n\r\n", b""),
    ("twice the same length", HEAD + b"Content-Length: 9\r\nContent-Length: 9\r\n\r\ndata: x\n\n", b"x\n"),
    ("chunked beats length", HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n0\r\n\r\n", b"x\n"),
    ("upper case", HEAD + b"TRANSFER-ENCODING: Chunked\r\n\r\n9\r\ndata: x\n\n\r\n0\r\n\r\n", b"x\n"),
    ("extensions", CHUNKED + b"9;a=b;c\r\ndata: x\n\n\r\n0;z\r\n\r\n", b"x\n"),
    ("trailers", CHUNKED + b"9\r\ndata: x\n\n\r\n0\r\nA: b\r\nC: d\r\n\r\n", b"x\n"),
    ("leading zeros", CHUNKED + b"0009\r\ndata: x\n\n\r\n000\r\n\r\n", b"x\n"),
    ("interim answers", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + CHUNKED +
     b"9\r\ndata: x\n\n\r\n0\r\n\r\n", b"x\n"),
    ("a header of 20 KB", HEAD + b"X-Big: " + b"x" * 20_000 + b"\r\n\r\ndata: x\n\n", b"x\n"),
    ("a reason of 20 KB", b"HTTP/1.1 200 " + b"x" * 20_000 + b"\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n", b"x\n"),
    ("percent signs", HEAD + b"X: %0d%0aTransfer-Encoding:%20chunked\r\n\r\ndata: x\n\n", b"x\n"),
], ids=lambda v: v if isinstance(v, str) else "")
def test_framings_that_are_read(sse, origin, name, wire, out):
    tail = sse.run("tail", says(origin, wire).url, "--no-reconnect")
    assert (tail.status, tail.out, tail.err) == (0, out, "")
    byte_by_byte = says(origin, *[wire[i:i + 1] for i in range(len(wire))]) if len(wire) < 300 else says(origin, wire)
    assert sse.run("tail", byte_by_byte.url, "--no-reconnect").out == out


@pytest.mark.parametrize("name, wire, said", [
    ("size -2", CHUNKED + b"-2\r\n", "a size is not a hexadecimal number"),
    ("size 0x9", CHUNKED + b"0x9\r\ndata: x\n\n\r\n", "a size is not a hexadecimal number"),
    ("no size", CHUNKED + b"\r\n", "a size is not a hexadecimal number"),
    ("huge size", CHUNKED + b"F" * 16 + b"\r\n", "a size has too many digits"),
    ("longer than its size", CHUNKED + b"3\r\ndata: x\n\n\r\n", "a chunk is longer than its size"),
    ("extension of 1 MiB", CHUNKED + b"9;" + b"x" * 1_000_000, "an extension is too long"),
    ("trailers of 1 MiB", CHUNKED + b"0\r\n" + b"A: b\r\n" * 200_000, "the trailers are too long"),
    ("cut", CHUNKED + b"9\r\ndata", "the server closed the connection before the last chunk"),
    ("short body", HEAD + b"Content-Length: 20\r\n\r\ndata: x\n\n", "the server closed the connection 11 bytes before the end"),
    ("two lengths", HEAD + b"Content-Length: 9\r\nContent-Length: 10\r\n\r\n", "two Content-Length fields that differ"),
    ("length -1", HEAD + b"Content-Length: -1\r\n\r\n", 'Content-Length is "-1"'),
    ("length 10^30", HEAD + b"Content-Length: 1" + b"0" * 30 + b"\r\n\r\n", 'Content-Length is "1000'),
    ("gzip, chunked", HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 'Transfer-Encoding is "gzip, chunked"'),
    ("two codings", HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding"),
    ("nothing", b"", "the server closed the connection without an answer"),
    ("half a head", HEAD, "the server closed the connection inside the head of its answer"),
    ("not HTTP", b"220 mail.example ESMTP\r\n", 'did not answer in HTTP/1, but with "220 mail.example ESMTP"'),
    ("not HTTP, no line end", b"SSH-2.0-x", 'did not answer in HTTP/1, but with "SSH-2.0-x"'),
    ("HTTP/0.9", b"data: x\n\n", 'did not answer in HTTP/1, but with "data: x"'),
    ("HTTP/2", b"HTTP/2 200\r\n\r\n", 'did not answer in HTTP/1, but with "HTTP/2 200"'),
    ("status 20", b"HTTP/1.1 20\r\n\r\n", "did not answer in HTTP/1"),
    ("status -1", b"HTTP/1.1 -10 x\r\n\r\n", "did not answer in HTTP/1"),
    ("escapes", b"\x1b[2J\r\n\r\n", 'but with "\\x1b[2J"'),
    ("no colon", HEAD + b"nonsense\r\n\r\n", "line 3 of the head has no colon"),
    ("folded", HEAD + b"A: b\r\n c\r\n\r\n", "line 4 of the head is folded"),
    ("NUL", HEAD + b"A: b\x00c\r\n\r\n", "line 3 of the head holds a control byte"),
    ("space before the colon", HEAD + b"A : b\r\n\r\n", "line 3 of the head has a name that is no token"),
], ids=lambda v: v if isinstance(v, str) and len(v) < 25 else "")
def test_framings_that_are_refused(sse, origin, name, wire, said):
    tail = sse.run("tail", says(origin, wire).url, "--no-reconnect")
    assert tail.status == 56, tail.err
    assert said in tail.err
    assert tail.err.startswith("sse: error: ") and tail.err.count("\n") == 2


@pytest.mark.parametrize("name, start, filler", [
    ("an endless head", HEAD, b"X-Filler: " + b"x" * 1000 + b"\r\n"),
    ("an endless header", HEAD + b"X: ", b"x" * 1000),
    ("an endless status line", b"HTTP/1.1 200 ", b"x" * 1000),
    ("endless interim answers", b"", b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"),
], ids=lambda v: v if isinstance(v, str) else "")
def test_heads_are_bounded(sse, origin, name, start, filler):
    def handler(c):
        c.send(start)
        while True:
            c.send(filler * 100)
    tail = sse.run("tail", origin(handler).url)
    assert tail.status == 3
    assert "sse: error: the head of the answer is larger than 65536 bytes\n" in tail.err


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
                                  "sse: hint: raise --max-event-bytes if the stream is to be trusted\n")


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
