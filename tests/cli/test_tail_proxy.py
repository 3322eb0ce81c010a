"""sse tail through proxies: which, how, and what they and the origin hear."""
import base64
import socket
import subprocess

import pytest

from support.proxy import Proxy
from support.steps import events


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate and its key, for 127.0.0.1, trusted by itself."""
    path = tmp_path_factory.mktemp("tls")
    files = path / "cert.pem", path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=Test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
                    "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    return tuple(map(str, files))


@pytest.fixture
def proxy():
    made = []

    def make(**options):
        made.append(Proxy(**options))
        return made[-1]
    yield make
    for one in made:
        one.close()


stream = events("data: x\n\n")


def basic(user):
    return "Basic " + base64.b64encode(user.encode()).decode()


def test_http_asks_the_proxy_for_the_whole_url(sse, origin, proxy):
    server, between = origin(stream), proxy()
    tail = sse.run("tail", server.url + "a?b=c", "-x", between.url, "--no-reconnect", "-u", "me:secret")
    assert (tail.status, tail.out, tail.err) == (0, b"x\n", "")
    assert between.requests[0].target == server.url + "a?b=c"
    assert between.requests[0].header("Host") == f"127.0.0.1:{server.port}"
    assert server.requests[0].target == "/a?b=c"
    assert server.requests[0].header("Authorization") == basic("me:secret")


@pytest.mark.parametrize("form", ["{}", "http://me:p%40ss@{}"])
def test_forms_of_proxies(sse, origin, proxy, form):
    between = proxy(user="me:p@ss" if "@" in form else None)
    tail = sse.run("tail", origin(stream).url, "--proxy", form.format(f"127.0.0.1:{between.port}"), "--no-reconnect")
    assert (tail.status, tail.out) == (0, b"x\n"), tail.err


@pytest.mark.parametrize("variables, used", [
    ({"http_proxy": "A"}, "A"),
    ({"ALL_PROXY": "B", "http_proxy": "A"}, "A"),
    ({"http_proxy": "A", "NO_PROXY": "127.0.0.1"}, None),
])
def test_the_environment_names_it(sse, origin, proxy, variables, used):
    proxies = {"A": proxy(), "B": proxy()}
    env = {name: proxies[value].url if value in proxies else value for name, value in variables.items()}
    tail = sse.run("tail", origin(stream).url, "--no-reconnect", env=env)
    assert (tail.status, tail.out) == (0, b"x\n"), tail.err
    assert [name for name, one in proxies.items() if one.requests] == ([used] if used else [])


@pytest.mark.parametrize("args, through", [
    (["--noproxy", "127.0.0.1"], False), (["--noproxy", "*"], False), (["-x", ""], False),
    (["--noproxy", ""], True), (["--noproxy", "other"], True)])
def test_flags_go_before_the_environment(sse, origin, proxy, args, through):
    between = proxy()
    env = {"http_proxy": between.url, **({"no_proxy": "*"} if through else {})}
    assert sse.run("tail", origin(stream).url, "--no-reconnect", *args, env=env).out == b"x\n"
    assert bool(between.requests) == through


def test_a_name_that_only_the_proxy_knows(sse, origin, proxy):
    server = origin(stream)
    between = proxy(to=("127.0.0.1", server.port))
    tail = sse.run("tail", "http://only.the-proxy.invalid/a", "-x", between.url, "--no-reconnect")
    assert (tail.status, tail.out) == (0, b"x\n"), tail.err
    assert between.requests[0].target == "http://only.the-proxy.invalid/a"


def test_https_goes_through_a_tunnel(sse, origin, certificate, proxy):
    """The proxy sees the name and the port; neither what is asked nor who asks."""
    server = origin(stream, tls=certificate)
    between = proxy(user="me:secret")
    tail = sse.run("tail", server.url, "-x", f"http://me:secret@127.0.0.1:{between.port}", "--cacert", certificate[0],
                   "--no-reconnect", "--bearer", "token", "-A", "agent")
    assert (tail.status, tail.out, tail.err) == (0, b"x\n", "")
    seen, = between.requests
    assert (seen.method, seen.target) == ("CONNECT", f"127.0.0.1:{server.port}")
    assert dict(seen.headers) == {"Host": f"127.0.0.1:{server.port}", "User-Agent": "agent",
                                  "Proxy-Authorization": basic("me:secret")}
    got, = server.requests
    assert got.header("Authorization") == "Bearer token"
    assert got.header("Proxy-Authorization") is None


@pytest.mark.parametrize("tls", [False, True])
def test_its_credentials_never_reach_the_origin(sse, origin, certificate, proxy, tls):
    """Also those of -H, and also of a host that NO_PROXY names."""
    server = origin(stream, tls=certificate) if tls else origin(stream)
    header = ["-H", "Proxy-Authorization: Basic c2VjcmV0"]
    args = [server.url, "--no-reconnect", *(["--cacert", certificate[0]] if tls else []), *header]
    assert sse.run("tail", *args).out == b"x\n"
    env = {"ALL_PROXY": "http://me:secret@127.0.0.1:1", "NO_PROXY": "127.0.0.1"}
    assert sse.run("tail", *args, env=env).out == b"x\n"
    assert [r.header("Proxy-Authorization") for r in server.requests] == [None, None]
    between = proxy()
    assert sse.run("tail", *args, "-x", between.url).out == b"x\n"
    assert between.requests[0].header("Proxy-Authorization") == "Basic c2VjcmV0"
    if tls:
        assert server.requests[2].header("Proxy-Authorization") is None


def test_a_redirect_chooses_anew(sse, origin, proxy):
    """To a host that goes without: the proxy's credentials stay behind."""
    last = origin(stream)
    first = origin(lambda c: c.answer("302 Found", "", f"Location: http://localhost:{last.port}/"))
    between = proxy(user="me:secret")
    tail = sse.run("tail", first.url, "-x", f"me:secret@127.0.0.1:{between.port}", "--noproxy", "localhost", "--no-reconnect")
    assert (tail.status, tail.out) == (0, b"x\n"), tail.err
    assert [r.target for r in between.requests] == [first.url]
    assert last.requests[0].header("Proxy-Authorization") is None


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_407_is_told_as_the_proxys(sse, proxy, scheme):
    between = proxy(user="me:secret")
    tail = sse.run("tail", f"{scheme}://example.invalid/", "-x", f"me:wrong@127.0.0.1:{between.port}")
    assert tail.status == 22
    connect = " to CONNECT example.invalid:443" if scheme == "https" else ""
    assert tail.err == (f"sse: error: the proxy 127.0.0.1:{between.port} returned 407 Proxy Authentication Required"
                        f"{connect}: who?\n"
                        "sse: hint: give the proxy's credentials as -x http://USER:PASSWORD@HOST:PORT\n")


@pytest.mark.parametrize("answer, status, said", [
    (b"HTTP/1.1 502 Bad Gateway\r\n\r\nno route", 22, "returned 502 Bad Gateway to CONNECT example.invalid:443: no route"),
    (b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\n\r\n", 22, "returned 301 Moved to CONNECT"),
    (b"", 56, "the proxy: the server closed the connection without a response"),
    (b"SSH-2.0-x\r\n", 56, "does not speak HTTP/1; it sent \"SSH-2.0-x\""),
    (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, 3, "the proxy: the response head is larger than 65536 bytes"),
    (b"HTTP/1.1 200 OK\r\n\r\nmore", 56, "the proxy: the proxy sent more than its response to CONNECT"),
])
def test_proxies_that_open_no_tunnel(sse, proxy, answer, status, said):
    tail = sse.run("tail", "https://example.invalid/", "-x", proxy(answer=answer).url)
    assert (tail.status, tail.out) == (status, b"")
    assert said in tail.err and tail.err.count("\n") == 2, tail.err


def test_nobody_listens_there(sse):
    tail = sse.run("tail", "http://example.invalid/", "-x", "127.0.0.1:1")
    assert tail.status == 7
    assert "sse: error: the proxy: cannot connect to 127.0.0.1:1: Connection refused\n" in tail.err
    tail = sse.run("tail", "http://example.invalid/", "-x", "no-such-proxy.invalid:1")
    assert tail.status == 6
    assert "sse: error: the proxy: cannot resolve no-such-proxy.invalid: " in tail.err


def test_a_proxy_that_says_nothing_times_out(sse):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tail = sse.run("tail", "https://example.invalid/", "-x", f"127.0.0.1:{silent.getsockname()[1]}",
                       "--connect-timeout", "300ms")
    assert tail.status == 28
    assert "sse: error: the proxy: " in tail.err


@pytest.mark.parametrize("text, said", [
    ("http://me:secret@h:99999", '"http://***@h:99999" is not a proxy: its port is above 65535'),
])
def test_what_is_no_proxy(sse, text, said):
    for args, env in ((["-x", text], {}), ([], {"all_proxy": text})):
        tail = sse.run("tail", "http://127.0.0.1:1/", *args, env=env)
        assert tail.status == 2
        assert said in tail.err and "secret" not in tail.err and tail.err.count("\n") == 2, tail.err


def test_verbose_shows_the_tunnel_and_no_secret(sse, origin, certificate, proxy):
    server = origin(stream, tls=certificate)
    tail = sse.run("tail", server.url, "-x", f"me:secret@127.0.0.1:{proxy().port}", "-k", "-v", "--no-reconnect")
    assert f"sse: note: > CONNECT 127.0.0.1:{server.port} HTTP/1.1\n" in tail.err
    assert "sse: note: < HTTP/1.1 200 Connection established\n" in tail.err
    assert "Proxy-Authorization: ***" in tail.err and basic("me:secret") not in tail.err
