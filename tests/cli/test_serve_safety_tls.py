"""TLS of the server, seen by Python's ssl and by the openssl and curl programs."""
import signal
import socket
import ssl
import subprocess

import pytest

from support.certificates import Authority, openssl
from support.deadline import HANG, poll
from support.wire import Answer, request_bytes


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def pair(certs):
    return certs.issue("server")


@pytest.fixture
def talk(certs):
    """Opens TLS connections to a server and closes them when the test is over."""
    opened = []

    def connect(server, version=None, alpn=None, own=None, window=None):
        context = ssl.create_default_context(cafile=str(certs.ca))
        if version:
            context.minimum_version = context.maximum_version = version
        if alpn:
            context.set_alpn_protocols(alpn)
        if own:
            context.load_cert_chain(*map(str, own))
        port = int(server.url.rstrip("/").rsplit(":", 1)[1])
        raw = socket.socket()
        opened.append(raw)
        raw.settimeout(HANG)
        if window:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        raw.connect(("127.0.0.1", port))
        sock = context.wrap_socket(raw, server_hostname="localhost")
        opened.append(sock)
        return sock

    yield connect
    for sock in opened:
        sock.close()


def get(sock, server, **parts):
    sock.sendall(request_bytes(server.url, **parts))
    return Answer(sock)


def secure(sse, pair, *args, command="serve", **options):
    cert, key = pair
    return sse.serve("--tls-cert", cert, "--tls-key", key, *args, command=command, **options)


def seq(count):
    return b"".join(b"%d\n" % i for i in range(1, count + 1))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_stream_over_tls_ends_with_close_notify(sse, talk, pair, version):
    server = secure(sse, pair, input=seq(1000))
    assert server.url.startswith("https://127.0.0.1:")
    sock = talk(server, version)
    answer = get(sock, server)
    assert answer.status == 200 and answer.chunked
    assert [e.data for e in answer.events()] == [str(i) for i in range(1, 1001)]
    assert answer.closed() == b""  # SSLEOFError, were there no close_notify
    assert sock.version() == version.name.replace("TLSv1_", "TLSv1.")
    sock.close()
    assert server.wait() == 0


def test_curl_and_tail_read_it(sse, pair, certs):
    server = secure(sse, pair, "--wait-clients", "2", input=seq(3))
    curl = subprocess.run(["curl", "-sSN", "--cacert", certs.ca, server.url], capture_output=True,
                          check=True)
    assert curl.stdout.count(b"data: ") == 3
    tail = sse.run("tail", server.url, "--cacert", certs.ca)
    assert (tail.status, tail.out) == (0, b"1\n2\n3\n")
    assert server.wait() == 0


def test_replay_speaks_tls_too(sse, talk, pair, tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text('{"sse":1,"started":"2026-11-22T05:00:00.123Z"}\n{"t":0,"data":"x"}\n')
    server = secure(sse, pair, path, command="replay")
    assert [e.data for e in get(talk(server), server).events()] == ["x"]


def test_many_events_reach_a_reader_with_a_small_window(sse, talk, pair):
    """More than the socket's buffers: record after record leaves in pieces."""
    lines = [f"{i} " + "x" * 300 for i in range(10_000)]
    server = secure(sse, pair, input="\n".join(lines).encode() + b"\n")
    answer = get(talk(server, window=65536), server)
    assert [e.data for e in answer.events()] == lines


@pytest.mark.parametrize("overflow", ["drop", "disconnect"])
def test_a_slow_client_that_is_moved_on_sees_no_torn_event(sse, talk, pair, overflow):
    server = secure(sse, pair, "--overflow", overflow, "--history", "50", "--wait-clients", "1")
    sock = talk(server)
    sock.sendall(request_bytes(server.url))
    answer = Answer(sock)
    text = "y" * 2000
    for start in range(0, 20_000, 1000):
        server.write("".join(f"{i} {text}\n" for i in range(start, start + 1000)))
    server.close_stdin()
    try:
        answer.events()
    except (Exception if overflow == "disconnect" else ()):  # cut, as was asked for
        pass
    numbers = [int(e.data.split(" ")[0]) for e in answer.stream.events]
    assert numbers == sorted(set(numbers))
    assert all(e.data.endswith(" " + text) for e in answer.stream.events)
    if overflow == "drop":
        assert numbers[-1] == 19_999


def test_old_versions_are_refused_and_alpn_answers_http1(sse, talk, pair):
    server = secure(sse, pair, input=b"x\n")
    with pytest.raises(ssl.SSLError):
        talk(server, ssl.TLSVersion.TLSv1_1)
    assert talk(server, alpn=["h2", "http/1.1"]).selected_alpn_protocol() == "http/1.1"
    with pytest.raises(ssl.SSLError, match="(?i)application.protocol"):
        talk(server, alpn=["h2"]).recv(1)


def test_a_client_that_goes_before_it_greets_is_let_go(sse, pair, wire):
    server = secure(sse, pair, "--head-timeout", "10m")
    idle = server.descriptors()
    for _ in range(20):
        wire.send(server.url, b"").close()
    poll("them to be gone", lambda: server.descriptors() <= idle)


def test_a_request_without_tls_is_told_so(sse, wire, pair):
    server = secure(sse, pair, input=b"x\n")
    plain = server.url.replace("https:", "http:")
    for method in ("GET", "POST", "OPTIONS", "BREW"):
        answer = wire.request(plain, method)
        assert answer.status == 400 and b"https://" in answer.read_all(), method
    assert b"HTTP/1.1 " not in _garbage(wire, plain, b"\x00\x01garbage")
    assert b"HTTP/1.1 " not in _garbage(wire, plain, b"\x16\x03\x01\xff\xffgarbage")


def _garbage(wire, url, data):
    sock = wire.send(url, data)
    got = b""
    try:
        sock.shutdown(socket.SHUT_WR)
        while piece := sock.recv(4096):
            got += piece
    except OSError:
        pass  # it has closed or reset the connection: nothing more comes
    return got


def test_a_handshake_that_never_comes_is_ended_by_the_head_timeout(sse, wire, pair, talk):
    server = secure(sse, pair, "--head-timeout", "300ms", "--on-eof", "hold", input=b"x\n")
    idle = wire.connect(server.url.replace("https:", "http:"))
    begun = wire.send(server.url.replace("https:", "http:"), b"\x16\x03\x01\x02\x00\x01")
    for sock in (idle, begun):
        sock.settimeout(HANG)
        assert sock.recv(1) == b""
    assert get(talk(server), server).status == 200


def test_clients_must_show_a_certificate_where_one_is_asked_for(sse, talk, pair, certs, tmp_path):
    server = secure(sse, pair, "--tls-client-ca", certs.ca, "--on-eof", "hold", input=b"x\n")
    with pytest.raises(ssl.SSLError):  # in TLS 1.3 the client is told with its first read
        talk(server).recv(1)
    foreign = Authority(tmp_path)
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        talk(server, own=foreign.issue("stranger")).recv(1)
    sock = talk(server, own=certs.issue("client"))
    assert get(sock, server).events(1)[0].data == "x"


def serial(sock):
    return sock.getpeercert()["serialNumber"]


def test_sighup_reads_the_certificate_again_and_a_bad_one_keeps_the_old(sse, talk, certs):
    cert, key = certs.issue("reloaded")
    server = sse.serve("--tls-cert", cert, "--tls-key", key, "--on-eof", "hold", input=b"x\n")
    first = talk(server)
    stream = get(first, server)
    assert stream.events(1)[0].data == "x"
    certs.issue("reloaded")
    server.signal(signal.SIGHUP)
    server.stderr.wait_for("^sse: note: reloaded the certificate and key")
    second = talk(server)
    assert serial(second) != serial(first)
    key.write_text("no key at all\n")
    server.signal(signal.SIGHUP)
    server.stderr.wait_for(r"^sse: warning: cannot use .*reloaded\.key .*keeping the previous")
    assert serial(talk(server)) == serial(second)
    assert server.running and not stream.ended


def bad_pairs(certs):
    cert, key = certs.issue("one")
    _, other = certs.issue("two")
    locked = certs.path / "locked.key"
    openssl("ec", "-in", key, "-aes128", "-passout", "pass:secret", "-out", locked)
    return [((cert, other), "is not that of the certificate"), ((cert, locked), "is encrypted"),
            ((cert, certs.path / "none.key"), "No such file"),
            ((certs.path / "none.pem", key), "No such file"), ((cert, cert), "as the certificate's key"),
            ((key, key), "as a certificate")]


def test_a_pair_that_cannot_be_used_is_two_lines(sse, certs):
    for (cert, key), what in bad_pairs(certs):
        result = sse.run("serve", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key)
        error, hint = result.err.splitlines()
        assert result.status == 2 and what in error and error.startswith("sse: error: "), result.err
        assert hint.startswith("sse: hint: give --tls-cert")


def test_a_key_alone_is_a_wrong_command_line(sse, pair):
    result = sse.run("serve", "--tls-key", pair[1])
    assert result.status == 2 and result.err.startswith("sse: error: ")


def test_an_expired_certificate_is_served_with_a_warning(sse, certs, talk):
    old = certs.issue("old", expired=True)
    server = secure(sse, old, input=b"x\n")
    assert "old.pem has expired" in server.stderr.text()


def test_one_file_may_hold_certificate_and_key(sse, certs, talk):
    cert, key = certs.issue("both")
    both = certs.path / "all.pem"
    both.write_text(cert.read_text() + key.read_text())
    both.chmod(0o644)
    server = sse.serve("--tls-cert", both, "--on-eof", "hold", input=b"x\n")
    assert "contains a private key, and every user can read it" in server.stderr.text()
    assert get(talk(server), server).events(1)[0].data == "x"


def test_pages_of_the_https_origin_are_its_own(sse, talk, pair):
    server = secure(sse, pair, "--on-eof", "hold", input=b"x\n")
    own = server.url.rstrip("/")
    assert get(talk(server), server, headers={"Origin": own}).status == 200
    plain = own.replace("https:", "http:")
    assert get(talk(server), server, headers={"Origin": plain}).status == 403


@pytest.mark.parametrize("io", ["auto", "send"])
def test_many_clients_are_sent_the_same_and_a_slow_one_all_of_it(sse, pair, talk, io):
    """Each event is encrypted for each client; what a socket takes in part is sent on when it can."""
    server = secure(sse, pair, "--io", io)
    clients = [get(talk(server, window=4096 if n == 0 else None), server) for n in range(6)]
    data = [f"{n} " + "x" * (15_000 if n % 4 else 10) for n in range(80)]
    for n, one in enumerate(data):
        server.write(one + "\n")
        if n % 8 == 0:  # one at a time, mostly: all but the slow one have had it
            for client in clients[1:]:
                assert client.events(n + 1)[n].data == one
    server.close_stdin()
    for client in clients[1:] + clients[:1]:
        assert [e.data for e in client.events()] == data
        client.close()
    assert server.wait() == 0
