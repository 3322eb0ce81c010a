"""sse serve as an HTTP server: what each request is answered, and what it refuses."""
import re
import socket

import pytest
from support.deadline import Deadline, poll
from support.wire import Answer, connect, request_bytes

HOST = b"Host: localhost\r\n"
END = b"\r\n\r\n"


def answers(sock):
    """The status of each answer that comes until the connection ends."""
    deadline, got = Deadline(), b""
    while True:
        sock.settimeout(deadline.check(f"the end; have {got!r}"))
        try:
            piece = sock.recv(65536)
        except ConnectionResetError:
            piece = b""
        if not piece:
            return [int(s) for s in re.findall(rb"^HTTP/1\.1 (\d\d\d) ", got, re.MULTILINE)]
        got += piece


@pytest.fixture
def server(sse):
    return sse.serve("--path", "/events")


def root(server):
    return server.url.removesuffix("events")


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/%65vents?x=%0d%0a", 200), ("HEAD", "/events", 200), ("OPTIONS", "/events", 204), ("OPTIONS", "*", 204),
    ("GET", "/", 404), ("GET", "/events/../x", 404), ("GET", "/../../../../etc/passwd", 404), ("GET", "/events%00", 404),
    ("POST", "/events", 405), ("BREW", "/events", 405), ("get", "/events", 405), ("CONNECT", "localhost:80", 400),
])
def test_a_method_and_a_path_have_a_status(server, wire, method, path, status):
    answer = wire.request(server.url, method, target=path)
    assert answer.status == status
    if status == 405 or method == "OPTIONS":
        assert answer.header("allow") == "GET, HEAD, OPTIONS"
    if status == 200:
        assert answer.header("content-type") == "text/event-stream; charset=utf-8"
    if method == "HEAD" or status == 204:
        assert not answer._rest
    elif status >= 400:
        body = answer.read_all().decode()
        assert body.endswith("\n") and answer.header("content-type") == "text/plain; charset=utf-8"
        assert "passwd" not in body


@pytest.mark.parametrize("method, target, status, fields", [
    ("GET", "/x", "404 Not Found", "Content-Length Content-Type Cross-Origin-Resource-Policy Date Keep-Alive"),
    ("POST", "/events", "405 Method Not Allowed",
     "Allow Content-Length Content-Type Cross-Origin-Resource-Policy Date Keep-Alive"),
    ("GET", "/events", "200 OK", "Cache-Control Connection Content-Type Cross-Origin-Resource-Policy Date "
     "Transfer-Encoding Vary X-Accel-Buffering X-Content-Type-Options"),
])
def test_the_head_of_a_response_is_ours_to_the_byte(server, wire, method, target, status, fields):
    """Whatever version of httplib is there: some close the connection with an error, or add fields."""
    answer = wire.request(server.url, method, target=target)
    assert f"{answer.status} {answer.reason}" == status
    assert " ".join(name for name, _ in answer.headers) == fields


def test_a_connection_serves_one_request_after_another(server, wire):
    sock = wire.connect(server.url)
    for method, target, status in (("HEAD", "/events", 200), ("GET", "/x", 404), ("OPTIONS", "/events", 204),
                                   ("POST", "/events", 405), ("GET", "/events", 200)):
        sock.sendall(request_bytes(server.url, method, target=target, body=b"abc" if method == "POST" else None))
        answer = Answer(sock, method=method)
        assert answer.status == status
        if method == "GET" and status == 404:
            assert answer.header("keep-alive").startswith("timeout=75,")  # S19: as --idle-timeout
        if method != "HEAD" and target + method != "/eventsGET":
            answer.read_all()
    server.write("x\n")
    assert [e.data for e in answer.events(1)] == ["x"]


@pytest.mark.parametrize("half_close", [False, True])
def test_pipelined_requests_are_answered_in_order(server, wire, half_close):
    def get(target, *headers):
        return request_bytes(server.url, target=target, headers=[("Host", "localhost"), *headers])

    sock = wire.connect(server.url)
    body = b"GET /events HTTP/1.1\r\n"
    sock.sendall(get("/x") + get("/y", ("Content-Length", str(len(body)))) + body + get("*")
                 if not half_close else get("/x") + get("/y") + get("/z"))
    if half_close:
        sock.shutdown(socket.SHUT_WR)
    assert answers(sock) == ([404, 404, 404] if half_close else [404, 404, 400])


def test_a_thousand_pipelined_requests_are_answered_each_once(server, wire):
    many = 4000
    sock = wire.connect(server.url)
    sock.sendall((b"GET /x HTTP/1.1\r\n" + HOST + b"\r\n") * many + b"GET /x HTTP/1.1\r\nConnection: close\r\n" +
                 HOST + b"\r\n")
    assert answers(sock) == [404] * (many + 1)


# What is refused, and how, is a table of request_reader_test.cpp; here, that it is and closes.
GARBAGE = {
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 300, [400]),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505]),
    "both framings": (b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked" + END +
                      b"0\r\n\r\n", [400]),
    "a size of -2": (b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked" + END + b"-2\r\n", [404]),
    "a long body": (b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999" + END, [413]),
    "a long request line": (b"GET /" + b"x" * 20_000, [414]),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_refused_and_the_connection_closed(server, wire, name):
    sent, statuses = GARBAGE[name]
    assert answers(wire.send(server.url, sent)) == statuses
    assert wire.request(server.url, "HEAD").status == 200


@pytest.mark.parametrize("sent", [
    b"GET /" + b"x" * (1 << 20), b"GET / HTTP/1.1\r\nA: " + b"x" * (1 << 20),
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 100_000,
    b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked" + END + (b"400\r\n" + b"x" * 1024 + b"\r\n") * 8000,
    b"GET /events HTTP/1.1\r\n" + HOST + b"\r\n" + b"x" * (8 << 20),
], ids=["request line", "header", "headers", "body", "after a request"])
def test_a_request_that_never_ends_costs_no_memory(server, wire, sent):
    wire.request(server.url, "HEAD")
    before = server.rss_kib()
    sock = wire.connect(server.url)
    try:
        sock.sendall(sent)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has had enough
    assert answers(sock) in ([400], [404], [413], [414], [431], [200], [])
    assert server.rss_kib() - before < 12_000
    assert wire.request(server.url, "HEAD").status == 200


def test_on_all_interfaces_the_own_name_will_do(sse, wire):
    server = sse.serve("--listen", ":0")
    port = server.url.rstrip("/").rsplit(":", 1)[1]
    for host in ("127.0.0.1", "[::1]"):
        url = f"http://{host}:{port}/"
        assert wire.get(url, headers={"Host": "any.example"}).status == 403
        assert wire.get(url, headers={"Host": f"{socket.gethostname()}:{port}"}).status == 200


@pytest.mark.parametrize("address, host", [(":0", "127.0.0.1"), ("0.0.0.0:0", "127.0.0.1"), ("[::]:0", "[::1]")])
@pytest.mark.parametrize("flag", ["--listen", "--admin"])
def test_all_interfaces_are_announced_as_what_can_be_typed_and_noted(sse, wire, flag, address, host):
    server = sse.serve(flag, address, "--path", "/x")
    word, path = ("serving", "x") if flag == "--listen" else ("admin", "")
    url, port = server.stderr.wait_for(rf"^sse: {word} (http://{re.escape(host)}:(\d+)/{path})$").groups()
    name = socket.gethostname()
    elsewhere = "" if name in ("", "localhost") else f", as http://{name}:{port}/{path}"
    server.stderr.wait_for(
        f"^sse: note: port {port} is reachable from every network of this machine{re.escape(elsewhere)}$")
    assert wire.request(url, "HEAD").status in (200, 404)


def test_100_continue_is_for_those_who_may_go_on(sse, server, wire):
    asks = [("Host", "localhost"), ("Content-Length", "3"), ("Expect", "100-continue")]
    assert Answer(wire.send(server.url, request_bytes(server.url, "POST", headers=asks))).status == 405
    publisher = sse.serve("--publish")
    sock = wire.send(publisher.url, request_bytes(publisher.url, "POST", headers=asks))
    assert Answer(sock).status == 100
    sock.sendall(b"abc")
    assert Answer(sock).status == 201


def test_a_stream_has_the_fields_that_were_asked_for(sse, wire):
    server = sse.serve("--header", "X-A: b", "--header", "cache-control: no-cache", "--retry", "3s..6s")
    answers_ = [wire.get(server.url) for _ in range(8)]
    assert answers_[0].header("x-a") == "b" and answers_[0].all("cache-control") == ["no-cache"]
    assert answers_[0].header("content-type") == "text/event-stream; charset=utf-8"
    server.write("x\n")
    retries = set()
    for answer in answers_:
        answer.events(1)
        retries.add(int(re.search(rb"retry: ?(\d+)", answer.body)[1]))
    assert all(3000 <= retry <= 6000 for retry in retries) and len(retries) > 1


@pytest.mark.parametrize("args, words", [
    (["--listen", "127.0.0.1:99999"], "127.0.0.1:99999"), (["--listen", "127.0.0.1"], "127.0.0.1"),
    (["--listen", "::1:80"], "::1:80"), (["--listen", "unix:"], "unix:"), (["--path", "x"], '"x" is not a path'),
    (["--path", ""], '"" is not a path'), (["--path", "/a?b"], '"/a?b" is not a path'), (["--history", "0"], "--history"),
    (["--overflow", "lose"], '"lose" is not one of'), (["--threads", "0"], "--threads"), (["--keepalive", "x"], "--keepalive"),
])
def test_a_value_that_will_not_do_is_two_lines_and_status_2(sse, args, words):
    result = sse.run("serve", *args)
    error, hint = result.err.splitlines()
    assert (result.status, result.out) == (2, b"") and words in error
    assert error.startswith("sse: error: ") and hint.startswith("sse: hint: ")


def test_a_port_that_is_taken(sse):
    taken = sse.serve().url.removeprefix("http://").rstrip("/")
    result = sse.run("serve", "--listen", taken)
    assert result.status == 7
    assert result.err == (f"sse: error: cannot listen on {taken}: Address already in use\n"
                          "sse: hint: choose another address with --listen, or port 0 for any free port\n")


@pytest.mark.parametrize("address, status", [("192.0.2.1:80", 7), ("unix:/nonexistent/socket", 7),
                                             ("no-such-host.invalid:80", 6)])
def test_an_address_that_is_not_ours(sse, address, status):
    result = sse.run("serve", "--listen", address)
    error, hint = result.err.splitlines()
    assert result.status == status and error.startswith(f"sse: error: cannot listen on {address}: ")
    assert hint.startswith("sse: hint: --listen takes ")


def test_a_port_file_that_cannot_be_made(sse):
    result = sse.run("serve", "--listen", "127.0.0.1:0", "--port-file", "/nonexistent/port")
    error, hint = result.err.splitlines()
    assert result.status == 23
    assert error == "sse: error: cannot write /nonexistent/port: No such file or directory"
    assert hint == "sse: hint: give --port-file a file that can be created"
