"""sse tail: a request whose body the server does not take, or not at once."""
import subprocess
import threading

import pytest
from support.deadline import HANG


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    path = tmp_path_factory.mktemp("tls")
    files = path / "cert.pem", path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=Test", "-days", "2", "-out", files[0], "-keyout", files[1]],
                   check=True, capture_output=True)
    return tuple(map(str, files))


@pytest.fixture(params=["http", "https"])
def post(request, sse, origin, certificate, tmp_path):
    """Runs a tail that posts 20 MB to a server that reads the head only, before its handler."""
    body = tmp_path / "body"
    body.write_bytes(b"x" * 20_000_000)

    def run(handler, *args):
        server = origin(handler, reads_body=False, tls=certificate if request.param == "https" else None)
        return sse.run("tail", server.url, "-k", "-d", f"@{body}", *args)
    return run


@pytest.mark.parametrize("interim", ["", "HTTP/1.1 100 Continue\r\n\r\n"])
def test_an_answer_that_comes_before_the_body_is_read(post, interim):
    over = threading.Event()

    def handler(c):
        c.send(interim)
        c.answer("413 Too Large", "no more than 1 MB")
        assert over.wait(HANG)
    tail = post(handler)
    over.set()
    assert tail.status == 22
    assert "returned 413 Too Large: no more than 1 MB" in tail.err


@pytest.mark.parametrize("answer_first", [False, True])
def test_a_body_goes_on_behind_a_head_that_refuses_nothing(post, answer_first):
    def handler(c):
        c.send("HTTP/1.1 100 Continue\r\n\r\n" * 3)
        if answer_first:
            c.head()
        left = int(c.request.header("Content-Length")) - len(c.request.body)
        while left > 0:
            left -= len(c.sock.recv(1 << 20))
        if not answer_first:
            c.head()
        c.chunk("data: all\n\n")
        c.end()
    tail = post(handler)
    assert (tail.status, tail.out) == (0, b"all\n"), tail.err


@pytest.mark.parametrize("args", [["--read-timeout", "300ms"], ["--connect-timeout", "300ms"]])
def test_a_server_that_takes_nothing_is_not_waited_for(post, args):
    over = threading.Event()
    tail = post(lambda c: over.wait(HANG), *args)
    over.set()
    assert tail.status == 28
    assert "sse: error: the server has accepted nothing of the request for too long" in tail.err
