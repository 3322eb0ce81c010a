"""sse tail over TLS: what it trusts."""
import socket

import pytest

from support.certificates import KEY, Authority, openssl
from support.origin import Origin
from support.steps import events


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


stream = events("data: x\n\n")


@pytest.fixture
def secure(authority):
    """A TLS server with a certificate for `san`."""
    made = []

    def make(name, san, *, expired=False, handler=stream):
        made.append(Origin(handler, tls=tuple(map(str, authority.issue(name, san, expired=expired)))))
        return made[-1]
    yield make
    for server in made:
        server.close()


def url(server, host="localhost"):
    return f"https://{host}:{server.port}/"


def test_a_trusted_certificate(sse, secure, authority):
    server = secure("good", "DNS:localhost,IP:127.0.0.1")
    for host in ("localhost", "127.0.0.1"):
        tail = sse.run("tail", url(server, host), "--cacert", authority.ca, "--no-reconnect")
        assert (tail.status, tail.out, tail.err) == (0, b"x\n", "")


@pytest.mark.parametrize("name, san, expired, cacert, why, hint", [
    ("unknown", "DNS:localhost", False, None, "unable to get local issuer certificate",
     "trust its issuer with --cacert FILE, or skip the check with -k"),
    ("foreign", "DNS:localhost", False, "foreign.pem", "unable to get local issuer certificate",
     "give another --cacert, because the issuer is not in {cacert}, or skip the check with -k"),
    ("other", "DNS:other.example", False, "ca.pem", "hostname mismatch",
     "use the name in the certificate (--resolve NAME:PORT:ADDRESS maps it), or skip the check with -k"),
    ("half", "DNS:*.localhost", False, "ca.pem", "hostname mismatch", "use the name in the certificate"),
    ("address", "IP:127.0.0.2", False, "ca.pem", "hostname mismatch", "use the name in the certificate"),
    ("expired", "DNS:localhost", True, "ca.pem", "certificate has expired",
     "check this machine's clock, or skip the check with -k"),
])
def test_certificates_that_are_refused(sse, secure, authority, name, san, expired, cacert, why, hint):
    if cacert == "foreign.pem" and not (authority.path / cacert).exists():
        openssl("req", "-x509", *KEY, "-subj", "/CN=f",
                "-keyout", authority.path / "foreign.key", "-out", authority.path / cacert)
    server = secure(name, san, expired=expired)
    args = ["--cacert", authority.path / cacert] if cacert else []
    tail = sse.run("tail", url(server), *args)
    assert tail.status == 60
    assert tail.err.startswith(f"sse: error: the certificate of localhost:{server.port} is not trusted: {why}\n"
                               f"sse: hint: {hint.format(cacert=authority.path / str(cacert))}")
    assert server.requests == []  # no header has left
    tail = sse.run("tail", url(server), "-k", "--no-reconnect")
    assert (tail.status, tail.out) == (0, b"x\n")


def test_a_common_name_alone_names_no_host(sse, authority):
    """RFC 9525, 6.3: only subject alternative names are looked at."""
    server = Origin(stream, tls=tuple(map(str, authority.issue("localhost", san=None))))
    tail = sse.run("tail", url(server), "--cacert", authority.ca)
    assert tail.status == 60 and server.requests == []
    assert tail.err.endswith("is not trusted: it has no subject alternative name\nsse: hint: reissue the certificate with a subject alternative name (RFC 9525 ignores the common name), or skip the check with -k\n"), tail.err
    server.close()


def test_a_dot_behind_the_name_is_none_of_the_certificates(sse, secure, authority):
    server = secure("dot", "DNS:localhost")
    tail = sse.run("tail", f"https://localhost.:{server.port}/", "--resolve", f"localhost.:{server.port}:127.0.0.1",
                   "--cacert", authority.ca, "--no-reconnect")
    assert (tail.status, tail.out) == (0, b"x\n"), tail.err


def test_a_self_signed_certificate(sse, tmp_path):
    openssl("req", "-x509", *KEY, "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", tmp_path / "key", "-out", tmp_path / "cert")
    server = Origin(stream, tls=(str(tmp_path / "cert"), str(tmp_path / "key")))
    tail = sse.run("tail", url(server))
    assert tail.status == 60
    assert "is not trusted: self-signed certificate\n" in tail.err
    tail = sse.run("tail", url(server), "--cacert", tmp_path / "cert", "--no-reconnect")
    assert (tail.status, tail.out) == (0, b"x\n")
    server.close()


def test_a_wrong_address_in_the_certificate(sse, secure, authority):
    tail = sse.run("tail", url(secure("ip", "DNS:localhost"), "127.0.0.1"), "--cacert", authority.ca)
    assert tail.status == 60
    assert "IP address mismatch" in tail.err


def test_a_port_without_tls(sse):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        tail = sse.start("tail", f"https://localhost:{port}/")
        conn, _ = listener.accept()
        conn.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        assert tail.wait() == 35
        conn.close()
    assert tail.stderr.text() == (f"sse: error: cannot complete the TLS handshake with localhost:{port}: wrong version number\n"
                                  "sse: hint: check that the port speaks TLS, or use http\n")


def test_http_to_a_port_with_tls(sse, secure):
    server = secure("plain", "DNS:localhost")
    tail = sse.run("tail", f"http://localhost:{server.port}/")
    assert tail.status == 56


def test_a_cacert_that_cannot_be_read(sse, tmp_path):
    for path, why in ((tmp_path / "none", "No such file or directory"), ("/dev/null", "no certificate")):
        tail = sse.run("tail", "https://localhost:1/", "--cacert", path)
        assert tail.status == 2
        assert f"sse: error: cannot use {path} as trusted certificates: {why}" in tail.err


def test_a_signal_during_the_handshake(sse, origin):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tail = sse.start("tail", f"https://127.0.0.1:{listener.getsockname()[1]}/")
        conn, _ = listener.accept()
        assert conn.recv(1)  # the handshake has begun, and will not go on
        tail.signal(2)
        assert tail.wait() == 130
        conn.close()


def test_a_handshake_that_takes_too_long(sse):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        tail = sse.run("tail", f"https://127.0.0.1:{port}/", "--connect-timeout", "300ms")
    assert tail.status == 28
    assert f"sse: error: cannot complete the TLS handshake with 127.0.0.1:{port}: timed out\n" in tail.err


def test_a_redirect_from_https_to_http_takes_no_secrets_along(sse, secure, origin, authority):
    plain = origin(stream)
    server = secure("redirect", "DNS:localhost", handler=lambda c: c.answer("302 Found", "", f"Location: {plain.url}"))
    tail = sse.run("tail", url(server), "--cacert", authority.ca, "--bearer", "s", "--no-reconnect")
    assert (tail.status, tail.out) == (0, b"x\n")
    assert server.requests[0].header("Authorization") == "Bearer s"
    assert plain.requests[0].header("Authorization") is None


def test_a_stream_cut_within_tls_is_cut(sse, secure, authority):
    def handler(c):
        c.head("200 OK", "Connection: close")  # no length: only TLS can tell the end
        c.send("data: x\n\n")
        c.sock.shutdown(2)
    server = secure("cut", "DNS:localhost", handler=handler)
    tail = sse.run("tail", url(server), "--cacert", authority.ca, "--no-reconnect")
    assert (tail.status, tail.out) == (56, b"x\n")
    assert "closed without a TLS close_notify" in tail.err


def test_large_streams_come_whole(sse, secure, authority):
    def handler(c):
        c.head()
        for i in range(200):
            c.chunk(f"data: {i}\n\n" * 1000)
        c.end()
    server = secure("large", "DNS:localhost", handler=handler)
    tail = sse.run("tail", url(server), "--cacert", authority.ca, "--no-reconnect")
    assert tail.status == 0
    assert tail.out == b"".join(b"%d\n" % i * 1000 for i in range(200))


def test_a_client_certificate(sse, secure, authority):
    import ssl
    cert, key = authority.issue("client", "DNS:client")
    server = secure("mutual", "DNS:localhost")
    server._context.verify_mode = ssl.CERT_REQUIRED
    server._context.load_verify_locations(authority.ca)
    tail = sse.run("tail", url(server), "--cacert", authority.ca, "--no-reconnect", "--cert", cert, "--key", key)
    assert (tail.status, tail.out) == (0, b"x\n"), tail.err
    tail = sse.run("tail", url(server), "--cacert", authority.ca)
    assert tail.status in (35, 56)
    assert tail.err.endswith("\nsse: hint: give a client certificate with --cert FILE\n"), tail.err
    tail = sse.run("tail", url(server), "--cacert", authority.ca, "--cert", cert)
    assert tail.status == 2
    assert f"cannot use {cert} as the client certificate's key: " in tail.err
