"""sse record: what passes through the proxy, and what it records."""
import contextlib
import functools
import gzip
import hashlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

from support.certificates import Authority
from support.deadline import HANG, poll
from support.ports import free_port
from support.record import body, files, lines, only, record
from support.recording import recorded, recording
from support.wire import Answer, Cut, request_bytes, reset

CHUNKED = {"Transfer-Encoding": "chunked"}
EVENTS = [b"data: one\n\n", b"data: tw", b"o\n\n", b"event: end\ndata: \xe8\xb1\x86\n\n"]


def stream(connection):
    """Sends the chunks one after the other, and ends."""
    connection.head("200 OK", "X-Odd-Case: Kept", "Set-Cookie: a=secret", "Set-Cookie: b=secret")
    for piece in EVENTS:
        connection.chunk(piece)
    connection.end()


# A head and a chunk that arrive together.
BEGINNING = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
             b"%x\r\n%b\r\n" % (len(EVENTS[0]), EVENTS[0]))


def stream_and_stay(connection):
    """Sends one chunk, and nothing more."""
    connection.send(BEGINNING)
    connection.wait_for_close()


@contextlib.contextmanager
def fifo(path):
    """A FIFO in the place of a recording: who opens it waits for a reader, which the first call of what is yielded opens."""
    os.mkfifo(path)
    reader = functools.cache(lambda: path.open("rb"))
    try:
        yield reader
    finally:
        both = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # a test that fails leaves nobody waiting
        reader().close()
        os.close(both)


def closed_recording(directory):
    """The lines of the only recording, once it says how the connection ended."""
    def whole():
        if len(files(directory)) != 1:
            return None
        records = lines(directory / files(directory)[0])
        return records if any("close" in r for r in records) else None
    return poll("the end of the recording", whole)


def test_a_stream_passes_unchanged_and_is_recorded_chunk_by_chunk(sse, wire, origin, tmp_path):
    api = origin(stream)
    proxy = record(sse, api.url, tmp_path / "made/here")
    answer = wire.request(proxy.url + "v1/chat?a=1&b=%2F", "POST", body=b'{"x":1}',
                          headers={"Authorization": "Bearer sk-1", "X-Api-Key": "sk-2", "X-Plain": "p"})
    assert answer.status == 200
    assert answer.headers[:4] == [("Content-Type", "text/event-stream"), ("X-Odd-Case", "Kept"),
                                  ("Set-Cookie", "a=secret"), ("Set-Cookie", "b=secret")]
    assert answer.read_all() == b"".join(EVENTS)
    asked = api.requests[0]
    assert (asked.method, asked.target, asked.body) == ("POST", "/v1/chat?a=1&b=%2F", b'{"x":1}')
    assert asked.header("host") == f"127.0.0.1:{api.port}"
    assert asked.header("authorization") == "Bearer sk-1"
    assert asked.header("x-plain") == "p"
    head, *records = closed_recording(proxy.directory)
    assert (head["sse"], head["exact"], head["url"]) == (1, True, api.url + "v1/chat?a=1&b=%2F")
    assert head["request"]["body"] == '{"x":1}'
    assert head["request"]["headers"]["Authorization"] == "***"
    assert head["request"]["headers"]["X-Api-Key"] == "***"
    assert head["request"]["headers"]["X-Plain"] == "p"
    assert head["response"]["headers"]["Set-Cookie"] == ["***", "***"]
    assert [r["bytes"].encode() for r in records if "bytes" in r] == EVENTS
    assert records[-1]["close"] == "eof"
    assert [r["t"] for r in records] == sorted(r["t"] for r in records)


def test_each_chunk_has_its_time_since_the_request(sse, wire, origin, tmp_path):
    def answer(connection):
        time.sleep(0.2)
        connection.head("200 OK")
        for piece in EVENTS[:2]:
            connection.chunk(piece)
            time.sleep(0.3)
        connection.end()
    wire.get(record(sse, origin(answer).url, tmp_path).url).read_all()
    first, second, end = (r["t"] for r in closed_recording(tmp_path)[1:])
    assert first >= 0.2 and second - first >= 0.25 and end - second >= 0.25
    started = time.monotonic()
    wire.get(sse.replay(tmp_path).url).read_all()
    assert time.monotonic() - started >= second


def test_names_are_readable_stable_and_numbered(sse, wire, origin, tmp_path):
    api = origin(lambda c: c.answer("200 OK", "{}", content_type="application/json"))
    proxy = record(sse, api.url, tmp_path)
    for sent in (b'{"a":1,"b":2}', b'{ "b": 2, "a": 1.0 }', b'{"a":2}'):
        wire.request(proxy.url + "v1/chat completions".replace(" ", "%20"), "POST", body=sent).read_all()
    wire.get(proxy.url + "models").read_all()
    poll("the recordings", lambda: len(files(tmp_path)) == 4)
    one, two = (hashlib.sha256(b"\n" + text).hexdigest()[:12] for text in (b'{"a":1,"b":2}', b'{"a":2}'))
    assert files(tmp_path) == sorted([
        "GET-models-0001.jsonl", f"POST-v1-chat-completions-{one}-0001.jsonl",
        f"POST-v1-chat-completions-{one}-0002.jsonl", f"POST-v1-chat-completions-{two}-0001.jsonl"])


@pytest.mark.parametrize("status, headers, sent", [
    ("401 Unauthorized", ["WWW-Authenticate: Bearer"], '{"error":"no key"}'),
    ("429 Too Many Requests", ["Retry-After: 7"], '{"error":"slow down"}'), ("200 OK", [], '{"data":[1,2]}'),
    ("500 Oops Indeed", [], "")])
def test_responses_that_are_no_streams_are_recorded_and_replayed(sse, wire, origin, tmp_path, status, headers, sent):
    api = origin(lambda c: c.answer(status, sent, *headers, content_type="application/json"))
    proxy = record(sse, api.url, tmp_path)
    answer = wire.request(proxy.url + "x", "POST", body=b"{}")
    assert f"{answer.status} {answer.reason}" == status
    assert answer.header("content-length") == str(len(sent))
    assert answer.read_all().decode() == sent
    closed_recording(tmp_path)
    again = wire.request(sse.replay(tmp_path).url + "x", "POST", body=b"{}")
    assert again.status == answer.status
    assert again.header("content-type") == "application/json"
    for header in headers:
        name, value = header.split(": ")
        assert again.header(name) == value
    assert again.read_all().decode() == sent


def test_the_head_alone_says_of_the_body_what_get_says(sse, wire, origin, tmp_path):
    api = origin(lambda c: c.answer("200 OK", "" if c.request.method == "HEAD" else "{}", content_type="application/json"))
    assert wire.get(record(sse, api.url, tmp_path).url).read_all() == b"{}"
    closed_recording(tmp_path)
    server = sse.replay(tmp_path)
    for method in ("HEAD", "GET"):
        head = wire.request(server.url, method)
        assert (head.header("content-length"), head.header("transfer-encoding")) == (None, "chunked")


def test_a_response_without_a_type_is_replayed_without_one(sse, wire, origin, tmp_path):
    proxy = record(sse, origin(lambda c: c.answer("200 OK", "plain")).url, tmp_path)
    assert wire.get(proxy.url).header("content-type") is None
    closed_recording(tmp_path)
    again = wire.get(sse.replay(tmp_path).url)
    assert (again.header("content-type"), again.read_all()) == (None, b"plain")


def test_the_base_path_of_the_upstream_is_put_first_and_not_asked_for_on_replay(sse, wire, origin, tmp_path):
    api = origin(stream)
    proxy = record(sse, api.url + "base/v1/", tmp_path)
    wire.get(proxy.url + "feed?n=1").read_all()
    assert api.requests[0].target == "/base/v1/feed?n=1"
    head = closed_recording(tmp_path)[0]
    assert (head["url"], head["request"]["target"]) == (api.url + "base/v1/feed?n=1", "/feed?n=1")
    assert wire.get(sse.replay(tmp_path).url + "feed?n=1").read_all() == b"".join(EVENTS)


@pytest.mark.parametrize("sent, kept", [
    ({"Connection": "keep-alive, X-Gone", "X-Gone": "1", "Keep-Alive": "timeout=5", "TE": "gzip"}, []),
    ({"Proxy-Connection": "keep-alive", "Proxy-Authorization": "Basic x"}, []),
    ({"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AA"}, []),
    ({"TE": "trailers"}, [("Connection", "close, TE"), ("TE", "trailers")])])
def test_fields_of_one_connection_are_not_passed_on(sse, wire, origin, tmp_path, sent, kept):
    api = origin(stream)
    wire.get(record(sse, api.url, tmp_path).url, headers={**sent, "X-Stays": "1"}).read_all()
    headers = api.requests[0].headers
    assert headers == [("Host", f"127.0.0.1:{api.port}"), ("X-Stays", "1"), *(kept or [("Connection", "close")])]


@pytest.mark.parametrize("accept, passed", [("zstd, gzip;q=0.8, br", "gzip;q=0.8, br"), ("zstd", "identity"),
                                            ("gzip", "gzip"), ("*", "identity"), ("identity", "identity")])
def test_codings_that_cannot_be_recorded_are_not_asked_for(sse, wire, origin, tmp_path, accept, passed):
    api = origin(stream)
    wire.get(record(sse, api.url, tmp_path).url, headers={"Accept-Encoding": accept}).read_all()
    assert api.requests[0].all("accept-encoding") == [passed]


def test_a_compressed_response_passes_as_it_is_and_is_recorded_decoded(sse, wire, origin, tmp_path):
    packed = gzip.compress(b"".join(EVENTS))

    def answer(connection):
        connection.head("200 OK", "Content-Encoding: gzip")
        connection.chunk(packed[:12])
        connection.chunk(packed[12:])
        connection.end()
    api = origin(answer)
    proxy = record(sse, api.url, tmp_path)
    got = wire.get(proxy.url, headers={"Accept-Encoding": "gzip"})
    assert got.header("content-encoding") == "gzip"
    assert got.read_all() == packed
    assert body(closed_recording(tmp_path)) == b"".join(EVENTS)
    again = wire.get(sse.replay(tmp_path).url)
    assert again.header("content-encoding") is None
    assert again.read_all() == b"".join(EVENTS)


def test_a_coding_that_cannot_be_decoded_passes_and_is_not_recorded(sse, wire, origin, tmp_path):
    def answer(connection):
        connection.head("200 OK", "Content-Encoding: zstd")
        connection.chunk(b"\x28\xb5whatever")
        connection.end()
    proxy = record(sse, origin(answer).url, tmp_path)
    assert wire.get(proxy.url).read_all() == b"\x28\xb5whatever"
    proxy.stderr.wait_for(r'warning: GET / is not recorded further: the content coding "zstd" cannot be decoded')
    proxy.signal(signal.SIGTERM)
    assert proxy.wait() == 23
    assert files(tmp_path) == []


def test_interim_responses_trailers_and_the_reason_pass(sse, wire, origin, tmp_path):
    def answer(connection):
        connection.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        connection.head("200 Fine, thanks", "Trailer: X-Sum")
        connection.chunk("data: x\n\n")
        connection.send("0\r\nX-Sum: 42\r\nContent-Length: 1\r\n\r\n")
    proxy = record(sse, origin(answer).url, tmp_path)
    sock = wire.send(proxy.url, request_bytes(proxy.url, headers={"TE": "trailers", "Connection": "close"}))
    received = b""
    while piece := sock.recv(65536):
        received += piece
    assert received.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 Fine, thanks\r\n")
    assert received.endswith(b"9\r\ndata: x\n\n\r\n0\r\nX-Sum: 42\r\n\r\n")


def test_expect_100_is_for_the_upstream_to_answer(sse, wire, origin, tmp_path):
    def answer(connection):
        assert connection.request.header("expect") == "100-continue"
        connection.send("HTTP/1.1 100 Continue\r\n\r\n")
        got = connection.sock.recv(100)
        connection.answer("200 OK", got)
    proxy = record(sse, origin(answer, reads_body=False).url, tmp_path)
    sock = wire.send(proxy.url, request_bytes(proxy.url, "POST", headers={"Expect": "100-continue", "Content-Length": "5"}))
    assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    sock.sendall(b"hello")
    assert Answer(sock).read_all() == b"hello"


def test_a_refused_expectation_ends_the_exchange_without_the_body(sse, wire, origin, tmp_path):
    api = origin(lambda c: c.answer("417 Expectation Failed", "no"), reads_body=False)
    proxy = record(sse, api.url, tmp_path)
    sock = wire.send(proxy.url, request_bytes(proxy.url, "POST", headers={"Expect": "100-continue", "Content-Length": "5"}))
    answer = Answer(sock)
    assert (answer.status, answer.header("connection")) == (417, "close")
    assert answer.read_all() == b"no"


@pytest.mark.parametrize("method, status, headers", [("HEAD", "200 OK", ["Content-Length: 123"]),
                                                     ("GET", "204 No Content", []), ("GET", "304 Not Modified", ["ETag: x"])])
def test_responses_without_a_body(sse, wire, origin, tmp_path, method, status, headers):
    def answer(connection):
        connection.send("\r\n".join([f"HTTP/1.1 {status}", "X-A: b", *headers, "", ""]))
        connection.wait_for_close()
    proxy = record(sse, origin(answer).url, tmp_path)
    sock = wire.send(proxy.url, 2 * request_bytes(proxy.url, method))
    got = None
    for _ in range(2):
        got = Answer(sock, method, after=got)
        assert (f"{got.status} {got.reason}", got.header("x-a")) == (status, "b")
        assert [f"{n}: {v}" for n, v in got.headers if n != "X-A"] == headers
    poll("both", lambda: len(files(tmp_path)) == 2)
    again = wire.request(sse.replay(tmp_path).url, method)
    assert (again.status, again.header("x-a")) == (got.status, "b")


def test_one_connection_carries_many_requests_even_sent_ahead(sse, wire, origin, tmp_path):
    def answer(connection):
        connection.head("200 OK")
        connection.chunk(connection.request.target + " ")
        connection.chunk(connection.request.body or b"-")
        connection.end()
    proxy = record(sse, origin(answer).url, tmp_path)
    sock = wire.send(proxy.url, request_bytes(proxy.url + "1", "POST", body=b"one") + request_bytes(proxy.url + "2") +
                     request_bytes(proxy.url + "3", "POST", body=b"three"))
    answers = []
    for _ in range(3):  # one after the other, from one socket
        data = b""
        while not data.endswith(b"0\r\n\r\n"):
            data += sock.recv(1)
        answers.append(data)
    assert [a.partition(b"\r\n\r\n")[2] for a in answers] == [
        b"3\r\n/1 \r\n3\r\none\r\n0\r\n\r\n", b"3\r\n/2 \r\n1\r\n-\r\n0\r\n\r\n", b"3\r\n/3 \r\n5\r\nthree\r\n0\r\n\r\n"]


def test_a_chunked_request_passes_as_it_arrives(sse, wire, origin, tmp_path):
    seen, go = [], threading.Event()

    def answer(connection):
        data = connection.request.body
        while b"first" not in data:
            data += connection.sock.recv(1000)
        go.set()
        while not data.endswith(b"0\r\n\r\n"):
            data += connection.sock.recv(1000)
        seen.append(data)
        connection.answer("200 OK", "got it")
    api = origin(answer, reads_body=False)
    proxy = record(sse, api.url, tmp_path)
    sock = wire.send(proxy.url, request_bytes(proxy.url, "POST", headers=CHUNKED) + b"5\r\nfirst\r\n")
    assert go.wait(HANG)
    sock.sendall(b"3;ext=1\r\n, 2\r\n0\r\n\r\n")
    assert Answer(sock).read_all() == b"got it"
    assert api.requests[0].header("transfer-encoding") == "chunked"
    assert api.requests[0].header("content-length") is None
    assert seen[0].endswith(b"3\r\n, 2\r\n0\r\n\r\n")
    assert closed_recording(tmp_path)[0]["request"]["body"] == "first, 2"


@pytest.mark.parametrize("trailers, passed", [
    ("X-Sum: 1\r\nX-Sum:  2 \r\n", "X-Sum: 1\r\nX-Sum: 2\r\n"),
    ("Content-Length: 9\r\nHost: evil\r\nX-Sum: 1\r\n", "X-Sum: 1\r\n"), ("no field\r\n", "")])
@pytest.mark.parametrize("played", [False, True], ids=["as it arrives", "whole"])
def test_trailers_of_a_request_pass(sse, wire, origin, tmp_path, played, trailers, passed):
    got = []

    def answer(connection):
        data = connection.request.body
        while b"\r\n0\r\n" not in data or not data.endswith(b"\r\n\r\n"):
            data += connection.sock.recv(1000)
        got.append(data)
        connection.answer("200 OK", "got it")
    api = origin(answer, reads_body=False)
    if played:
        recording(tmp_path / "a.jsonl", {"t": 0, "data": "x"}, head={**recorded("GET", api.url + "other"), "exact": True})
    proxy = record(sse, api.url, tmp_path, *(["--mode", "new"] if played else []))
    sock = wire.send(proxy.url, request_bytes(proxy.url, "POST", headers={**CHUNKED, "Trailer": "X-Sum"}))
    sock.sendall(b"4\r\nbody\r\n0\r\n" + trailers.encode() + b"\r\n")
    assert Answer(sock).read_all() == b"got it"
    assert got == [b"4\r\nbody\r\n0\r\n" + passed.encode() + b"\r\n"]
    assert api.requests[0].header("trailer") == "X-Sum"


def test_http_1_0_gets_no_chunks(sse, wire, origin, tmp_path):
    proxy = record(sse, origin(stream).url, tmp_path)
    answer = wire.get(proxy.url, version="HTTP/1.0")
    assert answer.header("transfer-encoding") is None and answer.header("connection") == "close"
    assert answer.read_all() == b"".join(EVENTS)


def test_a_body_that_ends_with_the_connection_ends_well(sse, wire, origin, tmp_path):
    def answer(connection):
        connection.send("HTTP/1.0 200 OK\nContent-Type: text/event-stream\n\n")
        connection.send(b"".join(EVENTS))
    proxy = record(sse, origin(answer).url, tmp_path)
    answer = wire.get(proxy.url)
    assert answer.chunked and answer.read_all() == b"".join(EVENTS)
    assert closed_recording(tmp_path)[-1]["close"] == "eof"


# -- breaks

def broken_by(how):
    """An origin that sends an event, waits until the client has it, and breaks."""
    seen = threading.Event()

    def answer(connection):
        connection.head("200 OK", *(["Content-Length: 100"] if how == "short" else []))
        if how == "short":
            connection.send("data: 1\n\n")
        else:
            connection.chunk("data: 1\n\n")
        seen.wait(HANG)
        if how == "reset":
            connection.reset()
        elif how == "bad chunk":
            connection.send("zz\r\n")
            connection.wait_for_close()
    return answer, seen


@pytest.mark.parametrize("how, close, why", [
    ("reset", "reset", "Connection reset by peer"), ("fin", "error", "closed the connection before the last chunk"),
    ("short", "error", "closed the connection 91 bytes before the end"),
    ("bad chunk", "error", "chunked body: a chunk size is not a hexadecimal number")])
def test_an_upstream_that_breaks_breaks_the_client(sse, wire, origin, tmp_path, how, close, why):
    answer, seen = broken_by(how)
    proxy = record(sse, origin(answer).url, tmp_path)
    got = wire.get(proxy.url)
    assert got.more() == b"data: 1\n\n"
    seen.set()
    with pytest.raises(ConnectionResetError if how == "reset" else Cut):
        got.read_all()
    last = closed_recording(tmp_path)[-1]
    assert last["close"] == close and why in last["message"]
    proxy.stderr.wait_for(why)


def test_an_upstream_that_closes_without_a_response_does_so_to_the_client(sse, wire, origin, tmp_path):
    proxy = record(sse, origin(lambda c: None).url, tmp_path)
    with pytest.raises(Cut):
        wire.get(proxy.url)
    proxy.stderr.wait_for("warning: GET /: the server closed the connection without a response")
    assert files(tmp_path) == []


@pytest.mark.parametrize("sent, status, why", [
    ("SSH-2.0-OpenSSH\r\n", 502, "it does not speak HTTP/1; it sent \"SSH-2.0-OpenSSH\""),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 502, 'Transfer-Encoding is "gzip"'),
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 502, "two Content-Length values"),
    ("HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n", 502, "line 2 of the head has an invalid name"),
    ("HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", 502, "line 2 of the head contains a control byte"),
    ("HTTP/1.1 2 OK\r\n\r\n", 502, 'the status line is "HTTP/1.1 2 OK"'),
    ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 502, "switches to a protocol"),
    ("HTTP/1.1 200 OK\r\nX: " + "y" * 70000 + "\r\n\r\n", 502, "larger than 65536 bytes")])
def test_what_is_no_response_is_told_to_the_client(sse, wire, origin, tmp_path, sent, status, why):
    def answer(connection):
        connection.send(sent)
        connection.wait_for_close()
    proxy = record(sse, origin(answer).url, tmp_path)
    got = wire.get(proxy.url)
    assert got.status == status
    assert why in got.read_all().decode()
    assert files(tmp_path) == []


def test_an_upstream_that_is_not_there_is_a_502(sse, wire, tmp_path):
    port = free_port()
    proxy = record(sse, f"http://127.0.0.1:{port}/", tmp_path)
    got = wire.request(proxy.url + "x?token=secret", "POST", body=b"{}")
    assert got.status == 502
    assert got.read_all() == f"sse record: cannot connect to 127.0.0.1:{port}: Connection refused\n".encode()
    proxy.stderr.wait_for(r"warning: POST /x\?token=\*\*\*: cannot connect")
    got = wire.get(record(sse, "http://no-such-host.invalid", tmp_path).url)
    assert got.status == 502 and b"cannot resolve no-such-host.invalid" in got.read_all()


@pytest.mark.parametrize("leave", [socket.socket.close, reset], ids=["FIN", "RST"])
def test_a_client_that_leaves_ends_the_upstream_request(sse, wire, origin, tmp_path, leave):
    left = threading.Event()

    def answer(connection):
        connection.head("200 OK")
        connection.chunk("data: 1\n\n")
        connection.wait_for_close()
        left.set()
    proxy = record(sse, origin(answer).url, tmp_path)
    got = wire.get(proxy.url)
    got.more()
    leave(got.sock)
    assert left.wait(HANG)
    last = closed_recording(tmp_path)[-1]
    assert (last["close"], last["message"]) == ("client", "the client ended the connection")
    assert wire.get(sse.replay(tmp_path).url).read_all() == b"data: 1\n\n"


@pytest.mark.parametrize("leave", [socket.socket.close, reset], ids=["FIN", "RST"])
@pytest.mark.parametrize("sent", [b"", b"Content-Length: 100\r\n\r\nhalf of it",
                                  b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"], ids=["no body", "body", "chunked"])
def test_a_client_that_leaves_before_the_response_ends_the_upstream_request(sse, wire, origin, tmp_path, leave, sent):
    got, left = [], threading.Event()

    def answer(connection):
        data = connection.request.body
        try:
            while piece := connection.sock.recv(1000):
                data += piece
        except ConnectionResetError:
            pass
        got.append(data)
        left.set()
    api = origin(answer, reads_body=False)
    proxy = record(sse, api.url, tmp_path)
    head = request_bytes(proxy.url, "POST" if sent else "GET")
    sock = wire.send(proxy.url, head[:-2] + sent if sent else head)
    api.wait_requests(1)
    leave(sock)
    assert left.wait(HANG)
    assert not got[0].endswith(b"0\r\n\r\n")  # upstream, the body is not complete
    assert files(tmp_path) == []


def test_a_client_that_resets_an_upload_that_is_not_read_ends_the_upstream_request(sse, wire, origin, tmp_path):
    """The proxy does not read it, either, and so does not see the reset among its bytes."""
    go, left = threading.Event(), threading.Event()

    def answer(connection):
        go.wait(HANG)
        try:
            while connection.sock.recv(65536):
                pass
        except ConnectionResetError:
            pass
        left.set()
    proxy = record(sse, origin(answer, reads_body=False).url, tmp_path, "--body-timeout", "10m")
    before = proxy.descriptors()
    sock = wire.send(proxy.url, request_bytes(proxy.url, "PUT", headers={"Content-Length": str(1 << 30)}))
    sock.settimeout(2)
    with pytest.raises(TimeoutError):
        while True:
            sock.send(b"x" * 65536)
    reset(sock)
    poll("the end of both connections", lambda: proxy.descriptors() <= before)
    go.set()
    assert left.wait(HANG)


def test_a_slow_client_slows_its_upstream_and_takes_no_memory(sse, wire, origin, tmp_path):
    """64 MiB wait for a client that does not read: they stay with the upstream server."""
    sent = [0]

    def answer(connection):
        connection.head("200 OK")
        connection.sock.settimeout(3)
        try:
            for _ in range(1024):
                connection.chunk(b"x" * 65536)
                sent[0] += 65536
        except TimeoutError:
            pass
        connection.wait_for_close()
    proxy = record(sse, origin(answer).url, tmp_path)
    before = proxy.rss_kib()
    got = wire.get(proxy.url)
    got.more()
    poll("the upstream to be blocked", lambda: sent[0] > 0 and not _grows(sent))
    assert sent[0] < 48 * 1024 * 1024
    assert proxy.rss_kib() - before < 8 * 1024


def _grows(sent):
    before = sent[0]
    threading.Event().wait(1)
    return sent[0] != before


def test_a_slow_upstream_slows_the_client(sse, wire, origin, tmp_path):
    go = threading.Event()

    def answer(connection):
        go.wait(HANG)
        left = 32 * 1024 * 1024 - len(connection.request.body)
        while left > 0:
            left -= len(connection.sock.recv(65536))
        connection.answer("200 OK", "all of it")
    proxy = record(sse, origin(answer, reads_body=False).url, tmp_path)
    before = proxy.rss_kib()
    sock = wire.send(proxy.url, request_bytes(proxy.url, "PUT", headers={"Content-Length": str(32 * 1024 * 1024)}))
    sock.settimeout(2)
    block, sent = b"x" * 65536, 0
    with pytest.raises(TimeoutError):
        while True:
            sent += sock.send(block)
    assert sent < 24 * 1024 * 1024
    assert proxy.rss_kib() - before < 24 * 1024
    go.set()
    sock.settimeout(HANG)
    while sent < 32 * 1024 * 1024:
        sent += sock.send(block[:32 * 1024 * 1024 - sent])
    assert Answer(sock).read_all() == b"all of it"
    proxy.stderr.wait_for("the request body of PUT / is too large to be recorded")
    assert "body" not in closed_recording(tmp_path)[0]["request"]


def test_a_body_goes_on_that_came_before_the_upstream_was_connected(sse, wire, tmp_path):
    authority = Authority(tmp_path)
    cert, key = authority.issue("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    listener, go, size = socket.create_server(("127.0.0.1", 0)), threading.Event(), 32 * 1024 * 1024

    def serve():
        sock = listener.accept()[0]
        go.wait(HANG)
        with context.wrap_socket(sock, server_side=True) as tls:
            got = b""
            while b"\r\n\r\n" not in got:
                got += tls.recv(65536)
            left = size - len(got.partition(b"\r\n\r\n")[2])
            while left > 0:
                left -= len(tls.recv(65536))
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall of it")
            tls.unwrap()
    threading.Thread(target=serve, daemon=True).start()
    proxy = record(sse, f"https://localhost:{listener.getsockname()[1]}", tmp_path / "d", "--cacert", authority.ca,
                   "--connect-timeout", "600s")
    sock = wire.send(proxy.url, request_bytes(proxy.url, "PUT", headers={"Content-Length": str(size)}))
    block, sent = b"x" * 65536, 0
    sock.settimeout(2)
    with pytest.raises(TimeoutError):
        while True:
            sent += sock.send(block)
    go.set()
    sock.settimeout(HANG)
    sock.sendall(bytes(size - sent))
    assert Answer(sock).read_all() == b"all of it"


def test_a_kill_leaves_a_recording_that_replays(sse, wire, origin, tmp_path):
    proxy = record(sse, origin(stream_and_stay).url, tmp_path)
    assert wire.get(proxy.url).more() == EVENTS[0]
    poll("the event in the file", lambda: files(tmp_path) and len(only(tmp_path)) == 2)
    proxy.end_hard()
    assert wire.get(sse.replay(tmp_path).url).read_all() == EVENTS[0]


def test_the_first_bytes_pass_before_they_are_recorded(sse, wire, origin, tmp_path):
    """The file of the recording is a FIFO that nobody reads yet, and opening it blocks."""
    proxy = record(sse, origin(stream_and_stay).url, tmp_path)
    with fifo(tmp_path / "GET-x-0001.jsonl") as written:
        assert wire.get(proxy.url + "x").more() == EVENTS[0]
        head, event = json.loads(written().readline()), json.loads(written().readline())
    assert (head["response"]["status"], event["bytes"].encode()) == (200, EVENTS[0])


@pytest.mark.parametrize("send, before, end", [
    (lambda c: c.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole"), b"whol", b"e"),
    (lambda c: c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\nA: b\r\n\r\n"),
     b"5\r\nwhole\r\n", b"0\r\nA: b\r\n\r\n")], ids=["length", "chunked"])
def test_the_end_of_a_response_passes_after_it_is_recorded(sse, wire, origin, tmp_path, send, before, end):
    proxy = record(sse, origin(send).url, tmp_path)
    with fifo(tmp_path / "GET-x-0001.jsonl") as written:
        sock = wire.send(proxy.url, request_bytes(proxy.url + "x"))
        got = b""
        while not got.endswith(before):
            got += sock.recv(1000)
        written()
        assert sock.recv(1000) == end
        assert [list(json.loads(line))[1] for line in written()] == ["started", "bytes", "close"]


def test_what_arrives_for_a_client_that_has_left_is_recorded(sse, wire, origin, tmp_path):
    """The only loop waits for a reader of a FIFO. Before it goes on, a response begins and then its client leaves, so
    that the proxy fails to send what it is about to record."""
    go, sent = threading.Event(), threading.Event()

    def answer(connection):
        if connection.request.target == "/left":
            assert go.wait(HANG)
        connection.send(BEGINNING)
        if connection.request.target == "/left":
            sent.set()
        connection.wait_for_close()
    api = origin(answer)
    proxy = record(sse, api.url, tmp_path, "--threads", "1")
    sock = wire.send(proxy.url, request_bytes(proxy.url + "left"))
    api.wait_requests(1)
    with fifo(tmp_path / "GET-fifo-0001.jsonl") as written:
        assert wire.get(proxy.url + "fifo").more() == EVENTS[0]
        go.set()
        assert sent.wait(HANG)
        reset(sock)
        written()
        path = tmp_path / "GET-left-0001.jsonl"
        _, event, close = poll("the recording", lambda: path.exists() and len(lines(path)) == 3 and lines(path))
    assert (event["bytes"].encode(), close["close"]) == (EVENTS[0], "client")


# -- requests that are refused, and attacks

@pytest.mark.parametrize("request_line, headers, status, why", [
    ("CONNECT example.com:443 HTTP/1.1", "", 400, "the target is not a path"),
    ("GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", 501, "cannot upgrade to websocket"),
    ("CONNECT / HTTP/1.1", "", 501, "opens no tunnels"),
    ("POST / HTTP/1.1", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400, "both Transfer-Encoding"),
    ("POST / HTTP/1.1", "Content-Length: 5\r\nContent-Length: 6\r\n", 400, "more than one Content-Length"),
    ("POST / HTTP/1.1", "Content-Length: +5\r\n", 400, "not a number"),
    ("POST / HTTP/1.1", "Transfer-Encoding: xchunked\r\n", 501, "other than chunked"),
    ("GET / HTTP/1.1", "X : y\r\n", 400, "invalid name"), ("GET / HTTP/1.1", "X: " + "y" * 20000 + "\r\n", 431, "longer than"),
    ("GET / HTTP/1.1", "X: a\nY: b\r\n", 400, "bare LF|control byte")])
def test_requests_that_could_be_misread_reach_no_upstream(sse, wire, origin, tmp_path, request_line, headers, status, why):
    api = origin(stream)
    proxy = record(sse, api.url, tmp_path)
    sock = wire.send(proxy.url, f"{request_line}\r\nHost: {proxy.url[7:-1]}\r\n{headers}\r\n".encode())
    answer = Answer(sock)
    assert answer.status == status
    assert re.search(why, answer.read_all().decode())
    assert api.requests == []


def test_an_absolute_target_is_that_of_this_server(sse, wire, origin, tmp_path):
    api = origin(stream)
    proxy = record(sse, api.url, tmp_path)
    wire.get(proxy.url, target=proxy.url + "a/b?c=d#e").read_all()
    assert api.requests[0].target == "/a/b?c=d"
    assert wire.get(proxy.url, target="http://evil.example/x", headers={"Host": "evil.example"}).status == 403


@pytest.mark.parametrize("bad", [b"zz\r\n", b"-2\r\n", b"5\r\nhello!!"])
def test_a_malformed_request_body_is_not_completed_upstream(sse, wire, origin, tmp_path, bad):
    got = []

    def answer(connection):
        connection.sock.settimeout(HANG)
        data = connection.request.body
        while piece := connection.sock.recv(1000):
            data += piece
        got.append(data)
    api = origin(answer, reads_body=False)
    proxy = record(sse, api.url, tmp_path)
    sock = wire.send(proxy.url, request_bytes(proxy.url, "POST", headers={"Transfer-Encoding": "chunked"}) + b"3\r\nabc\r\n")
    api.wait_requests(1)
    sock.sendall(bad)
    assert Answer(sock).status == 400
    poll("the end upstream", lambda: got)
    assert not got[0].endswith(b"0\r\n\r\n")


def test_the_body_limit_is_kept_on_the_way(sse, wire, origin, tmp_path):
    proxy = record(sse, origin(lambda c: c.wait_for_close(), reads_body=False).url, tmp_path, "--max-body-bytes", "10")
    assert wire.request(proxy.url, "POST", body=b"x" * 11).status == 413
    assert wire.request(proxy.url, "POST", headers={"Transfer-Encoding": "chunked"}, body=b"b\r\nhello hello\r\n0\r\n\r\n").status == 413


def test_a_body_that_does_not_arrive_is_given_up(sse, wire, origin, tmp_path):
    proxy = record(sse, origin(lambda c: c.wait_for_close(), reads_body=False).url, tmp_path, "--body-timeout", "100ms")
    sock = wire.send(proxy.url, request_bytes(proxy.url, "POST", headers={"Content-Length": "5"}) + b"he")
    assert Answer(sock).status == 408


def test_a_token_is_for_the_proxy_alone(sse, wire, origin, tmp_path):
    api = origin(stream)
    proxy = record(sse, api.url, tmp_path, env={"SSE_TOKEN": "mine"})
    assert wire.get(proxy.url).status == 401
    wire.get(proxy.url + "?x=1&access_token=mine&y=2", headers={"X-Api-Key": "theirs"}).read_all()
    wire.get(proxy.url, headers={"Authorization": "Bearer mine"}).read_all()
    assert api.requests[0].target == "/?x=1&y=2"
    assert api.requests[0].header("x-api-key") == "theirs"
    assert api.requests[1].header("authorization") is None
    assert len(api.requests) == 2


def test_pages_of_other_origins_are_refused_and_cors_is_the_proxys(sse, wire, origin, tmp_path):
    def answer(connection):
        connection.head("200 OK", "Access-Control-Allow-Origin: https://other.example")
        connection.end()
    api = origin(answer)
    plain = record(sse, api.url, tmp_path / "a")
    assert wire.get(plain.url, headers={"Origin": "https://evil.example"}).status == 403
    assert wire.get(plain.url).header("access-control-allow-origin") == "https://other.example"
    allowed = record(sse, api.url, tmp_path / "b", "--cors", "https://app.example")
    got = wire.get(allowed.url, headers={"Origin": "https://app.example"})
    assert got.all("access-control-allow-origin") == ["https://app.example"]


def test_tls_on_both_sides(sse, origin, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert,
                    "-days", "30"], check=True, capture_output=True)
    key.chmod(0o600)
    api = origin(stream, tls=(cert, key))
    proxy = record(sse, f"https://localhost:{api.port}", tmp_path / "d", "--cacert", cert, "--tls-cert", cert,
                   "--tls-key", key)
    context = ssl.create_default_context(cafile=cert)
    url = proxy.url.replace("127.0.0.1", "localhost")
    with urllib.request.urlopen(url, context=context, timeout=HANG) as answer:
        assert answer.read() == b"".join(EVENTS)
    untrusted = record(sse, f"https://localhost:{api.port}", tmp_path / "e")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(untrusted.url, timeout=HANG)
    assert refused.value.code == 502
    assert b"is not trusted" in refused.value.read()


def test_masked_values_of_bodies(sse, wire, origin, tmp_path):
    api = origin(lambda c: c.answer("200 OK", '{"user": {"id": 7}, "n": [{"k": "a"}, {"k": "b"}]}', content_type="application/json"))
    proxy = record(sse, api.url, tmp_path, "--mask-json", "/user/id", "--mask-json", "/n/*/k", "--mask-json", "/a~1b")
    sent = b'{ "user" : {"id":"u-1"}, "a/b": {"deep": [1]}, "rest": 1.0 }'
    answer = wire.request(proxy.url, "POST", body=sent)
    assert answer.read_all() == b'{"user": {"id": 7}, "n": [{"k": "a"}, {"k": "b"}]}'
    assert api.requests[0].body == sent
    records = closed_recording(tmp_path)
    assert records[0]["request"]["body"] == '{ "user" : {"id":"***"}, "a/b": "***", "rest": 1.0 }'
    assert body(records) == b'{"user": {"id": "***"}, "n": [{"k": "***"}, {"k": "***"}]}'
    again = wire.request(sse.replay(tmp_path).url, "POST", body=b'{"user":{"id":"other"},"a/b":2,"rest":1}')
    assert again.status == 200


def test_no_mask_records_secrets(sse, wire, origin, tmp_path):
    proxy = record(sse, origin(stream).url, tmp_path, "--no-mask")
    wire.get(proxy.url + "?key=k", headers={"Authorization": "Bearer a"}).read_all()
    head = closed_recording(tmp_path)[0]
    assert head["request"]["headers"]["Authorization"] == "Bearer a"
    assert head["url"].endswith("?key=k")


def test_hundreds_of_streams_at_once_and_one_client_that_does_not_read(sse, wire, origin, tmp_path):
    """What waits for the client that does not read stays with its upstream, and the others are served."""
    streams = 200
    rounds = [threading.Event() for _ in range(3)]
    blocked, sent = threading.Event(), [0]

    def answer(connection):
        connection.head("200 OK")
        if connection.request.target == "/slow":
            connection.sock.settimeout(2)
            try:
                while sent[0] < 256 * 1024 * 1024:
                    connection.chunk(b"x" * 65536)
                    sent[0] += 65536
            except TimeoutError:
                blocked.set()
            return connection.wait_for_close()
        for number, due in enumerate(rounds):
            due.wait(HANG)
            connection.chunk(f"data: {connection.request.target} {number}\n\n")
        return connection.end()
    proxy = record(sse, origin(answer).url, tmp_path, "--threads", "2")
    answers = [wire.get(f"{proxy.url}{i}") for i in range(streams)]
    before = proxy.rss_kib()
    slow = wire.get(f"{proxy.url}slow")
    assert blocked.wait(HANG)
    for number, due in enumerate(rounds):
        due.set()
        for i, got in enumerate(answers):
            assert got.more() == f"data: /{i} {number}\n\n".encode()
    assert all(got.more() == b"" for got in answers)
    assert proxy.threads() <= 3
    assert sent[0] < 64 * 1024 * 1024
    assert proxy.rss_kib() - before < 16 * 1024
    slow.close()
    poll("the recordings", lambda: len(files(tmp_path)) == streams + 1)
    again = sse.replay(tmp_path)
    for i in (0, 123, streams - 1):
        assert wire.get(f"{again.url}{i}").read_all() == "".join(f"data: /{i} {n}\n\n" for n in range(3)).encode()


def test_a_kill_amid_hundreds_of_streams_leaves_recordings_that_replay(sse, wire, origin, tmp_path):
    """Each is a part of what was sent, from its start, up to a time shortly before the kill."""
    streams = 200

    def event(target, number):
        return f"id: {number}\ndata: {target}\n\n".encode()

    def answer(connection):
        connection.head("200 OK")
        number = 0
        while True:
            connection.chunk(event(connection.request.target, number))
            number += 1
            killed.wait(0.05)
    killed = threading.Event()
    proxy = record(sse, origin(answer).url, tmp_path, "--threads", "2")
    for i in range(streams):
        wire.get(f"{proxy.url}{i}").more()
    poll("an event in each file", lambda: len(files(tmp_path)) == streams and all(
        p.read_bytes().count(b"\n") > 1 for p in tmp_path.iterdir()))
    proxy.end_hard()
    killed.set()
    again = sse.replay(tmp_path, "--no-wait")
    assert len(files(tmp_path)) == streams
    for i in range(streams):
        got = wire.get(f"{again.url}{i}").events()
        assert [e.data for e in got] == [f"/{i}"] * len(got)
        assert [e.id for e in got] == [str(n) for n in range(len(got))] and got


def test_a_signal_ends_it_and_says_what_was_done(sse, wire, origin, tmp_path):
    proxy = record(sse, origin(stream).url, tmp_path)
    wire.get(proxy.url).read_all()
    proxy.signal(signal.SIGTERM)
    assert proxy.wait() == 0
    assert "sse: recorded 1 response; 1 connection, " in proxy.stderr.text()


@pytest.mark.parametrize("args, status, err", [
    ([], 2, "UPSTREAM is required"), (["http://h/?x=1", "d"], 2, "the URL of the upstream server cannot have a query"),
    (["ftp://h/", "d"], 2, "ftp"), (["http://h/", "d", "--mask-json", "x"], 2, '"x" is not a JSON pointer'),
    (["http://h/", "d", "--mode", "never"], 2, '"never" is not one of'),
    (["http://h/", "/dev/null/x"], 23, "cannot create /dev/null/x"),
    (["https://h/", "d", "--cacert", "/no/such"], 2, "/no/such")])
def test_usage(sse, tmp_path, args, status, err):
    ran = sse.run("record", *args, "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert ran.status == status
    assert err in ran.err


def test_it_does_not_pass_requests_on_to_itself(sse, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ran = sse.run("record", f"http://localhost:{port}", tmp_path, "--listen", f"127.0.0.1:{port}")
    assert ran.status == 2
    assert "is the address that sse record listens on" in ran.err


def test_a_recording_that_cannot_be_written_does_not_stop_the_stream(sse, wire, origin, tmp_path):
    (tmp_path / "GET-x-0001.jsonl").mkdir()
    proxy = record(sse, origin(stream).url, tmp_path)
    assert wire.get(proxy.url + "x").read_all() == b"".join(EVENTS)
    proxy.stderr.wait_for("warning: GET /x is not recorded further: cannot create .*GET-x-0001.jsonl")
    wire.get(proxy.url + "y").read_all()
    proxy.signal(signal.SIGTERM)
    assert proxy.wait() == 23
    assert "sse: recorded 1 response, 1 not recorded; 2 connections" in proxy.stderr.text()
