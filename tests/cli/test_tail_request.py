"""sse tail: what it sends."""
import base64

import pytest

from support.steps import stream


def sent(sse, origin, *args, input=b"", url=None):
    """The request that `sse tail ARGS` sends."""
    server = stream(origin, "data: x\n\n")
    tail = sse.run("tail", server.url if url is None else url(server), "--no-reconnect", *args, input=input)
    assert (tail.status, tail.out, tail.err) == (0, b"x\n", "")
    return server.requests[0]


def test_by_default_it_asks_as_an_eventsource_does(sse, origin):
    request = sent(sse, origin)
    assert request.head.split(b"\r\n")[0] == b"GET / HTTP/1.1"
    headers = {n: v for n, v in request.headers}
    assert headers.pop("User-Agent").startswith("sse/")
    assert headers.pop("Host").startswith("127.0.0.1:")
    assert headers == {"Accept": "text/event-stream", "Cache-Control": "no-cache"}  # and no Last-Event-ID
    assert request.body == b""


def test_the_head_of_a_request_is_ours_to_the_byte(sse, origin):
    """Whatever version of httplib is there: some add fields, or reverse those of one name."""
    request = sent(sse, origin, "-H", "x-b: 2", "-H", "X-A: 0", "-H", "X-B: 1", "-H", "Host: h", "-A", "a")
    assert request.head.removesuffix(b"\r\n").split(b"\r\n") == [
        b"GET / HTTP/1.1", b"Accept: text/event-stream", b"Cache-Control: no-cache", b"Host: h", b"User-Agent: a",
        b"X-A: 0", b"x-b: 2", b"X-B: 1"]


@pytest.mark.parametrize("args, method, body, content_type", [
    (["-d", "a=1"], "POST", b"a=1", "application/x-www-form-urlencoded"),
    (["--json", '{"a":1}'], "POST", b'{"a":1}', "application/json"),
    (["-X", "POST"], "POST", b"", None),
])
def test_bodies(sse, origin, args, method, body, content_type):
    request = sent(sse, origin, *args)
    assert (request.method, request.body, request.header("Content-Type")) == (method, body, content_type)
    assert request.all("Content-Length") == [str(len(body))]
    accept = "application/json, text/event-stream" if "--json" in args else "text/event-stream"
    assert request.all("Accept") == [accept]


def test_bodies_from_files_and_stdin(sse, origin, tmp_path):
    file = tmp_path / "body"
    file.write_bytes(b"a\r\nb\n\x00c\n")
    assert sent(sse, origin, "-d", f"@{file}").body == b"abc"
    assert sent(sse, origin, "-d", "@-", input=b"from\nstdin\n").body == b"fromstdin"
    assert sent(sse, origin, "--json", f"@{file}").body == b"a\r\nb\n\x00c\n"
    big = b"x" * 3_000_000
    assert sent(sse, origin, "--json", "@-", input=big).body == big


@pytest.mark.parametrize("args, name, values", [
    (["-H", "X-One: 1"], "X-One", ["1"]),
    (["-H", "Host:"], "Host", []),
    (["-H", "X: \u00e9"], "X", ["\u00c3\u00a9"]),
    (["--last-event-id", "7"], "Last-Event-ID", ["7"]),
    (["--last-event-id", "\u2026"], "Last-Event-ID", ["\u00e2\u0080\u00a6"]),
    (["--last-event-id", "8", "-H", "Last-Event-ID: 7"], "Last-Event-ID", ["8"]),
    (["-H", "Last-Event-ID: 7"], "Last-Event-ID", ["7"]),
    (["--last-event-id", ""], "Last-Event-ID", []),
    (["-A", ""], "User-Agent", []),
    (["--last-event-id", "  "], "Last-Event-ID", []),
])
def test_headers(sse, origin, args, name, values):
    assert sent(sse, origin, *args).all(name) == values


def test_headers_from_a_file(sse, origin, tmp_path):
    file = tmp_path / "headers"
    file.write_bytes(b"X-One: 1\r\n\nX-Two: 2\nAccept:\n")
    request = sent(sse, origin, "-H", f"@{file}", "-H", "X-Three: 3")
    assert [request.header(n) for n in ("X-One", "X-Two", "X-Three", "Accept")] == ["1", "2", "3", None]


@pytest.mark.parametrize("form, target, host", [
    ("http://127.0.0.1:{}", "/", "127.0.0.1:{}"),
    ("127.0.0.1:{}/x?y=1#frag", "/x?y=1", "127.0.0.1:{}"),
    (":{}/x", "/x", "localhost:{}"),
    ("HTTP://LOCALHOST:{}/A%20b?q=%0d%0a", "/A%20b?q=%0d%0a", "localhost:{}"),
    ("http://me:pw@127.0.0.1:{}/", "/", "127.0.0.1:{}"),
])
def test_forms_of_urls(sse, origin, form, target, host):
    ports = []

    def url(server):
        ports.append(server.port)
        return form.format(server.port)
    request = sent(sse, origin, url=url)
    assert (request.target, request.header("Host")) == (target, host.format(ports[0]))
    basic = "Basic " + base64.b64encode(b"me:pw").decode()
    assert request.header("Authorization") == (basic if "@" in form else None)


# -- redirects

def redirecting(origin, status, target, first="/", other=None):
    """`first` answers `status` to `target`; all else is a stream."""
    def handler(c):
        if c.request.target == first and c.origin is not other:
            c.answer(f"{status} Moved", "", *([f"Location: {target(c)}"] if target else []))
            return
        c.head()
        c.chunk("data: there\n\n")
        c.end()
    return origin(handler)


@pytest.mark.parametrize("status, method, then, body", [
    (302, "GET", "GET", b""), (303, "POST", "GET", b""), (307, "POST", "POST", b"body"),
])
def test_redirects_keep_the_method_as_fetch_does(sse, origin, status, method, then, body):
    server = redirecting(origin, status, lambda c: "/there")
    args = [] if method == "GET" else ["-X", method, "-d", "body"]
    tail = sse.run("tail", server.url, "--no-reconnect", *args)
    assert (tail.status, tail.out) == (0, b"there\n"), tail.err
    assert [(r.method, r.target) for r in server.requests] == [(method, "/"), (then, "/there")]
    assert server.requests[1].body == body
    assert (server.requests[1].header("Content-Type") is None) == (body == b"")


SECRETS = ["-H", "Authorization: Bearer s", "-b", "session=s", "-H", "X-Api-Key: s", "-H", "Accept-Language: de"]


def test_a_redirect_to_another_origin_takes_no_secrets_along(sse, origin):
    there = redirecting(origin, 0, None, first="none")
    for location in (f"http://127.0.0.1:{there.port}/x", f"//127.0.0.1:{there.port}/x", f"http://u:p@localhost:{there.port}/x"):
        here = redirecting(origin, 307, lambda c: location)
        tail = sse.run("tail", here.url, "--no-reconnect", *SECRETS)
        assert (tail.status, tail.out) == (0, b"there\n"), tail.err
        assert here.requests[0].header("X-Api-Key") == "s"
        request = there.requests[-1]
        assert b"s\r\n" not in request.head.replace(b"Cache-Control", b""), request.head
        assert request.header("Authorization") is None
        assert request.header("Accept-Language") == "de"
        assert request.header("Accept") == "text/event-stream"


def test_a_redirect_within_the_origin_keeps_them(sse, origin):
    server = redirecting(origin, 307, lambda c: "/x")
    assert sse.run("tail", server.url, "--no-reconnect", *SECRETS).status == 0
    request = server.requests[1]
    assert [request.header(n) for n in ("Authorization", "Cookie", "X-Api-Key")] == ["Bearer s", "session=s", "s"]


@pytest.mark.parametrize("location, why", [
    ("file:///etc/passwd", "its scheme is file, and only http and https can be followed"),
])
def test_a_location_that_cannot_be_followed_is_an_error(sse, origin, location, why):
    server = redirecting(origin, 301, lambda c: location)
    tail = sse.run("tail", server.url)
    assert tail.status == 22
    assert tail.err.startswith(f"sse: error: {server.url} redirects to \""), tail.err
    assert why in tail.err
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301])
def test_a_redirect_without_location_is_an_error(sse, origin, status):
    server = redirecting(origin, status, None)
    tail = sse.run("tail", server.url)
    assert (tail.status, len(server.requests)) == (22, 1)
    assert f"returned {status} Moved without a Location" in tail.err


def test_at_most_twenty_redirects(sse, origin):
    def handler(c):
        hop = int(c.request.target[1:] or 0)
        if hop == 20 and c.origin is short:
            c.head()
            c.chunk("data: there\n\n")
            return c.end()
        c.answer("302 Found", "", f"Location: /{hop + 1}")
    short = origin(handler)
    tail = sse.run("tail", short.url, "--no-reconnect")
    assert (tail.status, tail.out) == (0, b"there\n"), tail.err
    endless = origin(handler)
    tail = sse.run("tail", endless.url)
    assert tail.status == 22
    assert f"{endless.url} redirects more than 20 times" in tail.err
    assert len(endless.requests) == 21


def test_what_is_typed_ends_with_one_end_of_file(sse, origin):
    server = origin(lambda c: c.answer("204 No Content"))
    tail = sse.at_terminal("tail", server.url, "-d", "@-", fds=[0])
    tail.keys.write(b"a=1\n\x04")
    server.wait_requests(1)
    assert tail.wait() == 0 and server.requests[0].body == b"a=1"
