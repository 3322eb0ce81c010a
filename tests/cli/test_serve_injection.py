"""What one client or input says reaches another client as data and never as protocol: hostile values in
every field, through every form of input and of publishing, to readers of both framings."""
import json
import re
import threading

import pytest
from support.deadline import HANG
from support.eventstream import EventStream
from support.wire import request_bytes

FORGED = b"event: evil\nid: evil\nretry: 1\ndata: evil\n\n"
CHUNK = b"\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + FORGED

# Bytes that a field is to hold. Each line end alone and doubled, in the middle and at both ends.
HOSTILE = [
    b"a\nevent: evil\ndata: evil\nid: evil\n\n", b"a\revent: evil\rid: evil\rdata: evil\r\r",
    b"a\r\nevent: evil\r\nid: evil\r\ndata: evil\r\n\r\n", b"a\n\n" + FORGED, b"a\r\r" + FORGED.replace(b"\n", b"\r"),
    b"a\r\n\r\n" + FORGED, b"\n" + FORGED, b"\r" + FORGED, b"\r\n" + FORGED, CHUNK,
    b"a\n", b"a\r", b"a\r\n", b"a\n\r", b"\r", b"\r\n", b"\r\r", b"\n\n", b"a\r\n\r", b"a\n\r\nb",
    b"a\0b", b"\0", b"a\0\nid: evil", b"a\0\r\n\r\n" + FORGED,
    "a\u2028id: evil\u2029data: evil\u0085event: evil\x0b\x0c\x1c".encode(), "\u2028".encode(), "\u2029\u2028".encode(),
    b"a\xffb", b"\xff", b"\xc0\x8a\xc0\x8a" + FORGED, b"\xe0\x80\x8adata: evil", b"\xf4\x90\x80\x80", b"\xed\xa0\x80", b"a\xe2\x80",
    b"\xef\xbb\xbfa", b"\xef\xbb\xbf", b"\xef\xbb\xbfdata: evil", b"\xff\xfea\0", b"\xfe\xff",
    b"", b" ", b":", b": evil", b"data: evil", b"data", b"id: evil", b"event:evil", b"retry: 1", b" data: evil",
    b"%0a%0adata: evil", b"\\n\\ndata: evil", b"5\r\nevil\n\r\n", b"\x1b[2J", b"\x7f\x80\x9b",
]


def shown(data):
    """What a reader must get of `data`: any line end is LF, ill-formed UTF-8 is U+FFFD."""
    return data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")


def line_field(data):
    """Whether a field of one line can carry it."""
    return not set(data) & set(b"\r\n\0")


def id_field(data):
    """Whether an id can come back in a header: no control characters but HTAB (RFC 9110 5.5)."""
    return not set(data) & (set(range(0x20)) - {0x09} | {0x7F})


class Plain:
    """A reader of HTTP/1.0: the same bytes without chunks, to the end of the connection."""

    def __init__(self, wire, url):
        self._sock = wire.send(url, request_bytes(url, version="HTTP/1.0"))
        self._sock.settimeout(HANG)

    def read(self):
        got = b""
        while piece := self._sock.recv(65536):
            got += piece
        self._sock.close()
        head, _, body = got.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ") or head.startswith(b"HTTP/1.0 200 ")
        return body


def check(body, expected, own_ids=True):
    """`body` holds these events (type, id or None for one of the server's, data) and nothing else."""
    assert b"\r" not in body  # the encoder ends its lines with LF alone
    stream = EventStream()
    stream.feed(body)
    assert body == b"" or body.endswith(b"\n\n")  # nothing is left open
    assert stream.retry is None
    assert [(e.event, e.data) for e in stream.events] == [(t, d) for t, _, d in expected]
    for event, (_, wanted, _) in zip(stream.events, expected):
        assert event.id == wanted if wanted is not None else event.id.replace("-", "").isdigit()
    assert len({e.id for e in stream.events}) == len(stream.events) or not own_ids


def relay(sse, wire, form, text, *args):
    """What readers of both framings get of a server whose input is `text`; and what it said."""
    server = sse.serve("--input", form, "--wait-clients", "2", *args, input=text)
    chunked, plain = wire.get(server.url), Plain(wire, server.url)
    body = chunked.read_all().removeprefix(b":\n\n")  # leaves with the head of a stream that is idle
    assert plain.read().removeprefix(b":\n\n") == body
    chunked.close()
    assert server.wait() == 0
    return body, server.stderr.text()


def as_lines(values):
    return b"".join(v + b"\n" for v in values), [v.removesuffix(b"\r") for v in values]


def as_nul(values):
    return b"".join(v + b"\0" for v in values), values


def as_blocks(values):
    """Blocks whose lines are the value's own; what CR and CRLF are in them is theirs."""
    lines = [[part.removesuffix(b"\r") for part in v.split(b"\n")] for v in values]
    return b"".join(v + b"\n\n" for v in values), [b"\n".join(part) for part in lines]


@pytest.mark.parametrize("form, encode, carries", [
    ("lines", as_lines, lambda v: b"\n" not in v),
    ("nul", as_nul, lambda v: b"\0" not in v),
    ("blocks", as_blocks, lambda v: b"" not in [part.removesuffix(b"\r") for part in v.split(b"\n")]),
])
def test_text_inputs_make_data_of_everything(sse, wire, form, encode, carries):
    values = [v for v in HOSTILE if carries(v)]
    assert len(values) > 25
    text, data = encode(values)
    body, said = relay(sse, wire, form, text)
    check(body, [("message", None, shown(d)) for d in data])
    assert "warning" not in said


def objects():
    """Every hostile value in every field of a JSON event, and what must come of it: None if the line
    must be refused. Values that are no UTF-8 are no JSON, and are refused as such."""
    for value in HOSTILE:
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            yield b'{"data":"' + value.replace(b'"', b'').replace(b"\n", b"\\n").replace(b"\r", b"\\r") + b'"}', None
            continue
        one_line = line_field(value)
        named = text if text else None  # an empty id or type is none
        yield {"data": text}, ("message", None, shown(value))
        yield {"event": text, "data": "d"}, (named or "message", None, "d") if one_line else None
        yield {"id": text, "data": "d"}, ("message", named, "d") if id_field(value) else None
        yield {"data": {"k": text}}, ("message", None, json.dumps({"k": text}, separators=(",", ":")))
        yield {"retry": text, "data": "d"}, None
        yield {"data": {text: 1}}, ("message", None, json.dumps({text: 1}, separators=(",", ":")))


def test_json_input_carries_or_refuses_each_field(sse, wire):
    lines, expected, refused = [], [], 0
    for given, event in objects():
        lines.append(given if isinstance(given, bytes) else json.dumps(given).encode())
        if event is None:
            refused += 1
        else:
            expected.append(event)
    body, said = relay(sse, wire, "json", b"".join(line + b"\n" for line in lines))
    check(body, expected, own_ids=False)
    assert said.count("warning: skipped line ") == min(refused, 100)
    assert refused > 100


def test_json_comments_stay_comments(sse, wire):
    texts = [v.decode("utf-8", "replace") for v in HOSTILE]
    body, _ = relay(sse, wire, "json", "".join(json.dumps({"comment": t}) + "\n" for t in texts).encode()
                    + b'{"data":"last"}\n')
    stream = EventStream()
    stream.feed(body)
    assert [e.data for e in stream.events] == ["last"] and stream.retry is None
    assert stream.events[0].id != "evil" and b"\r" not in body
    assert stream.comments == [line for t in texts for line in
                               t.replace("\r\n", "\n").replace("\r", "\n").split("\n")]


def blocks():
    """Event-stream text with hostile values in its fields, and what a relay must make of it."""
    for value in HOSTILE:
        if not line_field(value.replace(b"\0", b"")):
            continue
        # one U+0020 after the colon belongs to the field
        text = value.decode("utf-8", "replace")
        yield b"data: " + value + b"\n\n", ("message", None, text)
        if b"\0" in value:
            yield b"id: " + value + b"\ndata: d\n\n", ("message", None, "d")  # HTML 9.2.6: ignored
            yield b"event: " + value + b"\ndata: d\n\n", None
        else:
            yield b"id: " + value + b"\ndata: d\n\n", ("message", text or None, "d") if id_field(value) else None
            yield b"event: " + value + b"\ndata: d\n\n", (text or "message", None, "d")
        yield b": " + value + b"\ndata: d\n\n", ("message", None, "d")


def test_event_stream_input_carries_or_refuses_each_field(sse, wire):
    text, expected, refused = b"", [], 0
    for block, event in blocks():
        text += block
        if event is None:
            refused += 1
        else:
            expected.append(event)
    body, said = relay(sse, wire, "sse", text)
    check(body, expected, own_ids=False)
    assert said.count("contains NUL") + said.count("contains the control character") == refused > 4


# ---- publishing: what one client sends, and another reads -----------------------------------------

def chunks(body, size):
    pieces = [body[at:at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


def framed(framing, body):
    """Header and bytes of a body."""
    if framing == "length":
        return b"Content-Length: %d\r\n" % len(body), body
    return b"Transfer-Encoding: chunked\r\n", chunks(body, 1 if framing == "bytes" else 7)


def bodies(kind):
    """Bodies of that content type, and the events that each must become, or None for 400."""
    if kind == "text/plain":
        for value in HOSTILE:
            yield value, [("message", None, shown(value))]
    elif kind == "application/json":
        for given, event in objects():
            yield (given if isinstance(given, bytes) else json.dumps(given).encode()), event and [event]
    else:
        for block, event in blocks():
            yield block, event and [event]


@pytest.mark.parametrize("framing", ["length", "chunked", "bytes"])
@pytest.mark.parametrize("kind", ["text/plain", "application/json", "text/event-stream"])
def test_what_is_published_is_data_to_others(sse, wire, kind, framing):
    server = sse.serve("--publish", "--wait-clients", "2")
    reader, plain = wire.get(server.url), Plain(wire, server.url)
    expected, statuses, sent = [], [], b""
    for body, events in bodies(kind):
        header, bytes_ = framed(framing, body)
        sent += (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + kind.encode() + b"\r\n" + header +
                 b"\r\n" + bytes_)
        statuses.append(400 if events is None else 201)
        expected += events or []
    expected.append(("message", None, "last"))
    # All on one connection: a byte that is taken for more or less than it is would show here, too.
    sock = wire.connect(server.url)
    sock.settimeout(HANG)
    last = b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlast"
    writer = threading.Thread(target=sock.sendall, args=(sent + last,), daemon=True)
    writer.start()
    answers = b""
    while piece := sock.recv(65536):
        answers += piece
    writer.join()
    got = [int(status) for status in re.findall(rb"^HTTP/1\.1 (\d+) ", answers, re.MULTILINE)]
    assert got == statuses + [201]
    reader.events(len(expected))
    server.signal(15)
    body = reader.read_all()
    assert plain.read() == body
    check(body, expected, own_ids=False)
    if framing == "length":
        assert 201 in statuses and (kind == "text/plain" or 400 in statuses)


def test_what_a_reader_asks_with_is_in_no_other_stream(sse, wire):
    """Paths, queries, ids and headers of a client that asks: another reader never sees them."""
    server = sse.serve("--publish", "--channels")
    other = wire.get(server.url)
    for value in HOSTILE:
        escaped = "".join(f"%{byte:02x}" for byte in value)
        for target in (f"/{escaped}", f"/?last_event_id={escaped}", f"/?{escaped}=1"):
            wire.request(server.url, target=target).close()
        if line_field(value):
            raw = value.decode("latin-1")
            answer = wire.request(server.url, headers=[("Host", "localhost"), ("Last-Event-ID", raw)])
            assert answer.status in (200, 400) and "evil" not in answer.head.decode("latin-1")
            answer.close()
    assert wire.request(server.url, "POST", body=b"last").status == 201
    assert [(e.event, e.data) for e in other.events(1)] == [("message", "last")]
    assert b"evil" not in other.body
